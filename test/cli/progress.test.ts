import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { describeProgress, formatBytes, formatSeconds } from '../../src/cli/progress.ts';

const test = suite('cli: progress');

test('bytes: powers of 1024 with three digits, never four and a half', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1536, '1.50 KiB'],
    [10 * 1024, '10.0 KiB'],
    [999 * 1024, '999 KiB'],
    [1023 * 1024, '1023 KiB'],
    [1023.6 * 1024, '1.00 MiB'],
    [1.46 * 1024 ** 3, '1.46 GiB'],
    [5000 * 1024 ** 5, '5000 PiB'],
  ] as const)
    assert.is(formatBytes(bytes), text);
});

test('seconds, as a clock has them', () => {
  for (const [seconds, text] of [
    [0, '0:00'],
    [-1, '0:00'],
    [7.4, '0:07'],
    [59.6, '1:00'],
    [723, '12:03'],
    [3723, '1:02:03'],
    [100 * 3600, '100:00:00'],
  ] as const)
    assert.is(formatSeconds(seconds), text);
});

test('how much, how fast, how long; and how long to go where that is known', () => {
  const half = describeProgress({ phase: 'restoring', plain: 40 * 1024 ** 2, stored: 5, total: 10 }, 10_000);
  assert.is(half.text, 'restoring 40.0 MiB  [##########----------] 50 %  4.00 MiB/s  0:10  0:10 left');
  assert.equal(half.fields, {
    bytes: 40 * 1024 ** 2,
    storedBytes: 5,
    totalBytes: 10,
    bytesPerSecond: 4 * 1024 ** 2,
    elapsedSeconds: 10,
    remainingSeconds: 10,
  });
  const endless = describeProgress({ phase: 'uploading', plain: 2048, stored: 1024 }, 1000);
  assert.is(endless.text, 'uploading 2.00 KiB  1.00 KiB stored  2.00 KiB/s  0:01');
  assert.is(endless.fields.remainingSeconds, undefined);
});

test('at the ends nothing is infinite', () => {
  for (const progress of [
    { phase: 'a', plain: 0, stored: 0, total: 10 },
    { phase: 'a', plain: 0, stored: 0, total: 0 },
    { phase: 'a', plain: 1, stored: 11, total: 10 },
    { phase: 'a', plain: 1, stored: 1 },
  ]) {
    const { text } = describeProgress(progress, 0);
    assert.not.match(text, /NaN|Infinity|undefined|-\d|10[1-9] %/);
  }
});

test.run();
