/** Sizes, durations, names, windows and quotas: the tables of the compatibility document. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { describeDuration, parseAge, parseDuration } from '../../../src/server/collections/durations.ts';
import { contentDisposition, filenameOf, newObjectKey } from '../../../src/server/collections/names.ts';
import { mostBytes } from '../../../src/server/collections/quota.ts';
import { parseSize } from '../../../src/server/collections/sizes.ts';
import { isOpen, lastClosedSlot, slotsBefore } from '../../../src/server/collections/windows.ts';

const test = suite('limits of collections');

test('sizes are powers of 1024', () => {
  assert.is(parseSize('50G') * 30, 1500 * 1024 ** 3);
  assert.equal(['7B', '1K', '1M', '1T'].map(parseSize), [7, 1024, 1024 ** 2, 1024 ** 4]);
  for (const wrong of ['', '1', 'G', '1KB', '1.5G', '-1M', '1g', '999999999999T'])
    assert.throws(() => parseSize(wrong), /is not a size/, wrong);
});

test('durations and ages', () => {
  assert.equal(
    ['45s', '30m', '1h30m', '180m'].map(parseDuration),
    [45_000, 1_800_000, 5_400_000, 10_800_000],
  );
  assert.equal(
    ['36h', '7d', '2w', '1y'].map((age) => parseAge(age) / 3_600_000),
    [36, 168, 336, 8760],
  );
  for (const wrong of ['5', 'x', '1d']) assert.throws(() => parseDuration(wrong), /is not a duration/);
  for (const wrong of ['5', '0d', '1h30m'])
    assert.throws(() => parseAge(wrong), /is not a age|is not an age/);
  assert.equal([0, 59_000, 3_600_000, 93_600_000].map(describeDuration), ['0s', '59s', '1h', '1d 2h']);
});

test('names: the first placeholder only; keys never repeat and stay in their folder', () => {
  assert.is(filenameOf('iwa-ait-${version}.tar.gz', 32), 'iwa-ait-32.tar.gz');
  assert.is(filenameOf('${version}/${version}', 1), '1/${version}');
  assert.is(filenameOf('a-${version}', 5).includes('$'), false);
  assert.not.equal(newObjectKey('c', 1, 'same'), newObjectKey('c', 1, 'same'));
  for (const odd of ['../../etc/passwd', '..', 'a/b', 'ä\u0000', 'x'.repeat(400)]) {
    assert.match(
      newObjectKey(odd, 1, odd),
      /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,149}\/1-[0-9a-f]{12}-[A-Za-z0-9._-]{0,150}$/,
    );
  }
  assert.is(contentDisposition('a b.gpg'), 'attachment; filename="a b.gpg"');
  assert.is(contentDisposition('a"\r\nb'), `attachment; filename="a___b"; filename*=UTF-8''a%22%0D%0Ab`);
});

const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);
const half = { from: '*/30 * * * *', duration: '10m', timeZone: 'Etc/UTC' };

test('windows: the table of the original: the exact start is the previous run', () => {
  assert.is(slotsBefore(half, at('01:35:05'), 1)[0]?.start, at('01:30:00'));
  assert.is(slotsBefore(half, at('01:30:00'), 1)[0]?.start, at('01:00:00'));
});

test('windows: both ends are outside; none means always; any of several is enough', () => {
  const open = (time: string) => isOpen([half], at(time));
  assert.is(open('01:30:00'), false);
  assert.is(open('01:30:01'), true);
  assert.is(open('01:39:59'), true);
  assert.is(open('01:40:00'), false);
  assert.is(isOpen(undefined, at('01:45:00')), true);
  assert.is(isOpen([], at('01:45:00')), true);
  assert.is(
    isOpen([half, { from: '40 1 * * *', duration: '1h', timeZone: 'Etc/UTC' }], at('01:45:00')),
    true,
  );
  assert.is(
    isOpen([{ from: '0 0 30 2 *', duration: '24h', timeZone: 'Etc/UTC' }], at('01:00:00')),
    false,
    'never',
  );
  assert.is(
    isOpen([{ from: '0 1 * *', duration: '1h', timeZone: 'Etc/UTC' }], at('01:30:00')),
    true,
    'four fields',
  );
  assert.is(isOpen([{ from: '@hourly', duration: '31m', timeZone: 'Etc/UTC' }], at('01:30:00')), true);
});

test('windows: in the time zone that they name, across its changes', () => {
  const night = { from: '30 2 * * *', duration: '1h', timeZone: 'Europe/Warsaw' };
  assert.is(isOpen([night], at('01:45:00')), true);
  assert.is(isOpen([night], at('02:45:00')), false);
  assert.is(isOpen([night], Date.parse('2026-07-01T00:45:00Z')), true);
  // 2:30 does not exist on this day: it is the first minute behind the gap.
  assert.is(isOpen([night], Date.parse('2026-03-29T01:15:00Z')), true);
});

test('windows: the last one that is over', () => {
  assert.is(lastClosedSlot(half, at('01:35:00'))?.start, at('01:00:00'));
  assert.is(lastClosedSlot(half, at('01:40:00'))?.start, at('01:30:00'));
});

test('windows: the last one that is over, where one begins before another has ended', () => {
  const of = (from: string, duration: string) => ({ from, duration, timeZone: 'Etc/UTC' });
  const last = (window: ReturnType<typeof of>, now: number) => {
    const { start, end } = lastClosedSlot(window, now) ?? {};
    return [start, end].map((time) => time && new Date(time).toISOString().slice(8, 16));
  };
  const often = of('*/30 * * * *', '1h');
  assert.equal(last(often, at('05:10:00')), ['01T04:00', '01T05:00']);
  assert.equal(last(often, at('05:29:59')), ['01T04:00', '01T05:00']);
  assert.equal(last(often, at('05:30:00')), ['01T04:30', '01T05:30'], 'the end itself is over');
  const hourly = of('0 * * * *', '2h');
  assert.equal(last(hourly, at('05:59:59')), ['01T03:00', '01T05:00']);
  assert.equal(last(hourly, at('06:00:00')), ['01T04:00', '01T06:00']);
  const nightly = of('0 2 * * *', '48h');
  assert.equal(last(nightly, Date.parse('2026-01-10T12:00:00Z')), ['08T02:00', '10T02:00']);
  assert.equal(last(nightly, Date.parse('2026-01-10T01:59:59.999Z')), ['07T02:00', '09T02:00']);
  assert.equal(last(nightly, Date.parse('2026-01-10T02:00:00.001Z')), ['08T02:00', '10T02:00']);
  assert.equal(last(of('0 0 30 2 *', '48h'), at('01:00:00')), [undefined, undefined], 'never');
});

test('quota: extra space is shared; the collection as a whole never grows past its limit', () => {
  const limits = (maxBackupsCount: number, maxOneVersionSize: number, maxCollectionSize: number) => ({
    maxBackupsCount,
    maxOneVersionSize,
    maxCollectionSize,
  });
  const exact = limits(5, 10, 50);
  assert.is(mostBytes(exact, []), 10);
  assert.is(mostBytes(exact, [10, 10, 10, 10]), 10);
  const extra = limits(5, 10, 60);
  assert.is(mostBytes(extra, []), 20);
  assert.is(mostBytes(extra, [5, 5]), 20, 'space that smaller versions leave is not extra space');
  assert.is(mostBytes(extra, [15, 5]), 15);
  assert.is(mostBytes(extra, [20, 10, 10, 10]), 10);
  assert.is(mostBytes(limits(5, 10, 30), []), 10, 'the collection has less than its versions need');
  assert.is(mostBytes(limits(5, 10, 30), [10, 10, 5]), 5);
  assert.is(mostBytes(exact, [10, 10, 10, 10, 10]), 0, 'pinned versions fill the collection');
});

test.run();
