/**
 * A real PostgreSQL is as it was before, wherever a download is cut, whichever bit is wrong, whenever the client is killed. The long
 * form is `prove.ts`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loudly } from '../../loudly.ts';
import { tasksOf } from './figures.ts';
import { type Format, SEALED } from './keys.ts';
import { killRestores } from './kills.ts';
import { LOADER_NAMES, LoadWorld } from './loads.ts';
import { allHeaders } from './stored.ts';

const test = suite('e2e/client/proof/tampering');

const SEED = Number(process.env.PROOF_SEED ?? 1);
const PLACES = Number(process.env.PROOF_PLACES ?? 12);
const KILLS = Number(process.env.PROOF_KILLS ?? 20);
let world: LoadWorld;

test.before(
  loudly(async () => {
    world = await LoadWorld.start();
  }),
);
test.after(() => world?.stop());

test('undisturbed, every loader brings back what was backed up', async () => {
  for (const format of SEALED)
    for (const loader of LOADER_NAMES) assert.equal(await world.control(format, loader), []);
});

test(`${PLACES} cuts and ${PLACES} flips of each format (seed ${SEED})`, async () => {
  const counts = { loaders: LOADER_NAMES, cuts: PLACES, flips: PLACES };
  const wanted = SEALED.map((format) => ({ format, ...counts }));
  const { faults, ...figures } = await world.attempt(await tasksOf(world, wanted, SEED));
  console.log(`  ${JSON.stringify({ seed: SEED, ...figures })}`);
  assert.equal(faults, []);
  assert.is(figures.restores, 4 * PLACES);
});

test('a loader that knows where its data ends does not commit before everything was verified', async () => {
  const loader = 'pg_restore -1';
  const format: Format = 'plain';
  assert.equal(await world.control(format, loader), []);
  const stored = await world.stored(format, loader);
  const headers = allHeaders(stored);
  const flipped = Buffer.from(stored.bytes);
  flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 1;
  const task = { format, loader, stored } as const;
  // The end, behind which the digest would be compared, comes some time after the last byte; or never.
  const late = { headers, framing: 'chunked', rest: 'reset' } as const;
  const { faults, restores } = await world.attempt([
    { ...task, name: 'wrong', tampering: { ...late, bytes: flipped, end: 'clean' } },
    { ...task, name: 'without an end', tampering: { ...late, bytes: stored.bytes, end: 'reset' } },
  ]);
  assert.equal(faults, []);
  assert.is(restores, 2);
});

test(`killed at ${KILLS} random moments (seed ${SEED})`, async () => {
  const one = async (format: Format, index: number) => {
    const { faults, ...figures } = await killRestores(world, `copy${index}`, format, KILLS / 2, SEED);
    console.log(`  ${JSON.stringify({ format, seed: SEED, ...figures })}`);
    assert.equal(faults, []);
    assert.ok(figures.loading > 0, 'no kill hit a load');
  };
  await Promise.all(SEALED.map(one));
});

test.run();
