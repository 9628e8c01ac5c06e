import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject, JsonValue } from '../../src/krm/json.ts';
import { parseKubernetesYaml, YamlError } from '../../src/krm/yaml.ts';

const scalar = (text: string): JsonValue | undefined => (parseKubernetesYaml(`a: ${text}`) as JsonObject).a;

function failure(text: string): YamlError {
  try {
    parseKubernetesYaml(text);
  } catch (error) {
    if (error instanceof YamlError) return error;
    throw error;
  }
  throw new Error(`was read: ${text}`);
}

test('unquoted scalars mean what they mean to kubectl', () => {
  const expected: [string, JsonValue][] = [
    ['yes Yes YES on On ON y Y true', true],
    ['no No NO off Off OFF n N false', false],
    ['null Null ~', null],
    ['0644 +0644 0o644 0x1a4 0b110100100 4_2_0 420', 420],
    ['-0b11 -3 -0x3 -03', -3],
    ['08 8 8.', 8],
    ['1e3 1.0e+3 1_000.0', 1000],
    ['.5 0.5 5e-1', 0.5],
  ];
  for (const [words, value] of expected) {
    for (const word of words.split(' ')) assert.is(scalar(word), value, word);
  }
});

test('what only other YAML readers convert stays text', () => {
  const texts =
    'yEs oN nULL tRUE 12:30:45 2024-01-01 2001-12-14T21:59:43Z 1.2.3 0x 0b2 0o8 1e 16Gi _1 . -- + v1 =';
  for (const text of texts.split(' ')) assert.is(scalar(text), text);
  for (const text of ['"on"', "'0644'", '"1"', '!!str 1', '! 1', '|-\n  on'])
    assert.type(scalar(text), 'string', text);
});

test('explicit tags', () => {
  assert.is(scalar('!!int "3"'), 3);
  assert.is(scalar('!!null x'), null);
  assert.is(scalar('!!timestamp 2001-01-01'), '2001-01-01');
  assert.is(scalar('!!binary aGk='), 'hi');
  assert.is(scalar('!unknown x'), 'x');
});

test('keys become text, as they do in JSON', () => {
  assert.equal(parseKubernetesYaml('on: 1\n0644: 2\n1.5: 3\n"x": 4\n'), { true: 1, 420: 2, 1.5: 3, x: 4 });
});

test('merge keys fill in what the mapping itself does not say', () => {
  const text = 'a: &a {k: 1, m: 1}\nb: {k: 2, <<: *a}\nc: {<<: [{k: 3}, *a]}\nd: {"<<": 1}\n';
  assert.equal(parseKubernetesYaml(text), {
    a: { k: 1, m: 1 },
    b: { k: 2, m: 1 },
    c: { k: 3, m: 1 },
    d: { '<<': 1 },
  });
  assert.match(failure('<<: 1').message, 'merge key');
});

test('aliases mean what they meant where they stand, and are copies', () => {
  const read = parseKubernetesYaml('a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y\ne: *x\n') as JsonObject;
  assert.equal(read, { a: 1, b: [1], c: 2, d: [1], e: 2 });
  assert.is.not(read.b, read.d);
});

test('names that JavaScript treats specially are plain members', () => {
  const read = parseKubernetesYaml(
    '__proto__: {polluted: 1}\nconstructor: 2\nhasOwnProperty: 3\n',
  ) as JsonObject;
  assert.equal(Object.keys(read), ['__proto__', 'constructor', 'hasOwnProperty']);
  assert.is(Object.getPrototypeOf(read), Object.prototype);
  assert.is(({} as JsonObject).polluted, undefined);
  assert.match(failure('__proto__: 1\n__proto__: 2').message, 'duplicate key');
});

test('errors name the line', () => {
  const cases: [string, RegExp, number][] = [
    ['a: 1\nb: 2\na: 3\n', /duplicate key "a"/, 3],
    ['on: 1\ntrue: 2\n', /duplicate key "true"/, 2],
    ['a: 1\nb: *nobody\n', /unresolved alias \*nobody/, 2],
    ['a: 1\nb: &b [*b]\n', /contains itself/, 2],
    ['a:\n  - .nan\n', /JSON/, 2],
    ['a: 1\n? [x]\n: 1\n', /mapping key/, 2],
    ['~: 1\n', /mapping key/, 1],
    ['a: 1\n---\nb: 1\n', /more than one/, 2],
    ['a: 1\nb: "x\n', /quote/, 3],
  ];
  for (const [text, message, line] of cases) {
    assert.match(failure(text).message, message);
    assert.is(failure(text).line, line, text);
  }
});

test('hostile input costs little and ends in an error', () => {
  const bomb = Array.from(
    { length: 40 },
    (_, i) => `a${i}: &a${i} [${i ? `*a${i - 1},*a${i - 1}` : 1}]`,
  ).join('\n');
  assert.match(failure(bomb).message, 'too many aliases');
  assert.match(failure('['.repeat(100_000)).message, 'nested too deeply');
  assert.match(failure(`${'['.repeat(600)}${']'.repeat(600)}`).message, 'nested too deeply');
  assert.match(failure('- '.repeat(20_000)).message, 'nested too deeply');
  const many = Array.from({ length: 20_000 }, (_, i) => `k${i}: ${i}`).join('\n');
  assert.is(Object.keys(parseKubernetesYaml(many) as JsonObject).length, 20_000);
});

test('empty text is null', () => {
  for (const text of ['', '\n', '# comment\n', '---\n', 'null']) assert.is(parseKubernetesYaml(text), null);
});

test.run();
