/** The quick reader against the parser: what it reads at all, it reads alike. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readPlain } from '../../src/krm/read-plain.ts';
import { parseExactly, YamlError } from '../../src/krm/yaml.ts';
import { cpuMsSince, cpuTime } from '../cpu-time.ts';
import { documentsOf, goodCases } from '../resource-lists.ts';

const test = suite('krm: quick reader');

const documents = goodCases().flatMap(({ input }) => documentsOf(input));

/** Shapes that the fixtures do not have. */
const ODD = `a: |
  x

   y
  \

b: |-
  z

# c
c: |+
  k


d:
- - a
  - b: 1
    c: "x"
-
  - q
- 'it''s' # foo
- {}
- []
- 0644
- on
- ~
-
e:
  # foo
  f: a b  c#d:e # tail
  g: .5
  h: {a: b, c: [d, 1, "e f", {g: 'h'}], i: {}, j: [ ]}
`;

const PIECES = [
  ...[
    ' ',
    '  ',
    '\n',
    '- ',
    '-',
    ':',
    ': ',
    '#',
    ' #',
    '|',
    '|-',
    '|+',
    '>',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    ', ',
  ],
  ...[
    'a',
    'on',
    '~',
    '0',
    '&a ',
    '*a',
    '!!str ',
    '? ',
    '---',
    '...',
    '%',
    '  - ',
    '\n\n',
    '\n  ',
    '\n    ',
    '\n#x\n',
  ],
  ...[
    '\n   #x\n',
    'key: |\n  t\n',
    'x:\n',
    '<<: ',
    'a: b\n',
    '\\',
    ',',
    '@',
    '`',
    '.nan',
    '-1',
    '=',
    '$',
    '{a: b}',
  ],
  ...['[a, b]', 'x: {', '\t', '\r', '\u0085', '\ufeff', '__proto__: 1\n', '1e999', 'é'],
];

/** One to four changes: a piece put in, some characters cut out, or some moved. */
const changes = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.option(fc.constantFrom(...PIECES))), {
  minLength: 1,
  maxLength: 4,
});

function change(text: string, edits: readonly [number, number, string | null][]): string {
  return edits.reduce((before, [place, size, piece]) => {
    const at = place % (before.length + 1);
    if (piece !== null) return before.slice(0, at) + piece + before.slice(at);
    if (size % 2 === 0) return before.slice(0, at) + before.slice(at + 1 + (size % 8));
    const from = size % (before.length + 1);
    return before.slice(0, at) + before.slice(from, from + (place % 24)) + before.slice(at);
  }, text);
}

/** What the parser says, in the form in which both are compared. */
function exactly(text: string): string {
  try {
    return JSON.stringify(parseExactly(text));
  } catch (error) {
    if (error instanceof YamlError) return `refused: ${error.message}`;
    throw error;
  }
}

test('reads all fixtures like the parser, and nearly all of them by itself', () => {
  const read = documents.filter((text) => {
    const value = readPlain(text);
    if (value !== undefined) assert.is(JSON.stringify(value), exactly(text));
    return value !== undefined;
  });
  assert.ok(read.length > 0.8 * documents.length, `${read.length} of ${documents.length}`);
});

test('reads the odd shapes that it is made for', () => {
  assert.is(JSON.stringify(readPlain(ODD)), exactly(ODD));
});

test('leaves everything unusual to the parser', () => {
  const texts = [
    ...[
      'a: &b 1\n',
      'a: *b\n',
      'a: !!str 1\n',
      'a: >\n  b\n',
      'a: "\\n"\n',
      '"a": b\n',
      '? a\n: b\n',
      'a: b\n  c\n',
    ],
    ...[
      'on: b\n',
      'a: 1\na: 2\n',
      '<<: {a: b}\n',
      '--- a\n',
      '%YAML 1.2\n',
      'a:\tb\n',
      'a: é\n',
      'a: .inf\n',
      'text\n',
    ],
    ...[
      '__proto__: 1\n',
      'a: |2\n   b\n',
      'a: |\n  b',
      '- a\nb: c\n',
      ' a: b\nc: d\n',
      'a: [b\n',
      'a: {b: c}#\n',
    ],
  ];
  for (const text of texts) assert.is(readPlain(text), undefined, JSON.stringify(text));
});

test('agrees with the parser on everything that it reads, however the text was changed', () => {
  const seeds = [...documents, ODD];
  let read = 0;
  fc.assert(
    fc.property(fc.constantFrom(...seeds), changes, fc.boolean(), (seed, edits, open) => {
      const text = change(seed, edits);
      const whole = open ? text.trimEnd() : text;
      const value = readPlain(whole);
      if (value === undefined) return;
      read++;
      assert.is(JSON.stringify(value), exactly(whole), JSON.stringify(whole));
    }),
    { numRuns: 1500, endOnFailure: true },
  );
  assert.ok(read > 80, `only ${read} were read`);
});

test('is linear in what it refuses at the end', () => {
  for (const text of [
    `a: ${'b '.repeat(200_000)}: c\n`,
    `a: [${'b '.repeat(200_000)}\n`,
    `a: ${' '.repeat(400_000)}\tb\n`,
  ]) {
    const start = cpuTime();
    readPlain(text);
    assert.ok(cpuMsSince(start) < 500, `${Math.round(cpuMsSince(start))} ms`);
  }
});

test.run();
