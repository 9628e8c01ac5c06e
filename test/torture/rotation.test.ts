/** The model's rotation, on cases that a person can check; and beside the server's own, on any. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { versionsToRemove } from '../../src/server/versions/rotation.ts';
import { type CollectionName, documents, POLICIES } from '../../torture/collections.ts';
import { type Policy, rotatedAway } from '../../torture/rotation.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const test = suite('torture: rotation');

const version = (number: number, createdAt = number, pinned = false) => ({ number, createdAt, pinned });

test('fifo keeps the newest, and pinned ones besides', () => {
  const versions = [version(1, 1, true), version(2), version(3), version(4)];
  assert.equal(rotatedAway({ newest: 2 }, versions, 10), [2]);
  assert.equal(rotatedAway({ newest: 1 }, versions, 10), [2, 3]);
});

test('what is younger than the least age stays', () => {
  const policy: Policy = { newest: 1, minAgeMs: 100 };
  assert.equal(rotatedAway(policy, [version(1, 0), version(2, 50), version(3, 120)], 120), [1]);
});

test('older copies are spread over their time', () => {
  const policy: Policy = { newest: 1, older: { copies: 2, ageMs: 2 * HOUR } };
  const at = [0.1, 0.2, 1.1, 1.2, 1.9].map((hours, index) => version(index + 1, hours * HOUR));
  assert.equal(rotatedAway(policy, at, 2 * HOUR), [2, 4]);
});

test('of each day the newest stays', () => {
  const policy: Policy = { newest: 1, days: 2 };
  const at = [0, 1, 1.1, 2, 2.1, 2.2].map((days, index) => version(index + 1, days * DAY));
  assert.equal(rotatedAway(policy, at, 3 * DAY), [1, 2, 4, 5]);
});

test("it agrees with the server's, whatever is stored and whatever the clock said", () => {
  const stored = fc.array(
    fc.record({ createdAt: fc.integer({ min: 0, max: 5 * DAY }), pinned: fc.boolean() }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  for (const { metadata, spec } of documents()) {
    const policy = POLICIES[metadata.name as CollectionName];
    fc.assert(
      fc.property(stored, fc.integer({ min: 0, max: 5 * DAY }), (versions, now) => {
        const numbered = versions.map((each, index) => ({
          ...each,
          number: index + 1,
          versionNumber: index + 1,
        }));
        const removed = versionsToRemove(numbered, spec as never, now).map(
          ({ versionNumber }) => versionNumber,
        );
        assert.equal(rotatedAway(policy, numbered, now), removed);
      }),
      { numRuns: 200 },
    );
  }
});

test.run();
