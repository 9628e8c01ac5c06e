/**
 * What the thief of an access key for uploads can do to the versions that are there, by uploading: with each strategy, a
 * month of daily backups and then a flood of worthless ones.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CollectionSpec } from '../../../src/server/configuration/configuration.ts';
import { type Candidate, versionsToRemove } from '../../../src/server/versions/rotation.ts';

const DAY = 24 * 60 * 60 * 1000;
const NOW = new Date(2026, 5, 15, 12).getTime();
const test = suite('floods of uploads');

/** The days, counted back from today, of which a good version is left after the flood. */
function daysLeft(spec: Partial<CollectionSpec>, pinned?: number): number[] {
  const full = { maxBackupsCount: 14, ...spec } as CollectionSpec;
  let stored: (Candidate & { day: number })[] = [];
  const upload = (day: number, createdAt: number) => {
    const versionNumber = (stored.at(-1)?.versionNumber ?? 0) + 1;
    stored.push({ versionNumber, createdAt, pinned: day === pinned, day });
    const gone = new Set(versionsToRemove(stored, full, createdAt));
    stored = stored.filter((version) => !gone.has(version));
  };
  for (let day = 30; day >= 1; day--) upload(day, NOW - day * DAY);
  for (let second = 0; second < 500; second++) upload(-1, NOW + second * 1000);
  return stored.map(({ day }) => day).filter((day) => day >= 0);
}

test('keep: the good version of every day, week and month stays', () => {
  const left = daysLeft({ strategyName: 'keep', strategySpec: { keepLast: 3, keepDaily: 7, keepWeekly: 4 } });
  for (const day of [1, 2, 3, 4, 5, 6]) assert.ok(left.includes(day), `${day} of ${left}`);
  assert.ok(left.some((day) => day > 14));
});

test('whatever the strategy, what is younger than minAge stays: so long is there to notice it', () => {
  const left = daysLeft({ strategyName: 'fifo', strategySpec: { minAge: '10d' } });
  assert.equal(left, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

test('what is pinned stays', () => {
  assert.equal(daysLeft({ strategyName: 'fifo' }, 5), [5]);
});

test('fifo alone, the default, loses everything: docs/security.md says so', () => {
  assert.equal(daysLeft({ strategyName: 'fifo' }), []);
});

test.run();
