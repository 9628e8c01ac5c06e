/** Signals to `make` at random moments: what is listed afterwards is complete, and nothing else is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../fuzz/random.ts';
import type { UploadWorld } from './uploads.ts';

const AT_ONCE = 3;
/** From the start of the program, before it can hear a signal, to some time after it has ended by itself: times what it takes alone. */
const LONGEST = 2;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGKILL'] as const;
/** Takes a while, and writes to its folder for temporary files. */
const DUMP = 'for part in 1 2 3 4; do echo >"$TMPDIR/$part"; sleep 0.1; done & cat "$DATA"; wait';
const STATUSES: Readonly<Record<string, number>> = { SIGTERM: 143, SIGINT: 130, SIGKILL: 137 };

export interface Signalled {
  signals: number;
  stored: number;
  statuses: Record<string, number>;
  faults: string[];
}

/** @param collections one more than there shall be signals: an upload that broke off holds its collection for a moment. */
export async function signalMakes(
  world: UploadWorld,
  collections: readonly string[],
  seed: number,
): Promise<Signalled> {
  const random = new Random(seed);
  const [first = '', ...others] = collections;
  const begin = performance.now();
  const undisturbed = await world.make({ collection: first, command: DUMP });
  let longestMs = (performance.now() - begin) * LONGEST;
  if (undisturbed.status !== 0) throw new Error(undisturbed.stderr);
  const figures: Signalled = { signals: others.length, stored: 0, statuses: {}, faults: [] };
  const turns = others.map((collection, index) => ({
    collection,
    signal: SIGNALS[index % SIGNALS.length] ?? 'SIGTERM',
    share: random.next(),
  }));
  const work = async () => {
    for (let turn = turns.shift(); turn; turn = turns.shift()) {
      const { collection, signal, share } = turn;
      const moment = Math.round(share * longestMs);
      const began = performance.now();
      let tookMs = Number.POSITIVE_INFINITY;
      const fault = (what: string) => figures.faults.push(`${signal} after ${moment} ms: ${what}`);
      const { status, stderr, remains, versions } = await world.make({
        collection,
        command: DUMP,
        during: async (client) => {
          void client.ended.then(() => {
            tookMs = performance.now() - began;
          });
          await sleep(moment);
          client.child.kill(signal);
        },
      });
      figures.statuses[status] = (figures.statuses[status] ?? 0) + 1;
      figures.stored += versions.length;
      // The machine may have been busier before: then all that follow would come too late.
      if (status === 0) longestMs = Math.min(longestMs, tookMs * LONGEST);
      for (const what of remains) fault(`${what} is left`);
      if (status !== 0 && status !== STATUSES[signal]) fault(`exit status ${status}: ${stderr}`);
      if (status === 0 && versions.length !== 1) fault('it said that it had stored a version');
      if (/nothing was stored/.test(stderr) && versions.length > 0) fault('it said that nothing was stored');
      for (const { versionNumber } of versions) {
        const wrong = await world.compare(collection, versionNumber);
        if (wrong !== '') fault(wrong);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return figures;
}
