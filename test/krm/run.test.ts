import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject, JsonValue } from '../../src/krm/json.ts';
import { readResourceList } from '../../src/krm/resource-list.ts';
import { runFunction, type Transform } from '../../src/krm/run.ts';
import { parseKubernetesYaml } from '../../src/krm/yaml.ts';
import { listOf, resourceLists } from './lists.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const pass: Transform = ({ items }) => ({ outputs: items, results: [] });
const resultsIn = (stdout: string): JsonValue | undefined =>
  (parseKubernetesYaml(stdout) as JsonObject).results;
const text = listOf("- mode: 0644 # c\n  flag: 'on'\n", '- kind: B\n');

test('success: outputs and results, exit 0, only warnings on stderr', () => {
  const outcome = runFunction(bytes(text), ({ items }) => ({
    outputs: [...items, { kind: 'C' }],
    results: [
      { message: 'fyi', severity: 'info' },
      { message: 'careful', severity: 'warning' },
    ],
  }));
  assert.is(outcome.exitCode, 0);
  assert.is(outcome.stderr, 'warning: careful\n');
  assert.ok(outcome.stdout.startsWith(`${text}- kind: C\nresults:\n- message: careful\n`));
});

test('an error result: exit 1, the original items, errors first', () => {
  const outcome = runFunction(bytes(text), () => ({
    outputs: [],
    results: [
      { message: 'careful', severity: 'warning' },
      { message: 'broken', severity: 'error' },
    ],
  }));
  assert.is(outcome.exitCode, 1);
  assert.is(outcome.stderr, 'error: broken\nwarning: careful\n');
  assert.ok(outcome.stdout.startsWith(`${text}results:\n- message: broken\n  severity: error\n`));
});

test('input that is no ResourceList: an empty one with the reason, exit 1', () => {
  for (const input of ['', 'kind: ConfigMap\n', '{', '\0', 'a: "']) {
    const outcome = runFunction(bytes(input), pass);
    assert.is(outcome.exitCode, 1, input);
    assert.match(outcome.stderr, /^error: standard input/);
    assert.is(outcome.stderr.trimEnd().split('\n').length, 1);
    assert.equal(readResourceList(outcome.stdout).items, []);
    assert.is((resultsIn(outcome.stdout) as JsonObject[])[0]?.severity, 'error');
  }
});

test('bytes that are not UTF-8 are refused, a byte order mark is not', () => {
  const broken = Uint8Array.from([...bytes(text), 0xc3, 0x28]);
  assert.match(runFunction(broken, pass).stderr, /not valid UTF-8/);
  assert.is(runFunction(broken, pass).exitCode, 1);
  assert.is(runFunction(bytes(`\ufeff${text}`), pass).stdout, text);
});

test('an exception is a bug: exit 70, the original items, the stack on stderr', () => {
  const outcome = runFunction(bytes(text), () => {
    throw new Error('oops');
  });
  assert.is(outcome.exitCode, 70);
  assert.ok(outcome.stdout.startsWith(`${text}results:\n`));
  assert.match(outcome.stdout, 'internal error: Error: oops');
  assert.match(outcome.stderr, /error: internal error: Error: oops\nError: oops\n\s+at /);
  assert.is(runFunction(bytes(text), () => ({ outputs: [{ n: Number.NaN }], results: [] })).exitCode, 70);
  const thrown = runFunction(bytes(text), () => {
    throw null;
  });
  assert.is(thrown.exitCode, 70);
});

test('whatever comes in, a readable ResourceList goes out and foreign items stay', () => {
  const end = Date.now() + 1500;
  const pieces = [
    '\n',
    ' ',
    '- ',
    '#',
    ':',
    '"',
    "'",
    '{',
    ']',
    '---\n',
    '\t',
    '\r',
    '\0',
    '&a ',
    '*a',
    '|\n',
    '? ',
    '\n- - ',
    'é',
    '%',
  ];
  const edit = fc.record({ at: fc.nat(), remove: fc.nat(6), insert: fc.constantFrom('', ...pieces) });
  fc.assert(
    fc.property(
      resourceLists,
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      ({ text: original }, edits) => {
        let mutated = original;
        for (const { at, remove, insert } of edits) {
          const from = at % (mutated.length + 1);
          mutated = mutated.slice(0, from) + insert + mutated.slice(from + remove);
        }
        let seen: readonly string[] = [];
        const outcome = runFunction(bytes(mutated), ({ items }) => {
          seen = items.map((item) => {
            assert.type(item.identity.name, 'string');
            assert.type(item.annotations, 'object');
            return item.raw;
          });
          return { outputs: items, results: [{ message: 'm', severity: 'warning' }] };
        });
        assert.not.equal(outcome.exitCode, 70, outcome.stderr);
        const written = readResourceList(outcome.stdout).items.map(({ raw }) => raw);
        assert.equal(
          written.map((raw) => raw.trimEnd()),
          seen.map((raw) => raw.trimEnd()),
        );
      },
    ),
    { numRuns: 3000, interruptAfterTimeLimit: end - Date.now(), markInterruptAsFailure: false },
  );
});

test.run();
