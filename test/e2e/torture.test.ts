/** A short form of `npm run torture`, with every kind of round; and that it would notice. torture/README.md has the long one's figures. */
import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { summary } from '../../torture/report.ts';
import { drawRound, KINDS } from '../../torture/scenario.ts';
import { torture } from '../../torture/torture.ts';
import type { Single } from '../../torture/worlds/single.ts';

const SEED = 1;
const ROUNDS = 20;
/** Seeds of rounds that failed once, each with what it found. */
const FOUND: readonly { seed: number; round: number; what: string }[] = [
  { seed: 1, round: 12, what: 'that a server that stops did not say so in its own words' },
];

const test = suite('e2e/torture');
const kinds = KINDS.map(({ name }) => name);

/** The first rounds of each kind, so that a few have them all. */
function someOfEach(count: number): number[] {
  const rounds = Array.from({ length: 200 }, (_, index) => drawRound(SEED, index + 1, kinds));
  return kinds
    .flatMap((kind) => rounds.filter((round) => round.kind === kind).slice(0, count))
    .map(({ number }) => number);
}

test(`${ROUNDS} rounds, two of each kind (seed ${SEED})`, async () => {
  const run = await torture({ seed: SEED, rounds: someOfEach(ROUNDS / kinds.length) });
  console.log(summary(run));
  assert.equal([...run.faults, ...run.played.flatMap(({ faults }) => faults)], []);
  assert.is(run.played.length, ROUNDS);
  assert.ok(run.counts.acknowledged > ROUNDS / 2, `${run.counts.acknowledged} uploads were acknowledged`);
  assert.ok(Object.keys(run.counts.disturbances).length > 4, 'hardly anything got in the way');
});

for (const { seed, round, what } of FOUND)
  test(`seed ${seed}, round ${round}, which found ${what}`, async () => {
    const run = await torture({ seed, rounds: [round] });
    assert.equal(
      run.played.flatMap(({ faults }) => faults),
      [],
    );
  });

test('what is lost, or cut short, would be noticed', async () => {
  let cut = 0;
  const sabotage = (world: unknown) => {
    const { objectsFolder } = world as Single;
    for (const entry of readdirSync(objectsFolder, { recursive: true, withFileTypes: true }))
      if (entry.isFile() && cut++ === 0) truncateSync(join(entry.parentPath, entry.name), 10);
  };
  const run = await torture({ seed: SEED, rounds: [1, 2, 3, 4], kinds: ['calm'], sabotage });
  assert.ok(cut > 0);
  assert.match(
    run.played.flatMap(({ faults }) => faults).join(),
    /cannot be downloaded|not what the list says/,
  );
});

test.run();
