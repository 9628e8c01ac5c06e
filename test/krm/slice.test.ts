import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Layout } from '../../src/krm/layout.ts';
import { ShapeError, sliceTree } from '../../src/krm/slice-cst.ts';
import { sliceLines } from '../../src/krm/slice-lines.ts';
import { YamlError } from '../../src/krm/yaml.ts';
import { listOf, resourceLists } from './lists.ts';

const itemsOf = ({ text, starts, ends }: Layout) =>
  starts.map((start, index) => text.slice(start, ends[index]));

test('both slicers agree on every list the fast one takes', () => {
  fc.assert(
    fc.property(resourceLists, ({ text, count }) => {
      const layout = sliceLines(text);
      assert.equal(layout?.starts.length, count);
      assert.equal(layout, sliceTree(text));
    }),
    { numRuns: 150 },
  );
});

test('an item runs from its dash to the next item, comments included', () => {
  const text = listOf(
    '- a: |\n    - not an item\n\n# about the first\n  # too\n',
    '- b: 1\n',
    'functionConfig: {}\n',
  );
  const layout = sliceTree(text);
  assert.equal(itemsOf(layout), ['- a: |\n    - not an item\n\n# about the first\n  # too\n', '- b: 1\n']);
  assert.equal(layout.sections.at(-1), { key: 'functionConfig', text: 'functionConfig: {}\n' });
});

test('entries of an indented list', () => {
  const text = 'kind: ResourceList\nitems:\n# head\n  - a: 1\n    b: 2\n # odd\n  -\n    c: 3\nresults: x\n';
  const layout = sliceLines(text);
  assert.ok(layout);
  assert.equal(layout, sliceTree(text));
  assert.equal(itemsOf(layout), ['- a: 1\n    b: 2\n # odd\n', '-\n    c: 3\n']);
  assert.is(layout.itemColumn, 2);
  assert.is(layout.sections[1]?.text, 'items:\n# head\n');
});

test('the fast slicer leaves every unusual shape to the exact one', () => {
  const usual = 'kind: ResourceList\nitems:\n- a: 1\n';
  assert.ok(sliceLines(usual));
  for (const text of [
    '',
    '# only a comment\n',
    `---\n${usual}`,
    `${usual}---\n`,
    `${usual}...\n`,
    `%YAML 1.1\n---\n${usual}`,
    usual.replaceAll('\n', '\r\n'),
    usual.replace('- a', '\r- a'),
    '{"kind": "ResourceList", "items": []}\n',
    usual.replace('items', '"items"'),
    usual.replace('items', '? items\n'),
    usual.replace('items:', 'items: &a'),
    usual.replace('items:', 'items: # all'),
    usual.replace('\n- a: 1', ' []'),
    usual.replace('\n- a: 1', ' null'),
    usual.replace('\n- a: 1', '\n  a: 1'),
    usual.replace('ResourceList', '"ResourceList"'),
    `${usual}functionConfig: {a: 1}\n`,
    `${usual}functionConfig: "a\n  b"\n`,
    `${usual}functionConfig: |\n  a\n`,
    `${usual}items:\n- a: 2\n`,
    `${usual}kind: Other\n`,
    `${usual}"x": 1\n`,
    `${usual}unknown: 1\n`,
    `${usual}\tx: 1\n`,
    `${usual} - b: 1\n`.replace('- a', '  - a'),
    `  ${usual}`,
  ]) {
    assert.is(sliceLines(text), undefined, JSON.stringify(text));
  }
});

test('the exact slicer takes every valid shape', () => {
  const cases: [string, Layout['root'], Layout['style'], string[]][] = [
    ['---\nitems:\n- a: 1\n...\n', 'block', 'block', ['- a: 1\n']],
    ['%YAML 1.1\n# c\n---\nitems:\n- a: 1\n', 'block', 'block', ['- a: 1\n']],
    ['items:\r\n- a: 1\r\n- b: 2\r\nkind: x\r\n', 'block', 'block', ['- a: 1\r\n', '- b: 2\r\n']],
    ['"items":\n  - a: 1\n', 'block', 'block', ['- a: 1\n']],
    ['? items\n: - a: 1\n  - b: 1\n', 'block', 'block', ['- a: 1\n', '- b: 1\n']],
    ['items: !!seq # c\n- a: 1\n', 'block', 'block', ['- a: 1\n']],
    [
      'items: [a: 1, {b: 2}, # c\n  &x {c: [}]\n'.replace('[}', '[]}'),
      'block',
      'flow',
      ['a: 1', '{b: 2}', '&x {c: []}'],
    ],
    ['items: []\n', 'block', 'block', []],
    ['items: ~\nkind: x\n', 'block', 'block', []],
    ['kind: x\n', 'block', 'block', []],
    ['  kind: x\n  items:\n  - a: 1\n', 'block', 'block', ['- a: 1\n']],
    ['{"items": [ {"a": "]"} , {"b": [\n{}]}\n]}', 'flow', 'flow', ['{"a": "]"}', '{"b": [\n{}]}']],
    ['--- {items: [{}], kind: x}\n---\n', 'flow', 'flow', ['{}']],
    ['{kind: x}', 'flow', 'flow', []],
    ['{items: , kind: x}', 'flow', 'flow', []],
  ];
  for (const [text, root, style, items] of cases) {
    const layout = sliceTree(text);
    assert.equal([layout.root, layout.style, itemsOf(layout)], [root, style, items], JSON.stringify(text));
  }
});

test('only one document may have content; directives above it are kept, ends are not', () => {
  assert.throws(
    () => sliceTree('a: 1\n---\nb: 1\n'),
    (error: unknown) => error instanceof ShapeError,
  );
  const layout = sliceTree('---\n# empty\n---\n# head\nkind: x\n...\n# foot\n---\n');
  assert.is(layout.preamble, '---\n# head\n');
  assert.equal(layout.sections, [{ key: 'kind', text: 'kind: x\n' }]);
});

test('what is not a list of items, or not YAML, is refused', () => {
  for (const text of [
    'items: x\n',
    'items: {a: 1}\n',
    'items: *a\n',
    'text',
    '- a\n',
    '[a]',
    '',
    '? [a]\n: b\n',
    'a: 1\na: 2\n',
  ]) {
    assert.throws(
      () => sliceTree(text),
      (error: unknown) => error instanceof ShapeError,
      text,
    );
  }
  for (const text of ['a: "x', 'a: {', 'a: [1\nb: 2', 'a: b: c', '@', '{"a": 1}}', 'a:\n\t- b']) {
    assert.throws(
      () => sliceTree(text),
      (error: unknown) => error instanceof YamlError,
      text,
    );
  }
});

test('a next item is never swallowed by bad indentation that the parser overlooks', () => {
  const text = 'items:\n- \n ? - x\n  "x\n- b: 1\n';
  assert.throws(
    () => sliceTree(text),
    (error: unknown) => error instanceof YamlError && error.line === 5,
  );
});

test('deep nesting is an error, not a crash', () => {
  for (const text of [
    `a: ${'['.repeat(50_000)}`,
    '- '.repeat(50_000),
    `{"items": ${'{"a":'.repeat(50_000)}`,
  ]) {
    assert.throws(
      () => sliceTree(text),
      (error: unknown) => error instanceof YamlError || error instanceof ShapeError,
    );
  }
});

test.run();
