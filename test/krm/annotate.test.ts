import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Item } from '../../src/krm/item.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import { readResourceList } from '../../src/krm/resource-list.ts';
import { resourceLists } from './lists.ts';

const key = 'config.kubernetes.io/local-config';
const set = (raw: string, column = 0): string => new Item(raw, 0, column).withAnnotation(key, 'true').raw;

test('a new annotation is one inserted line, comments and all else untouched', () => {
  assert.is(
    set(
      '- kind: X\n  metadata: # m\n    name: n # c\n    annotations: # a\n      # about b\n      b: 0644\n  z: on\n',
    ),
    `- kind: X\n  metadata: # m\n    name: n # c\n    annotations: # a\n      ${key}: "true"\n      # about b\n      b: 0644\n  z: on\n`,
  );
  assert.is(
    set('- kind: X\n  metadata:\n    # about name\n    name: n\n'),
    `- kind: X\n  metadata:\n    annotations:\n      ${key}: "true"\n    # about name\n    name: n\n`,
  );
});

test('every shape of metadata', () => {
  const cases: [string, string][] = [
    ['- metadata:\n    annotations: {}\n', `- metadata:\n    annotations: {"${key}": "true"}\n`],
    ['- metadata:\n    annotations: {a: b}\n', `- metadata:\n    annotations: {"${key}": "true", a: b}\n`],
    ['- metadata:\n    annotations: ~ # c\n', `- metadata:\n    annotations: {"${key}": "true"} # c\n`],
    [
      '- metadata:\n    annotations:\n    name: n\n',
      `- metadata:\n    annotations: {"${key}": "true"}\n    name: n\n`,
    ],
    ['- metadata: {name: n}\n', `- metadata: {"annotations": {"${key}": "true"}, name: n}\n`],
    ['- metadata: {}\n', `- metadata: {"annotations": {"${key}": "true"}}\n`],
    ['- kind: X\n', `- metadata:\n    annotations:\n      ${key}: "true"\n  kind: X\n`],
    [
      '-\n  # c\n  "kind": X\n',
      `-\n  metadata:\n    annotations:\n      ${key}: "true"\n  # c\n  "kind": X\n`,
    ],
    ['- {kind: X}\n', `- {"metadata": {"annotations": {"${key}": "true"}}, kind: X}\n`],
    ['- {}\n', `- {"metadata": {"annotations": {"${key}": "true"}}}\n`],
    [
      `- metadata:\n    annotations:\n      ${key}: false\n`,
      `- metadata:\n    annotations:\n      ${key}: "true"\n`,
    ],
    [
      `- metadata:\n    annotations:\n      ${key}: 'no' # c\n`,
      `- metadata:\n    annotations:\n      ${key}: "true" # c\n`,
    ],
    [
      `- metadata:\n    annotations:\n      ${key}: |\n        x\n      b: c\n`,
      `- metadata:\n    annotations:\n      ${key}: "true"\n      b: c\n`,
    ],
    [
      `- metadata:\n    annotations:\n      "${key}":\n`,
      `- metadata:\n    annotations:\n      "${key}": "true"\n`,
    ],
    [
      '- metadata:\n  \n    annotations: &a\n      b: c\n',
      `- metadata:\n  \n    annotations: &a\n      ${key}: "true"\n      b: c\n`,
    ],
    [
      '- kind: X\r\n  metadata:\r\n    name: n\r\n',
      `- kind: X\r\n  metadata:\r\n    annotations:\r\n      ${key}: "true"\r\n    name: n\r\n`,
    ],
  ];
  for (const [raw, expected] of cases) assert.is(set(raw), expected);
});

test('flow style stays JSON if it was JSON', () => {
  const raw = '{"kind": "X",\n "metadata": {"name": "n"}}';
  assert.equal(JSON.parse(set(raw, -1)), {
    kind: 'X',
    metadata: { name: 'n', annotations: { [key]: 'true' } },
  });
});

test('setting it again changes nothing', () => {
  for (const raw of ['- kind: X\n', '- metadata:\n    annotations: {a: b}\n', '- metadata:\n    name: n\n']) {
    const once = new Item(raw, 0, 0).withAnnotation(key, 'true');
    assert.is(once.withAnnotation(key, 'true').raw, once.raw);
  }
  const plain = new Item('- metadata:\n    annotations:\n      a: b\n', 0, 0);
  assert.is(plain.withAnnotation('a', 'b'), plain);
});

test('where no textual edit is possible the value is kept', () => {
  const shared = '- x: &a {b: c}\n  metadata:\n    annotations: *a\n';
  assert.equal(new Item(shared, 0, 0).withAnnotation(key, 'true').value(), {
    x: { b: 'c' },
    metadata: { annotations: { b: 'c', [key]: 'true' } },
  });
  assert.throws(() => set('- a: "x\n'));
});

test('in any item, everything else means the same, and all other lines stay', () => {
  fc.assert(
    fc.property(resourceLists, fc.constantFrom(key, 'a', 'k: "\n'), (list, name) => {
      for (const item of readResourceList(list.text).items) {
        const after = item.withAnnotation(name, 'on');
        const expected = structuredClone(item.value());
        const metadata = expected.metadata as JsonObject;
        metadata.annotations = { ...(metadata.annotations as JsonObject), [name]: 'on' };
        assert.equal(after.value(), expected);
        const lines = new Set(after.raw.split('\n'));
        const lost = item.raw.split('\n').filter((line) => !lines.has(line));
        assert.ok(lost.length <= (name === 'a' ? 1 : 0), after.raw);
      }
    }),
    { numRuns: 80 },
  );
});

test.run();
