import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { emitItem, emitJson, emitYaml, quote } from '../../src/krm/emit.ts';
import type { JsonObject, JsonValue } from '../../src/krm/json.ts';
import { parseKubernetesYaml } from '../../src/krm/yaml.ts';

const ambiguous = (
  'yes No on OFF y N true Null ~ <<= 0 1_000 0b1 0o7 0644 0x1F 12:30:45 1e3 1.5 .5 .inf -.INF .NaN + - ? : , ' +
  '2024-01-01 2001-12-14t21:59:43.10-05:00 << = ! & * | > % @ ` [ ] { } # --- ... a: a:b :a a#b - 16Gi 100m 1E 1k ' +
  '_1 0 "x" \'x\' $x \\ / /x ./x __proto__ constructor'
).split(' ');
const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    ' a',
    'a ',
    'a: b',
    'a #b',
    'a  b',
    '\t',
    '\ta',
    'a\tb',
    '- a',
    '? a',
    ...ambiguous,
  ),
  fc.constantFrom(
    '\n',
    '\n\n',
    'a\n',
    'a\n\n',
    '\na',
    ' a\nb',
    '\ta\nb',
    'a\n b\n',
    'a\n \n',
    'a\n\n\nb',
    'a \nb',
  ),
  fc.constantFrom(
    'a\r\nb',
    'a\0b',
    '\u0085',
    'a\u2028b\n',
    '\ufeffa\nb',
    '\u00a0\na',
    'é\nü',
    '😀',
    '\u001b[31m',
    '\u007f',
  ),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom(...' \n\t:#-?\'"|>[]{},&*!%@`ab01\\'.split('')), maxLength: 12 }),
  fc.string({ unit: 'binary' }).map((random) => random.toWellFormed()),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((n) => n || 0),
);
const { value: values } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.oneof(fc.constant(null), fc.boolean(), number),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
}));

const data = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('whatever is written is read back by YAML 1.1, YAML 1.2 and kubectl readers alike', () => {
  fc.assert(
    fc.property(values, fc.constantFrom(0, 2, 6), (value, indent) => {
      const yaml = emitYaml(value, indent);
      const expected = data(value);
      for (const version of ['1.1', '1.2'] as const) {
        deepStrictEqual(data(parse(yaml, { version, merge: version === '1.1' })), expected, yaml);
      }
      deepStrictEqual(data(parseKubernetesYaml(yaml)), expected, yaml);
    }),
    { numRuns: 250 },
  );
});

test('items are entries of a list in their column', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(text, values, { maxKeys: 4 }), { minLength: 1 }), (objects) => {
      for (const column of [0, 2]) {
        const yaml = objects.map((object) => ' '.repeat(column) + emitItem(object, column)).join('');
        deepStrictEqual(data(parseKubernetesYaml(`items:\n${yaml}`)), data({ items: objects }), yaml);
      }
    }),
    { numRuns: 100 },
  );
});

test('the style is that of kubectl', () => {
  const object: JsonObject = {
    kind: 'ConfigMap',
    metadata: { name: 'app', labels: {} },
    list: [{ a: 1, b: [] }, 'on', ['x', 2]],
    data: {
      script: 'set -eu\n\necho "hi" # go\n',
      tail: 'a\nb',
      many: 'a\n\n',
      'a b': '0 2 * * *',
      quantity: '16Gi',
    },
  };
  const expected = `kind: ConfigMap
metadata:
  name: app
  labels: {}
list:
- a: 1
  b: []
- "on"
- - x
  - 2
data:
  script: |
    set -eu

    echo "hi" # go
  tail: |-
    a
    b
  many: |+
    a

  a b: "0 2 * * *"
  quantity: 16Gi
`;
  assert.is(emitYaml(object, 0), expected);
});

test('white space at the start of a block gets an indentation indicator', () => {
  assert.is(emitYaml({ a: '  x\ny\n' }, 0), 'a: |2\n    x\n  y\n');
  assert.is(emitYaml({ a: '\nx' }, 2), '  a: |2-\n\n    x\n');
});

test('text that begins with a tab is quoted: kpt would rewrite its block so that nobody can read it', () => {
  assert.is(emitYaml({ a: '\tx\ny' }, 0), 'a: "\\tx\\ny"\n');
  assert.is(emitYaml({ a: '\n\tx' }, 0), 'a: "\\n\\tx"\n');
  assert.is(emitYaml({ a: 'x\n\ty\n' }, 0), 'a: |\n  x\n  \ty\n');
});

test('members that are undefined are left out', () => {
  const object = { a: undefined, b: { c: undefined }, d: 1 } as unknown as JsonObject;
  assert.is(emitYaml(object, 0), 'b: {}\nd: 1\n');
});

test('equal objects are written twice, never as aliases', () => {
  const shared = { x: 1 };
  assert.is(emitYaml({ a: shared, b: shared }, 0), 'a:\n  x: 1\nb:\n  x: 1\n');
});

test('very long keys take the explicit form, which has no length limit', () => {
  const key = 'k'.repeat(2000);
  for (const value of ['v', { a: 1 }, ['x'], [], 'a\nb\n'] as JsonValue[]) {
    assert.equal(parseKubernetesYaml(emitYaml({ [key]: value, z: 1 }, 2)), { [key]: value, z: 1 });
  }
});

test('half a surrogate pair becomes the replacement character', () => {
  assert.is(quote('a\ud800'), '"a\ufffd"');
  assert.is(emitJson({ a: '\udc00' }), '{"a":"\ufffd"}');
  assert.is(emitYaml({ a: 'x\ud800\ny' }, 0), 'a: "x\ufffd\\ny"\n');
});

test('control characters never reach the output', () => {
  const nasty = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join('');
  const printable = /^[\n -~\u00a0]*$/;
  assert.match(emitYaml({ [nasty]: nasty }, 0), printable);
  assert.match(emitJson({ [nasty]: nasty }), printable);
});

test('numbers that JSON cannot hold are refused', () => {
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => emitYaml({ a: number }, 0),
      (error: unknown) => error instanceof TypeError,
    );
  }
});

test.run();
