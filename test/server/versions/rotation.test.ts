import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StrategySpec } from '../../../gen/types.ts';
import type { CollectionSpec } from '../../../src/server/configuration/configuration.ts';
import { UnknownStrategy, versionsToRemove } from '../../../src/server/versions/rotation.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = new Date(2026, 5, 17, 12).getTime();

function spec(maxBackupsCount: number, strategyName?: string, strategySpec?: StrategySpec): CollectionSpec {
  return {
    filenameTemplate: 'x',
    maxOneVersionSize: '1M',
    maxCollectionSize: '100M',
    maxBackupsCount,
    ...(strategyName && { strategyName: strategyName as never }),
    ...(strategySpec && { strategySpec }),
  };
}

/** Versions 1, 2, … of these ages, oldest first. */
function versions(...ages: number[]): { versionNumber: number; createdAt: number; pinned: boolean }[] {
  return ages.map((age, index) => ({ versionNumber: index + 1, createdAt: NOW - age, pinned: false }));
}

function removed(stored: ReturnType<typeof versions>, settings: CollectionSpec): number[] {
  return versionsToRemove(stored, settings, NOW).map(({ versionNumber }) => versionNumber);
}

const test = suite('rotation');

test('fifo: the table of the original: five stored, one more comes', () => {
  const six = versions(6 * DAY, 5 * DAY, 4 * DAY, 3 * DAY, 2 * DAY, 0);
  const table: Record<number, number[]> = {
    7: [],
    6: [],
    5: [1],
    4: [1, 2],
    3: [1, 2, 3],
    2: [1, 2, 3, 4],
    1: [1, 2, 3, 4, 5],
  };
  for (const [max, expected] of Object.entries(table)) {
    assert.equal(removed(six, spec(Number(max), 'fifo')), expected, max);
    assert.equal(removed(six, spec(Number(max))), expected, 'fifo is the default');
  }
});

test('pinned versions are kept besides, and young ones until they are old enough', () => {
  const stored = versions(5 * DAY, 4 * DAY, 3 * DAY, 2 * DAY, 0);
  const withPin = stored.map((version) => ({ ...version, pinned: version.versionNumber === 1 }));
  assert.equal(removed(withPin, spec(2)), [2, 3]);
  assert.equal(removed(stored, spec(1, 'fifo', { minAge: '3d' })), [1, 2, 3]);
  assert.equal(removed(stored, spec(1, 'fifo', { minAge: '1y' })), []);
});

test('fifo-plus-older: some older copies, spread over their time, none beyond it', () => {
  // How the copies are spread depends on the time since 1970, so it is the same moment in every time zone.
  const now = Date.UTC(2026, 5, 17, 12);
  const hourly = versions(...Array.from({ length: 24 * 8 }, (_, index) => (24 * 8 - 1 - index) * HOUR)).map(
    (version) => ({ ...version, createdAt: version.createdAt - NOW + now }),
  );
  const settings = spec(24, 'fifo-plus-older', { keepLastOlderNotMoreThan: '5d', maxOlderCopies: 4 });
  const gone = new Set(versionsToRemove(hourly, settings, now).map(({ versionNumber }) => versionNumber));
  const kept = hourly.filter(({ versionNumber }) => !gone.has(versionNumber));
  const older = kept.slice(0, -24);
  assert.ok(older.length >= 3 && older.length <= 4, `${older.length}`);
  assert.ok(older.every(({ createdAt }) => now - createdAt <= 5 * DAY));
  const gaps = older.slice(1).map(({ createdAt }, index) => createdAt - (older[index]?.createdAt ?? 0));
  assert.ok(
    gaps.every((gap) => gap >= DAY),
    `${gaps}`,
  );
  assert.equal(
    removed(versions(3 * DAY, 2 * DAY, DAY, 0), spec(2, 'fifo-plus-older', { maxOlderCopies: 1 })),
    [1],
  );
  assert.equal(removed(versions(3 * DAY, 2 * DAY, DAY, 0), spec(2, 'fifo-plus-older')), [1, 2]);
});

test('fifo-plus-older: run hour by hour, there always is an old copy', () => {
  const settings = spec(3, 'fifo-plus-older', { keepLastOlderNotMoreThan: '2d', maxOlderCopies: 2 });
  let stored: ReturnType<typeof versions> = [];
  for (let hour = 0; hour < 24 * 10; hour++) {
    const now = NOW + hour * HOUR;
    stored.push({ versionNumber: hour + 1, createdAt: now, pinned: false });
    const gone = new Set(versionsToRemove(stored, settings, now));
    stored = stored.filter((version) => !gone.has(version));
    assert.ok(stored.length <= 5);
    const oldest = now - (stored[0]?.createdAt ?? now);
    if (hour > 48) assert.ok(oldest >= 20 * HOUR && oldest <= 48 * HOUR, `${hour}: ${oldest / HOUR}`);
  }
});

test('keep: the newest of each of the last days, weeks, months and years that have one', () => {
  const twice = Array.from({ length: 800 }, (_, index) => (799 - index) * (DAY / 2));
  const stored = versions(...twice);
  const kept = (settings: StrategySpec) => {
    const gone = new Set(removed(stored, spec(3, 'keep', settings)));
    return stored
      .filter(({ versionNumber }) => !gone.has(versionNumber))
      .map(({ createdAt }) => new Date(createdAt).toDateString());
  };
  assert.equal(kept({ keepDaily: 3 }), ['Mon Jun 15 2026', 'Tue Jun 16 2026', 'Wed Jun 17 2026']);
  assert.equal(kept({ keepWeekly: 3 }), ['Sun Jun 07 2026', 'Sun Jun 14 2026', 'Wed Jun 17 2026']);
  assert.equal(kept({ keepMonthly: 3 }), ['Thu Apr 30 2026', 'Sun May 31 2026', 'Wed Jun 17 2026']);
  assert.equal(kept({ keepYearly: 5 }), ['Wed Dec 31 2025', 'Wed Jun 17 2026']);
  assert.is(kept({ keepLast: 2, keepDaily: 7, keepWeekly: 4, keepMonthly: 12, keepYearly: 2 }).length, 20);
  assert.is(kept({}).length, 3, 'without any number it works as with fifo');
});

test('a strategy that does not exist is an error, not a guess', () => {
  assert.throws(
    () => versionsToRemove([], spec(1, 'constructor'), NOW),
    (error: Error) => error instanceof UnknownStrategy,
  );
});

const anySpec = fc.record({
  maxBackupsCount: fc.integer({ min: 1, max: 10 }),
  strategyName: fc.constantFrom('fifo', 'fifo-plus-older', 'keep'),
  strategySpec: fc.record(
    {
      keepLastOlderNotMoreThan: fc.constantFrom('1h', '5d', '1y'),
      maxOlderCopies: fc.integer({ min: 0, max: 5 }),
      keepLast: fc.integer({ min: 0, max: 3 }),
      keepDaily: fc.integer({ min: 0, max: 8 }),
      keepWeekly: fc.integer({ min: 0, max: 5 }),
      keepMonthly: fc.integer({ min: 0, max: 5 }),
      keepYearly: fc.integer({ min: 0, max: 2 }),
      minAge: fc.constantFrom('1m', '36h', '7d'),
    },
    { requiredKeys: [] },
  ),
});
const anyStored = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 500 * DAY }), fc.boolean()), { maxLength: 40 })
  .map((list) =>
    list
      .sort(([a], [b]) => b - a)
      .map(([age, pinned], index) => ({
        versionNumber: index + 1,
        createdAt: NOW - age,
        pinned: pinned && index % 3 === 0,
      })),
  );
const AGES: Record<string, number> = { '1m': 60_000, '36h': 36 * HOUR, '7d': 7 * DAY };

test('whatever is stored and configured: pinned, young, the newest and at least one stay; twice is once', () => {
  fc.assert(
    fc.property(anyStored, anySpec, (stored, { maxBackupsCount, strategyName, strategySpec }) => {
      const settings = spec(maxBackupsCount, strategyName, strategySpec as StrategySpec);
      const gone = versionsToRemove(stored, settings, NOW);
      const minAge = AGES[strategySpec.minAge ?? ''] ?? 0;
      assert.ok(gone.every(({ pinned }) => !pinned));
      assert.ok(gone.every(({ createdAt }) => NOW - createdAt >= minAge));
      assert.ok(gone.every(({ versionNumber }) => versionNumber !== stored.length));
      assert.ok(stored.length === 0 || gone.length < stored.length);
      const left = stored.filter((version) => !gone.includes(version));
      assert.equal(versionsToRemove(left, settings, NOW), []);
      const unprotected = left.filter(({ pinned, createdAt }) => !pinned && NOW - createdAt >= minAge);
      if (strategyName === 'fifo') assert.ok(unprotected.length <= maxBackupsCount);
    }),
    { numRuns: 500 },
  );
});

test('half a million versions are rotated like three', () => {
  const many = versions(...Array.from({ length: 100_000 }, (_, index) => (100_000 - index) * HOUR));
  const stored = Array.from({ length: 5 }, () => many)
    .flat()
    .map((version, index) => ({ ...version, versionNumber: index + 1 }));
  assert.is(removed(stored, spec(3)).length, stored.length - 3);
});

test.run();
