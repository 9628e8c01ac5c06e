import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatAge, table } from '../../src/cli/table.ts';

const test = suite('cli: table');

test('columns are as wide as they must be, and nothing is behind the last', () => {
  assert.is(
    table(
      ['A', 'LONG HEADER', 'C'],
      [
        ['1', 'x', 'last'],
        ['12345', 'y', ''],
      ],
    ),
    ['A      LONG HEADER  C', '1      x            last', '12345  y'].join('\n'),
  );
  assert.is(table(['A', 'B'], []), 'A  B');
});

test('a cell stays a cell', () => {
  const text = table(['A', 'B'], [['one\ntwo\u001b[1m', 'next']]);
  assert.is(text, 'A            B\none two [1m  next');
});

test('ages, in one unit', () => {
  const hour = 3_600_000;
  for (const [age, text] of [
    [-5, 'just now'],
    [59_999, 'just now'],
    [60_000, '1 minute ago'],
    [59 * 60_000, '59 minutes ago'],
    [hour, '1 hour ago'],
    [23.9 * hour, '23 hours ago'],
    [24 * hour, '1 day ago'],
    [240 * hour, '10 days ago'],
    [Number.NaN, 'unknown'],
  ] as const)
    assert.is(formatAge(age), text);
});

test.run();
