import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { median, ratioOfRounds, rounded, summarize } from '../../bench/shared/statistics.ts';

test('a median is a value that was measured', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 3, 2]), 2);
  assert.is(median([7]), 7);
});

test('nothing measured is no number, rather than 0', () => {
  assert.ok(Number.isNaN(median([])));
  assert.is(summarize([]).runs, 0);
});

test('a summary says how far the rest is from the median', () => {
  const { runs, median: middle, min, max, lowerQuartile, upperQuartile } = summarize([9, 1, 5, 3, 7]);
  assert.equal([runs, min, lowerQuartile, middle, upperQuartile, max], [5, 1, 3, 5, 7, 9]);
});

test('measuring does not change what was measured', () => {
  const values = [3, 1, 2];
  summarize(values);
  assert.equal(values, [3, 1, 2]);
});

test('ratios are taken round by round, so that a slow round falls upon both', () => {
  assert.is(ratioOfRounds([10, 100, 10], [5, 50, 10]), 2);
});

test('four digits are kept', () => {
  assert.is(rounded(123_456), 123_500);
  assert.is(rounded(0.000123456), 0.0001235);
});

test.run();
