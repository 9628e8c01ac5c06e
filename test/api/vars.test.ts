import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseVars, scalarText } from '../../src/api/vars.ts';

test('a string of YAML and an object mean the same, whatever the case of the roots', () => {
  const expected = { Params: { port: 5432, ssl: true }, Repository: { url: 'https://a' }, HelmValues: {} };
  const text = 'params: {port: 5432, ssl: on}\nRepository:\n  url: https://a\nhelmValues:\n';
  assert.equal(parseVars(text), { vars: expected, problems: [], readable: true });
  const object = { Params: { port: 5432, ssl: true }, repository: { url: 'https://a' } };
  assert.equal(parseVars(object).vars, expected);
});

test('no vars at all are empty vars', () => {
  for (const vars of [undefined, '', '# nothing yet', {}])
    assert.equal(parseVars(vars), {
      vars: { Params: {}, Repository: {}, HelmValues: {} },
      problems: [],
      readable: true,
    });
});

test('a broken string is reported by its line, and never quoted', () => {
  const { problems, readable } = parseVars('Params:\n  password: "hunter2\n');
  assert.not.ok(readable);
  assert.is(problems.length, 1);
  assert.is(problems[0]?.code, 'syntax');
  assert.not.match(JSON.stringify(problems), /hunter2/);
});

test('values that the original ran in a shell of the build machine are refused', () => {
  for (const value of ['$(id)', 'a${HOME}b']) {
    const { problems } = parseVars({ HelmValues: { env: { A: value } } });
    assert.equal(
      problems.map(({ code, path }) => [code, path]),
      [['code-in-input', 'spec.vars.HelmValues.env.A']],
    );
  }
  assert.equal(parseVars({ HelmValues: { env: { A: 'costs 5$', B: '$HOME' } } }).problems, []);
});

test('names that every object has are names like any other', () => {
  const { vars, problems } = parseVars('Params:\n  __proto__: {polluted: 1}\n  constructor: x\n');
  assert.equal(problems, []);
  assert.equal(Object.keys(vars.Params), ['__proto__', 'constructor']);
  assert.is(({} as { polluted?: number }).polluted, undefined);
  assert.match(JSON.stringify(parseVars('__proto__: {a: 1}').problems), /unknown-field/);
});

test('scalars as text', () => {
  assert.equal([true, 5432, 'a', null, {}, [], undefined].map(scalarText), [
    'true',
    '5432',
    'a',
    ...Array(4).fill(undefined),
  ]);
});

test.run();
