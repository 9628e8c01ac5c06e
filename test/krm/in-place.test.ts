import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Generated } from '../../src/krm/generated.ts';
import { expandInPlace, findSelectorUse } from '../../src/krm/in-place.ts';
import { Item } from '../../src/krm/item.ts';
import { type JsonObject, mapping } from '../../src/krm/json.ts';
import { readResourceList } from '../../src/krm/resource-list.ts';
import { writeResourceList } from '../../src/krm/write.ts';
import { listOf } from './lists.ts';

const ownerAnnotation = 'example.org/generated-by';
const options = { ownerAnnotation, outputFolder: 'generated' };
const path = 'internal.config.kubernetes.io/path';
const index = 'internal.config.kubernetes.io/index';
const packagePath = 'internal.config.kubernetes.io/package-path';
const localConfig = 'config.kubernetes.io/local-config';

interface Options {
  kind?: string;
  name?: string;
  namespace?: string;
  annotations?: Record<string, string>;
}
const text = ({ kind = 'Source', name = 'nightly', namespace = 'db', annotations = {} }: Options): string => {
  const lines = Object.entries(annotations).map(([key, value]) => `      ${key}: '${value}'\n`);
  const block = lines.length > 0 ? `    annotations:\n${lines.join('')}` : '';
  return `- apiVersion: example.org/v1\n  kind: ${kind}\n  metadata:\n    name: ${name}\n    namespace: ${namespace}\n${block}`;
};
const cronJob = (name = 'made', annotations?: JsonObject): JsonObject => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name, namespace: 'db', ...(annotations && { annotations }) },
});
const file = (where: string, at = '0') => ({ [path]: where, [index]: at });

/** Expands every item of kind Source; its owner value is `Source/<namespace>/<name>`. */
function expand(items: string[], objects: (item: Item) => JsonObject[] = () => [cronJob()]) {
  const list = readResourceList(listOf(...items));
  const sources = list.items.filter(({ identity }) => identity.kind === 'Source');
  const generated: Generated[] = sources.map((source) => ({
    owner: `Source/${source.identity.namespace}/${source.identity.name}`,
    source,
    objects: objects(source),
  }));
  const isSourceKind = (kind: string) => kind === 'Source';
  const { outputs, results } = expandInPlace(
    { items: list.items, local: new Set(sources), generated, isSourceKind },
    options,
  );
  return { list, outputs, results, text: writeResourceList(list, outputs, []) };
}
const annotationsOf = (output: Item | JsonObject | undefined): JsonObject =>
  mapping(mapping((output instanceof Item ? output.value() : output)?.metadata).annotations);

test('the source is marked, what it generates follows at the end with its owner and place', () => {
  const { list, outputs, results } = expand([
    text({ annotations: file('app/backup.yaml') }),
    text({ kind: 'Other' }),
  ]);
  assert.equal(results, []);
  assert.is(annotationsOf(outputs[0])[localConfig], 'true');
  assert.is(outputs[1], list.items[1]);
  assert.equal(outputs[2], {
    ...cronJob(),
    metadata: {
      name: 'made',
      namespace: 'db',
      annotations: { [ownerAnnotation]: 'Source/db/nightly', ...file('app/generated/nightly.yaml') },
    },
  });
});

test('an explicit local-config annotation is respected', () => {
  const { list, outputs } = expand([text({ annotations: { [localConfig]: 'false' } })]);
  assert.is(outputs[0], list.items[0]);
});

test('rendering twice changes nothing', () => {
  const items = [
    text({ annotations: file('backup.yaml') }),
    text({ kind: 'Other' }),
    text({ name: 'weekly', annotations: file('backup.yaml', '1') }),
  ];
  const both = (source: Item) => [cronJob(source.identity.name), cronJob(`${source.identity.name}-restore`)];
  const once = expand(items, both);
  const twice = expand([once.text.slice(listOf().length)], both);
  assert.is(twice.text, once.text);
  assert.equal(twice.results, []);
  assert.is(twice.outputs.length, 7);
});

test('without files (kustomize) generated objects get no place', () => {
  const { outputs } = expand([text({})]);
  assert.equal(annotationsOf(outputs[1]), { [ownerAnnotation]: 'Source/db/nightly' });
});

test('places: legacy path, the package of the source, unique indexes, nothing outside the package', () => {
  const legacy = { 'config.kubernetes.io/path': 'a/b.yaml', [packagePath]: '/pkg' };
  assert.equal(annotationsOf(expand([text({ annotations: legacy })]).outputs[1]), {
    [ownerAnnotation]: 'Source/db/nightly',
    ...file('a/generated/nightly.yaml'),
    [packagePath]: '/pkg',
  });
  const taken = text({ kind: 'Other', annotations: file('app/generated/nightly.yaml', '4') });
  const other = text({
    kind: 'Other',
    annotations: { ...file('app/generated/nightly.yaml', '9'), [packagePath]: '/x' },
  });
  const { outputs } = expand([text({ annotations: file('app/b.yaml') }), taken, other], () => [
    cronJob('a'),
    cronJob('b'),
  ]);
  assert.equal(
    outputs.slice(3).map((output) => annotationsOf(output)[index]),
    ['5', '6'],
  );
  const escaping = expand([text({ annotations: file('../../x.yaml') })]).outputs[1];
  assert.is(annotationsOf(escaping)[path], 'generated/nightly.yaml');
});

test('sources of one name and folder share a file without clashing', () => {
  const items = ['db', 'web'].map((namespace) => text({ namespace, annotations: file('app/b.yaml') }));
  const { outputs } = expand(items, ({ identity }) => [cronJob(identity.namespace)]);
  const places = outputs
    .slice(2)
    .map((output) => [annotationsOf(output)[path], annotationsOf(output)[index]]);
  assert.equal(places, [
    ['app/generated/nightly.yaml', '0'],
    ['app/generated/nightly.yaml', '1'],
  ]);
});

test('annotations that would move or hide a generated object are stripped', () => {
  const { outputs } = expand([text({})], () => [
    cronJob('made', {
      keep: 'me',
      'config.kubernetes.io/function': 'x',
      [localConfig]: 'true',
      'config.k8s.io/id': '1',
      'internal.config.kubernetes.io/id': '1',
      'kustomize.config.k8s.io/id': 'x',
      'config.kubernetes.io/path': 'x',
      'config.kubernetes.io/origin': 'kept',
    }),
  ]);
  assert.equal(annotationsOf(outputs[1]), {
    keep: 'me',
    'config.kubernetes.io/origin': 'kept',
    [ownerAnnotation]: 'Source/db/nightly',
  });
});

test('what a vanished source left is removed where files are known, else kept with a warning', () => {
  const owned = { [ownerAnnotation]: 'Source/db/gone' };
  const inFile = expand([
    text({ kind: 'CronJob', name: 'old', annotations: { ...owned, ...file('g/old.yaml') } }),
  ]);
  assert.equal(inFile.outputs, []);
  assert.equal(inFile.results, [
    {
      message: 'removed, because Source/db/gone, which it was generated from, is gone',
      severity: 'info',
      resourceRef: { apiVersion: 'example.org/v1', kind: 'CronJob', name: 'old', namespace: 'db' },
      file: { path: 'g/old.yaml', index: 0 },
    },
  ]);
  const streamed = expand([text({ kind: 'CronJob', name: 'old', annotations: owned })]);
  assert.is(streamed.outputs[0], streamed.list.items[0]);
  assert.equal(
    streamed.results.map(({ severity }) => severity),
    ['warning'],
  );
});

test('objects of other owners, and mere mentions of the annotation, are left alone', () => {
  const { list, outputs, results } = expand([
    text({ kind: 'CronJob', annotations: { [ownerAnnotation]: 'Stranger/db/gone' } }),
    text({ kind: 'CronJob', name: 'b', annotations: { note: `${ownerAnnotation}: Source/db/gone` } }),
  ]);
  assert.equal(outputs, list.items);
  assert.equal(results, []);
});

test('a source is never taken for a generated object', () => {
  const { outputs, results } = expand([text({ annotations: { [ownerAnnotation]: 'Source/db/nightly' } })]);
  assert.is(outputs.length, 2);
  assert.equal(results, []);
});

test('former owners count as owners; an orphan that is generated anew is replaced', () => {
  const items = [
    text({}),
    text({ kind: 'Old', annotations: { [ownerAnnotation]: 'Source/db/pre-nightly' } }),
    text({ kind: 'Again', name: 'x', annotations: { [ownerAnnotation]: 'Source/db/renamed' } }),
  ];
  const list = readResourceList(listOf(...items));
  const again = { apiVersion: 'example.org/v2', kind: 'Again', metadata: { name: 'x', namespace: 'db' } };
  const { outputs, results } = expandInPlace(
    {
      items: list.items,
      local: new Set(),
      generated: [
        {
          owner: 'Source/db/nightly',
          formerOwners: ['Source/db/pre-nightly'],
          source: list.items[0],
          objects: [again],
        },
      ],
      isSourceKind: () => true,
    },
    options,
  );
  assert.equal(
    results.map(({ severity, resourceRef }) => [severity, resourceRef?.kind]),
    [['info', 'Old']],
  );
  assert.is(outputs.length, 2);
  assert.is(annotationsOf(outputs[1])[ownerAnnotation], 'Source/db/nightly');
});

test('what a function behind this one moved together with its source still belongs to it', () => {
  const moved = (owner: string, name = 'made') =>
    text({ kind: 'Again', name, annotations: { [ownerAnnotation]: owner, ...file('g/made.yaml') } });
  const again = () => [
    { apiVersion: 'example.org/v1', kind: 'Again', metadata: { name: 'made', namespace: 'db' } },
  ];
  for (const owner of ['Source/nightly', 'Source/web/nightly']) {
    const { outputs, results } = expand([text({ annotations: file('b.yaml') }), moved(owner)], again);
    assert.equal(results, [], owner);
    assert.is(outputs.length, 2);
    assert.is(annotationsOf(outputs[1])[ownerAnnotation], 'Source/db/nightly');
  }
  const elsewhere = expand([
    text({ namespace: 'web', annotations: file('b.yaml') }),
    moved('Source/nightly'),
  ]);
  assert.match(elsewhere.results[0]?.message ?? '', /removed, because Source\/nightly, .* is gone/);
});

test('what its owner does not generate any more is removed with a word, as it may be a copy', () => {
  const owned = { [ownerAnnotation]: 'Source/db/nightly', ...file('g/mine.yaml') };
  const { outputs, results } = expand([
    text({ annotations: file('b.yaml') }),
    text({ kind: 'CronJob', name: 'mine', annotations: owned }),
  ]);
  assert.is(outputs.length, 2);
  assert.equal(results, [
    {
      message:
        'removed, because it is not generated from Source/db/nightly any more; if it is a copy of your own, put it back ' +
        'without the annotation example.org/generated-by',
      severity: 'info',
      resourceRef: { apiVersion: 'example.org/v1', kind: 'CronJob', name: 'mine', namespace: 'db' },
      file: { path: 'g/mine.yaml', index: 0 },
    },
  ]);
});

test('an object that exists already is an error that names both', () => {
  const existing = `- apiVersion: batch/v1beta1\n  kind: CronJob\n  metadata:\n    name: made\n    namespace: db\n    annotations:\n      ${path}: 'app/hand.yaml'\n`;
  const { results } = expand([text({ annotations: file('app/b.yaml') }), existing]);
  assert.is(results.length, 1);
  assert.is(results[0]?.severity, 'error');
  assert.match(
    results[0]?.message ?? '',
    /CronJob db\/made.*Source db\/nightly \(app\/b\.yaml\).*app\/hand\.yaml.*rename/,
  );
  assert.equal(results[0]?.resourceRef?.name, 'nightly');
  assert.equal(expand([text({}), existing.replace('made', 'else')]).results, []);
  assert.equal(expand([text({}), existing.replace('namespace: db', 'namespace: web')]).results, []);
  assert.equal(expand([text({}), existing.replace('batch/v1beta1', 'v1')]).results, []);
});

test('no namespace is the default namespace', () => {
  const bare = (namespace?: string) => ({
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'n', ...(namespace && { namespace }) },
  });
  assert.is(expand([text({})], () => [bare(), bare('default')]).results.length, 1);
  assert.is(expand([text({})], () => [bare(), bare('db')]).results.length, 0);
});

test('two sources that generate the same object are an error', () => {
  const { results } = expand([text({ name: 'a' }), text({ name: 'b' })]);
  assert.is(results.length, 1);
  assert.match(
    results[0]?.message ?? '',
    /CronJob db\/made is generated from both Source db\/a and Source db\/b/,
  );
});

test('kpt selectors are noticed, the words in a text are not', () => {
  const { items } = readResourceList(
    listOf(
      text({ annotations: { note: 'kpt-resource-id' } }),
      text({ annotations: { 'internal.config.k8s.io/kpt-resource-id': '1' } }),
    ),
  );
  assert.is(findSelectorUse(items), items[1]);
  assert.is(findSelectorUse(items.slice(0, 1)), undefined);
  const newer = readResourceList(
    listOf(text({ annotations: { 'internal.config.kubernetes.io/kpt-resource-id': '1' } })),
  );
  assert.ok(findSelectorUse(newer.items));
});

test('given objects are not changed', () => {
  const object = cronJob('made', { [path]: 'x' });
  const before = structuredClone(object);
  expand([text({ annotations: file('a.yaml') })], () => [object]);
  assert.equal(object, before);
});

test.run();
