/** A short form of `npm run torture`, with every kind of round; and that it would notice. torture/README.md has the long one's figures. */
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

const SABOTAGE: Readonly<Record<string, (object: string) => void>> = {
  'cut short': (object) => truncateSync(object, 10),
  gone: (object) => rmSync(object),
};
for (const [what, sabotage] of Object.entries(SABOTAGE))
  test(`an object that is ${what} is noticed`, async () => {
    const objects: string[] = [];
    // A round that fails leaves its folder to whoever has to find out why.
    const under = mkdtempSync(join(tmpdir(), 'sabotage-'));
    const run = await torture({
      ...{ seed: SEED, rounds: [1], kinds: ['calm'], under },
      sabotage: (world) => {
        objects.push(...objectsOf(world as Single));
        for (const object of objects) sabotage(object);
      },
    }).finally(() => rmSync(under, { recursive: true, force: true }));
    assert.is(objects.length, 1, 'the round stores one version');
    assert.match(
      run.played.flatMap(({ faults }) => faults).join(),
      /cannot be downloaded|not what the list says/,
    );
  });

function objectsOf({ objectsFolder }: Single): string[] {
  return readdirSync(objectsFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/.tmp/'));
}

test.run();
