import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Item, ItemSyntaxError } from '../../src/krm/item.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import { readResourceList } from '../../src/krm/resource-list.ts';
import { scanAnnotations, scanItem } from '../../src/krm/scan.ts';
import { resourceLists } from './lists.ts';

const item = (raw: string, column = 0): Item => new Item(raw, 0, column);
const identity = (apiVersion: string, kind: string, namespace: string, name: string) => ({
  apiVersion,
  kind,
  namespace,
  name,
});

const kptItem = `- # head comment
  apiVersion: example.dev/v1
  kind: ScheduledBackup
  metadata:
    namespace: db # ns comment
    name: nightly
    annotations:
      config.kubernetes.io/index: '0'
      config.kubernetes.io/path: 'app/backup.yaml'
      note: "two words"
  data:
    kind: Trap
    script: |
      kind: Trap
      metadata:
`;

test('the identity of an item as kpt writes it, without parsing', () => {
  assert.ok(scanItem(item(kptItem)));
  assert.equal(item(kptItem).identity, identity('example.dev/v1', 'ScheduledBackup', 'db', 'nightly'));
  assert.equal(
    { ...item(kptItem).annotations },
    {
      'config.kubernetes.io/index': '0',
      'config.kubernetes.io/path': 'app/backup.yaml',
      note: 'two words',
    },
  );
});

test('the scan and the parser agree wherever the scan answers', () => {
  let scanned = 0;
  fc.assert(
    fc.property(resourceLists, ({ text }) => {
      for (const found of readResourceList(text).items) {
        const quick = scanItem(found);
        if (!quick) continue;
        scanned++;
        const { apiVersion, kind, metadata } = found.value();
        const { name, namespace = '', annotations = {} } = metadata as JsonObject;
        assert.equal(quick.identity, { apiVersion, kind, name, namespace });
        const some = scanAnnotations(found);
        if (some) assert.equal({ ...some }, annotations);
      }
    }),
    { numRuns: 80 },
  );
  assert.ok(scanned > 100);
});

test('identities in unusual shapes come from the parser', () => {
  const expected = identity('v1', 'Secret', 'x', 'on');
  for (const raw of [
    '- {apiVersion: v1, kind: Secret, metadata: {namespace: x, name: "on"}}\n',
    '- "apiVersion": v1\n  "kind": Secret\n  metadata: {name: !!str on, namespace: x}\n',
    "- apiVersion: v1\n  kind: Secret\n  metadata:\n    <<: {namespace: x}\n    name: 'on'\n",
    '- apiVersion: v1\n  kind:\n    Secret\n  metadata:\n    name: "\\u006fn"\n    namespace: x\n',
    '- !!map\n  apiVersion: v1\n  kind: Secret\n  metadata:\n    name: "on"\n    namespace: &n x\n',
    '-\n  apiVersion: v1\r\n  kind: Secret\r\n  metadata:\r\n    name: "on"\r\n    namespace: x\r\n',
    '- ? apiVersion\n  : v1\n  kind: Secret\n  metadata:\n    name: "on"\n    namespace: x\n',
    '- apiVersion: v1\n  kind: >-\n    Secret\n  metadata:\n    name: "on"\n    namespace: x\n',
  ]) {
    assert.equal(item(raw).identity, expected, raw);
  }
  assert.equal(
    new Item('{"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "on", "namespace": "x"}}', 0, -1)
      .identity,
    expected,
  );
});

test('absent, wrong and unreadable parts are empty, never an exception', () => {
  assert.equal(item('- kind: Kustomization\n').identity, identity('', 'Kustomization', '', ''));
  assert.equal(item('- metadata:\n    name: 12\n').identity, identity('', '', '', '12'));
  assert.equal(item('- metadata: [1]\n  kind: {}\n').identity, identity('', '', '', ''));
  for (const raw of ['-\n', '- a: "x\n', '- 1\n', '- - a\n', '', '-', '- a: 1\n  a: 2\n', '- \0', '- *x\n']) {
    assert.equal(item(raw).identity, identity('', '', '', ''), raw);
    assert.equal({ ...item(raw).annotations }, {}, raw);
  }
});

test('continued lines are not cut off', () => {
  const folded =
    '- kind: Two\n    Words\n  metadata:\n    name: a\n\n      b\n    namespace: c\n  apiVersion: v1\n';
  assert.equal(item(folded).identity, identity('v1', 'Two Words', 'c', 'a\nb'));
});

test('annotation names that JavaScript treats specially', () => {
  const special = item('- metadata:\n    annotations:\n      a: b\n');
  assert.is(special.annotations.constructor, undefined);
  assert.is(special.annotations.toString, undefined);
  const own = item('- metadata:\n    annotations: {__proto__: x}\n').annotations;
  assert.equal(Object.entries(own), [['__proto__', 'x']]);
});

test('annotations that are numbers and booleans are given as text', () => {
  const raw =
    '- metadata:\n    annotations:\n      a: 0\n      b: true\n      c: 0644\n      d: ~\n      e: [x]\n      f: yes\n';
  assert.equal({ ...item(raw).annotations }, { a: '0', b: 'true', c: '420', f: 'true' });
});

test('the value is read as kubectl would, once', () => {
  const one = item('- mode: 0644\n  flag: on\n  when: 12:30\n');
  assert.equal(one.value(), { mode: 420, flag: true, when: '12:30' });
  assert.is(one.value(), one.value());
  assert.equal(item('- a: |2\n      x\n    y\n  b: 1\n', 2).value === undefined, false);
});

test('errors name the line within the item', () => {
  const lineOf = (raw: string) => {
    try {
      item(raw).value();
    } catch (error) {
      if (error instanceof ItemSyntaxError) return error.line;
    }
    throw new Error('no ItemSyntaxError');
  };
  assert.is(lineOf('- a: 1\n  b: 2\n  a: 3\n'), 3);
  assert.is(lineOf('- a: 1\n  b: *gone\n'), 2);
  for (const raw of ['-\n', '- x\n', '- [a]\n', '- null\n', '- a: 1\n- b: 1\n', `- ${'['.repeat(50_000)}`])
    lineOf(raw);
});

test('an item written from a value reads back as that value', () => {
  const value = { kind: 'X', metadata: { name: 'n' }, data: { s: 'a\nb\n' } };
  const made = Item.fromValue(value, 3);
  assert.is(made.position, 3);
  assert.equal(new Item(made.raw, 0, 0).value(), value);
  assert.equal(made.identity, identity('', 'X', '', 'n'));
});

test.run();
