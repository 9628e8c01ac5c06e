import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, countOf } from '../../bench/shared/arguments.ts';
import { bytesText, figure, replaceSection, table } from '../../bench/shared/markdown.ts';

const PAGE =
  'before\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n<!-- b: begin -->\nkept\n<!-- b: end -->\n';

test('only what stands between the markers is renewed', () => {
  const renewed = replaceSection(PAGE, 'a', '\nnew\n\n');
  assert.is(renewed, PAGE.replace('old', '\nnew\n'));
  assert.is(replaceSection(renewed, 'a', 'new'), renewed);
});

test('a page without the markers is an error, rather than left as it is', () => {
  assert.throws(() => replaceSection(PAGE, 'c', 'new'), /no markers "c"/);
});

test('bars in cells do not make columns', () => {
  const [head, rule, row] = table(['', 'MB/s'], [['age | curl', 12]]).split('\n');
  assert.is(head, '|  | MB/s |');
  assert.is(rule, '| --- | ---: |');
  assert.is(row, '| age \\| curl | 12 |');
});

test('figures have as many digits as can be compared', () => {
  assert.equal([0.1234, 4.567, 23.45, 1234.5].map(figure), ['0.12', '4.57', '23.4', '1,235']);
  assert.is(figure(Number.NaN), '–');
});

test('bytes are in a unit that a person reads', () => {
  assert.equal([512, 2 ** 30, 1.5 * 2 ** 20].map(bytesText), ['512 B', '1 GiB', '1.50 MiB']);
});

test('sizes and numbers on the command line are read or refused', () => {
  assert.is(bytesOf('512MiB'), 512 * 2 ** 20);
  assert.is(bytesOf('5GiB'), 5 * 2 ** 30);
  for (const wrong of ['512', '0MiB', '5GB', 'x']) assert.throws(() => bytesOf(wrong), /--size/);
  assert.is(countOf('--runs', undefined), undefined);
  assert.is(countOf('--runs', '7'), 7);
  for (const wrong of ['0', '-1', '1.5', 'many']) assert.throws(() => countOf('--runs', wrong), /--runs/);
});

test.run();
