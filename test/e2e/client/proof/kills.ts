/** The client killed at random moments of a restore that can never be complete, because the last byte does not come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../../eventually.ts';
import { Random } from '../../../fuzz/random.ts';
import type { Format } from './keys.ts';
import { LOADER_NAMES, type LoadWorld } from './loads.ts';
import { allHeaders, serveTampered } from './stored.ts';

/** From the start of the program to some time after the loader has got all that it gets. */
const LONGEST_MS = 1500;

export interface Kills {
  kills: number;
  /** Kills after which there had been a session at the database. */
  loading: number;
  faults: string[];
}

export async function killRestores(
  world: LoadWorld,
  database: string,
  format: Format,
  kills: number,
  seed: number,
): Promise<Kills> {
  const random = new Random(seed);
  const figures: Kills = { kills, loading: 0, faults: [] };
  for (let kill = 0; kill < kills; kill++) {
    const loader = random.pick(LOADER_NAMES);
    const moment = Math.round(random.next() * LONGEST_MS);
    const stored = await world.stored(format, loader);
    const before = world.databases.checksum(database);
    const tampering = {
      headers: allHeaders(stored),
      bytes: stored.bytes.subarray(0, -1),
      framing: 'whole-length',
      end: 'stall',
      rest: 'never',
    } as const;
    const fault = (what: string) =>
      figures.faults.push(`${format}, ${loader}, killed after ${moment} ms: ${what}`);
    await serveTampered(stored, tampering, async (url) => {
      const client = world.start(url, database, { format, loader });
      const isLoading = () => client.processes().some(({ line }) => /psql|pg_restore/.test(line));
      // One of them hits a load for sure, also where it takes longer until there is one.
      if (kill === 0) await eventually('a load', isLoading);
      else await sleep(moment);
      if (isLoading()) figures.loading++;
      client.child.kill('SIGKILL');
      await client.ended;
      for (const what of await client.remains()) fault(`${what} is left`);
      client.forget();
    });
    const sessions = await world.databases.sessions(database);
    if (sessions > 0) fault(`${sessions} sessions are left`);
    if (world.databases.checksum(database) !== before) {
      fault('the database has changed');
      world.databases.create(database);
    }
  }
  return figures;
}
