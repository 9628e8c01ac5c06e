import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Item } from '../../src/krm/item.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import { ResourceListError, readResourceList } from '../../src/krm/resource-list.ts';
import { writeResourceList } from '../../src/krm/write.ts';
import { parseKubernetesYaml } from '../../src/krm/yaml.ts';
import { listOf, resourceLists } from './lists.ts';

const head = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n';
const generated: JsonObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'made' },
  data: { s: 'on\n' },
};
const same = (text: string): string => {
  const list = readResourceList(text);
  return writeResourceList(list, list.items, []);
};
const refusal = (text: string): string => {
  try {
    readResourceList(text);
  } catch (error) {
    if (error instanceof ResourceListError) return error.message;
    throw error;
  }
  throw new Error(`was read: ${text}`);
};

test('what is not touched leaves as it came, to the byte', () => {
  const foreign = [
    "- a: 0644\n  b: 12345678901234567890\n  c: 'on'   # odd\n\n\n# far left\n        # far right\n",
    '-   kind:   Spaced\n    "q":  [1,2 ,3]\n',
    '- # head\n  kind: &x Foo\n  copy: *x\n  text: >-\n     folded\n\n     - text\n',
  ];
  for (const text of [
    listOf(...foreign),
    `# top\n${listOf(...foreign)}functionConfig: # c\n  data: {a: 'on'}\n# end\n`,
    `---\n${listOf(...foreign)}`,
    listOf(...foreign).replaceAll('\n', '\r\n'),
    `${head}items: [{a: 0644}, # c\n  {b: 'on'}]\n`.replace('[{', '[\n  {').replace('}]', '}\n  ]'),
    `${head}items: []\n`,
    listOf('- a: 1\n', '- b: 2'),
  ]) {
    assert.is(same(text), text);
  }
});

test('in any list, for any choice of items, the chosen leave as they came and in order', () => {
  fc.assert(
    fc.property(resourceLists, fc.infiniteStream(fc.boolean()), ({ text }, choose) => {
      const list = readResourceList(text);
      if (!text.includes('results:\n- message: old'))
        assert.is(same(text), list.items.length > 0 ? text : same(text));
      const chosen = list.items.filter(() => choose.next().value);
      const written = readResourceList(writeResourceList(list, [generated, ...chosen, generated], []));
      const ends = (item: Item | undefined) => item?.raw.trimEnd();
      assert.equal(written.items.slice(1, -1).map(ends), chosen.map(ends));
      assert.equal(written.items[0]?.value(), generated);
      assert.equal(written.items.at(-1)?.value(), generated);
      assert.equal(written.functionConfig, list.functionConfig);
    }),
    { numRuns: 80 },
  );
});

test('objects are written in the style of the list they join', () => {
  const cases = [
    [`${head}items:\n- a: 1\n`, `${head}items:\n- a: 1\n- apiVersion: v1\n  kind: ConfigMap\n`],
    [`${head}items:\n  - a: 1\n`, `${head}items:\n  - a: 1\n  - apiVersion: v1\n    kind: ConfigMap\n`],
    [`${head}items: []\n`, `${head}items:\n- apiVersion: v1\n  kind: ConfigMap\n`],
    [head, `${head}items:\n- apiVersion: v1\n  kind: ConfigMap\n`],
    [`${head}items:\nfunctionConfig: {}\n`, `${head}items:\n- apiVersion: v1\n  kind: ConfigMap\n`],
    [`${head}items: [{a: 1}]\n`, `${head}items: [\n  {a: 1},\n  {"apiVersion":"v1","kind":"ConfigMap"`],
  ];
  for (const [input = '', output = ''] of cases) {
    const list = readResourceList(input);
    const written = writeResourceList(list, [...list.items, generated], []);
    assert.ok(written.startsWith(output), written);
    assert.equal(readResourceList(written).items.at(-1)?.value(), generated);
  }
});

test('JSON in, JSON out', () => {
  const input = {
    apiVersion: 'config.kubernetes.io/v1',
    kind: 'ResourceList',
    items: [{ kind: 'A' }, { kind: 'B', n: 1 }],
    functionConfig: { kind: 'ConfigMap', data: { a: '1' } },
    results: [{ message: 'old' }],
  };
  for (const text of [JSON.stringify(input), JSON.stringify(input, null, 2)]) {
    const list = readResourceList(text);
    assert.equal(list.functionConfig, input.functionConfig);
    const marked = list.items[1]?.withAnnotation('a', 'b') ?? generated;
    const written = writeResourceList(
      list,
      [list.items[0] ?? generated, marked, generated],
      [{ message: 'new', severity: 'info' }],
    );
    assert.equal(JSON.parse(written), {
      ...input,
      items: [{ kind: 'A' }, { kind: 'B', n: 1, metadata: { annotations: { a: 'b' } } }, generated],
      results: [{ message: 'new', severity: 'info' }],
    });
  }
});

test('results replace those that came in; the rest stays in place', () => {
  const text = `${head}results:\n- message: old\nitems:\n- a: 1\nfunctionConfig:\n  x: 0644 # c\n`;
  const list = readResourceList(text);
  assert.is(
    writeResourceList(list, list.items, [
      { message: 'new\nline', severity: 'error', field: { path: 'spec.x', currentValue: '0644' } },
    ]),
    `${head}items:\n- a: 1\nfunctionConfig:\n  x: 0644 # c\nresults:\n- message: new line\n  severity: error\n  field:\n    path: spec.x\n    currentValue: "0644"\n`,
  );
  assert.is(writeResourceList(list, [], []), `${head}items: []\nfunctionConfig:\n  x: 0644 # c\n`);
});

test('one document, whatever surrounded it', () => {
  const written = same(`---\n${listOf('- a: 1\n')}...\n---\n# nothing\n`);
  assert.is(written, `---\n${listOf('- a: 1\n')}`);
});

test('an item from elsewhere is written in the list’s own style', () => {
  const elsewhere = readResourceList(listOf('- kind: X\n')).items[0] ?? generated;
  for (const text of [
    `${head}items:\n  - a: 1\n`,
    `{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList"}`,
  ]) {
    const written = writeResourceList(readResourceList(text), [elsewhere, Item.fromValue(generated, 0)], []);
    assert.equal(
      readResourceList(written).items.map((item) => item.value()),
      [{ kind: 'X' }, generated],
    );
  }
});

test('the function configuration is read as kubectl would', () => {
  const config = (text: string) => readResourceList(`${head}${text}items: []\n`).functionConfig;
  assert.equal(config('functionConfig:\n  mode: 0644\n  on: yes\n'), { mode: 420, true: true });
  assert.is(config(''), undefined);
  assert.is(config('functionConfig: null\n'), undefined);
});

test('all versions of the ResourceList are accepted', () => {
  for (const version of ['v1', 'v1beta1', 'v1alpha1']) {
    const text = `apiVersion: config.kubernetes.io/${version}\nkind: ResourceList\nitems: []\n`;
    assert.is(readResourceList(text).apiVersion, `config.kubernetes.io/${version}`);
    assert.is(same(text), text);
  }
  assert.is(readResourceList(`\ufeff${head}`).items.length, 0);
});

test('refusals say what is wrong and what is expected', () => {
  const cases: [string, RegExp][] = [
    ['', /empty.*kustomize build.*kpt fn render/],
    [' \n\t\n', /empty/],
    ['# nothing\n', /not a mapping/],
    ['apiVersion: v1\nkind: ConfigMap\n', /kind "ConfigMap".*expected a ResourceList/],
    ['apiVersion: v1\nitems: []\n', /no kind/],
    [
      'kind: ResourceList\n',
      /unsupported ResourceList apiVersion null; supported are config.kubernetes.io\/v1,/,
    ],
    ['apiVersion: v9\nkind: ResourceList\n', /"v9"/],
    [`${head}---\n${head}`, /more than one YAML document/],
    [`${head}items: 3\n`, /"items" is not a list/],
    [`${head}items:\n- kind: X\n- text\n`, /items\[1\] is not an object/],
    [`${head}items:\n-\n`, /items\[0\] is not an object/],
    [`${head}items:\n- - a: 1\n`, /items\[0\]/],
    [`${head}items: [null]\n`, /items\[0\]/],
    [`${head}items:\n- http://example.org\n`, /items\[0\]/],
    [`${head}items: [}\n`, /not valid YAML: line 3/],
    [`${head}functionConfig: text\n`, /functionConfig is not a mapping/],
    [
      `${head}functionConfig:\n  a: 1\n  a: 2\n`,
      /cannot read functionConfig: line 3 of it: duplicate key "a"/,
    ],
    [`${head}items: []\nitems: []\n`, /"items" is given twice/],
    [`x: ${'['.repeat(50_000)}`, /not valid YAML|nested/],
  ];
  for (const [text, message] of cases)
    assert.match(refusal(text), message, JSON.stringify(text.slice(0, 80)));
});

test('ten megabytes and a line of a megabyte pass unchanged', () => {
  const item = `- kind: Big\n  data:\n    long: ${'x'.repeat(900)}\n`;
  const text = listOf(...Array.from({ length: 10_000 }, () => item), `- long: "${'y'.repeat(1_000_000)}"\n`);
  assert.ok(same(text) === text);
  const list = readResourceList(text);
  assert.is(list.items.length, 10_001);
  const written = writeResourceList(
    list,
    list.items.filter(({ position }) => position % 2 === 0),
    [],
  );
  assert.is(readResourceList(written).items.length, 5001);
});

test('mentions is a plain search', () => {
  const list = readResourceList(listOf('- kind: X # riotkit\n'));
  assert.ok(list.mentions('riotkit'));
  assert.not.ok(list.mentions('RiotKit'));
  assert.equal(parseKubernetesYaml(list.layout.text), {
    apiVersion: 'config.kubernetes.io/v1',
    kind: 'ResourceList',
    items: [{ kind: 'X' }],
  });
});

test.run();
