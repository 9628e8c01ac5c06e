/** Deaths in the middle of a load at any moment and in any order. The loader must never see the end of its input. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { load } from '../../../../src/client/command/load.ts';
import { start } from '../../../client/command/killed-cases.ts';
import { appears, at, SHELLS } from '../../../client/command/support.ts';

const test = suite('e2e/client/command/deaths');

/** Time after which what holds the loader's input is younger than the loader. */
const SETTLED_MS = 1300;

/** A process that may have died of the others' deaths. */
function kill(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

for (const [name, shells] of SHELLS) {
  test(
    `${name}: what passes it on holds the input open for no longer than the content`,
    at(async (place) => {
      // Long enough for the sleeper that holds the pipe to have been replaced, and to be young.
      async function* slow(): AsyncGenerator<Buffer> {
        yield Buffer.from('a');
        await sleep(1100);
        yield Buffer.from('b');
      }
      // The quickest of some: a machine may be busy once, but a sleeper that is waited for takes two seconds every time.
      let quickest = Number.POSITIVE_INFINITY;
      for (let turn = 0; turn < 20 && quickest >= 1800; turn++) {
        const begin = performance.now();
        await load(slow(), place.options('cat >"$ENDED"', { shells }));
        quickest = Math.min(quickest, performance.now() - begin);
        assert.is(readFileSync(place.ended, 'utf8'), 'ab');
      }
      assert.ok(quickest < 1800, `the end came late: ${quickest} ms`);
    }),
  );

  test(`${name}: killed at random moments, from before the start of the loader`, async () => {
    for (let turn = 0; turn < 10; turn++) {
      await at(async (place) => {
        const child = start(place, shells);
        const exited = once(child, 'exit');
        await sleep(100 + Math.random() * 200);
        child.kill('SIGKILL');
        await exited;
        assert.equal(await place.survivors(), []);
        assert.not.ok(existsSync(place.ended));
      })();
    }
  });

  test(
    `${name}: all of the container killed slowly, the oldest process first, as for want of memory`,
    at(async (place) => {
      const child = start(place, shells);
      const exited = once(child, 'exit');
      await appears(place.started);
      await sleep(SETTLED_MS);
      // It is the first to be killed, and the last whose memory is given back.
      child.kill('SIGSTOP');
      for (const id of place.processes()) {
        kill(id);
        await sleep(15);
      }
      child.kill('SIGKILL');
      await exited;
      assert.equal(await place.survivors(), []);
      assert.not.ok(existsSync(place.ended), 'the loader saw an end');
    }),
  );
}

test(
  'the guard, the copier or the loader alone killed: an error, and no end of the input',
  at(async (place) => {
    for (const [, shells] of SHELLS) {
      for (let turn = 0; turn < 6; turn++) {
        const child = start(place, shells);
        const exited = once(child, 'exit');
        await appears(place.started);
        const victim = place.processes()[turn];
        if (victim !== undefined) kill(victim);
        await sleep(150);
        child.kill('SIGKILL');
        await exited;
        assert.equal(await place.survivors(), []);
        assert.not.ok(existsSync(place.ended), `process ${turn} of the group was killed`);
      }
    }
  }),
);

test.run();
