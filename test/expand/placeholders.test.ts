import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePlaceholders } from '../../src/expand/placeholders.ts';
import { cpuMsSince, cpuTime } from '../cpu-time.ts';
import { TAGS, TEXTS } from '../fuzz/hostile.ts';

/** The script with each lookup written as <path|filters>. */
function shown(script: string): string {
  const { parts, errors } = parsePlaceholders(script);
  assert.equal(errors, [], script);
  return parts
    .map((part) =>
      'text' in part
        ? part.text
        : `<${[part.lookup.join('.'), ...part.filters.map(({ name, argument = '' }) => name + argument)].join('|')}>`,
    )
    .join('');
}

test('lookups, trim markers, comments and literals mean what they mean in Go', () => {
  const expected: Record<string, string> = {
    'a {{ .Params.x }} b': 'a <Params.x> b',
    '{{.Params.x}}': '<Params.x>',
    'a \n {{- .Params.x -}} \n b': 'a<Params.x>b',
    'a {{- /* note */ -}} b': 'ab',
    'a {{/* }} */}} b': 'a  b',
    'a {{/* two\nlines */ -}}\n b': 'a b',
    '{{ "{{ .x }}" }}': '{{ .x }}',
    '{{`}}`}}{{ "a\\"b\\n" }}': '}}a"b\n',
    'a\u00a0{{- .Params.x }}': 'a\u00a0<Params.x>',
    '}} is text': '}} is text',
    '{ { .x } }': '{ { .x } }',
    '{{ .a.b | quote | default "x y" }}': '<a.b|quote|defaultx y>',
    '{{ .a|trim|upper }}': '<a|trim|upper>',
    '{{ .Params.\n x }}': '',
  };
  for (const [script, text] of Object.entries(expected)) {
    if (text === '') assert.ok(parsePlaceholders(script).errors.length > 0, script);
    else assert.is(shown(script), text, script);
  }
});

test('whatever is not a lookup is refused, with its line', () => {
  const tags = [
    ...[
      '{{ if .x }}',
      '{{ .x.y() }}',
      '{{ .x[0] }}',
      '{{ x }}',
      '{{ . }}',
      '{{ $x }}',
      '{{ .x | eval }}',
      '{{ .x + 1 }}',
    ],
    ...[
      '{{ .x | default }}',
      '{{ .x | upper "a" }}',
      '{{ }}',
      '{{',
      '{{ "',
      '{{ {{ .x }} }}',
      '{{/* a */ .x }}',
      '{{ .x y }}',
    ],
    ...[
      '{{ .constructor.constructor("return process")() }}',
      '{{ `a` `b` }}',
      '{{ ..x }}',
      '{{ .x. }}',
      '{{ ${1} }}',
    ],
  ];
  for (const tag of tags) {
    const { errors } = parsePlaceholders(`one\ntwo ${tag}\n`);
    assert.is(errors[0]?.line, 2, tag);
  }
});

test('a script of mistakes gives no more of them than anybody reads', () => {
  assert.is(parsePlaceholders('{{ if }}'.repeat(10_000)).errors.length, 20);
});

test('text without tags is unchanged', () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('{{'));
  fc.assert(fc.property(text, (value) => shown(value) === value));
});

test('no script at all throws, and text around a tag is kept', () => {
  const piece = fc.oneof(fc.constantFrom(...TAGS, ...TEXTS), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const { parts, errors } = parsePlaceholders(pieces.join(''));
      return Array.isArray(parts) && Array.isArray(errors);
    }),
  );
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !/[{}]/.test(value));
  fc.assert(
    fc.property(text, text, (before, after) => shown(`${before}{{ .a }}${after}`) === `${before}<a>${after}`),
  );
});

test('reading takes time in proportion to the script', () => {
  for (const piece of [
    '{{ .Params.x }} ',
    '{{/* x */}}',
    ' {{- .x -}} ',
    '{{ "x" }}',
    '{ {',
    '{{ .x | trim | trim }}',
  ]) {
    const script = piece.repeat(20_000);
    const start = cpuTime();
    parsePlaceholders(script);
    assert.ok(cpuMsSince(start) < 500, piece);
  }
});

test.run();
