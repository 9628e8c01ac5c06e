/** Waiting for what must come: on however busy a machine, and no longer than it takes. */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';

/** How long a test waits before it says that something does not come. Only a test that fails waits so long. */
export const PATIENCE_MS = 60_000;

/**
 * The first thing that is neither undefined nor false; fails, saying what was waited for, if there never is one. A shorter time than
 * patience is for what must come before something else does.
 */
export async function eventually<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  everyMs = 10,
  withinMs = PATIENCE_MS,
): Promise<T> {
  for (const begin = performance.now(); ; await sleep(everyMs)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - begin > withinMs) break;
  }
  const told = typeof what === 'string' ? what : what();
  return assert.unreachable(`not within ${withinMs / 1000} s: ${told}`) as never;
}

/**
 * What the work comes to, if it does so before a timer that begins now; else it fails. Unlike a clock, a timer of this process waits for its
 * turn together with what is tested, however busy the machine is.
 */
export async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = (async () => {
    await sleep(ms, undefined, { ref: false });
    // What was due earlier may need some turns of the event loop to be through.
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    return assert.unreachable(`not within ${ms} ms`) as never;
  })();
  return Promise.race([work, late]);
}
