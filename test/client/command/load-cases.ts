/** What a load promises, with whatever shell. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { load } from '../../../src/client/command/load.ts';
import { failure } from '../../../src/client/failure.ts';
import { PATIENCE_MS } from '../../eventually.ts';
import { appears, at, endless, errorOf, flood, MEBIBYTE, type Named, type Place, zeros } from './support.ts';

/** Its own shell sees the end of the input and acts on it at once. */
const LOADER = 'echo >"$STARTED"; while read -r line; do :; done; echo "$line" >"$ENDED"';

/** Breaks off as soon as the loader is at work. */
async function* broken(error: Error, { started }: Place): AsyncGenerator<Buffer> {
  for (let line = 0; line < 20; line++) yield Buffer.from('insert\n');
  await appears(started);
  await sleep(50);
  throw error;
}

async function* of(...chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

/** Far more than could be sent before the test's time is over. */
async function* much(): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(65_536, 'x');
  for (;;) yield chunk;
}

export function loadCases(test: Test, [name, shells]: Named): void {
  test(
    `${name}: the command reads all of it and its end`,
    at(async (place) => {
      await load(zeros(5_000_001), place.options('wc -c >"$ENDED"', { shells }));
      assert.is(readFileSync(place.ended, 'utf8').trim(), '5000001');
      await load(zeros(0), place.options('cat >"$ENDED"; echo nothing >>"$ENDED"', { shells }));
      assert.is(readFileSync(place.ended, 'utf8').trim(), 'nothing');
      assert.equal(await place.survivors(), []);
      assert.equal(place.leftovers(), []);
    }),
  );

  test(
    `${name}: content that breaks off is never taken for its end`,
    at(async (place) => {
      const reason = new Error('not authentic');
      const error = await errorOf(load(broken(reason, place), place.options(LOADER, { shells })));
      assert.is(error, reason);
      assert.equal(await place.survivors(), []);
      assert.ok(existsSync(place.started), 'the loader was at work');
      assert.not.ok(existsSync(place.ended));
      assert.equal(place.leftovers(), []);
    }),
  );

  test(
    `${name}: the same in a pipeline of the command`,
    at(async (place) => {
      const command = 'cat | cat | { echo >"$STARTED"; while read -r line; do :; done; echo >"$ENDED"; }';
      await errorOf(load(broken(new Error('broken'), place), place.options(command, { shells })));
      assert.equal(await place.survivors(), []);
      assert.not.ok(existsSync(place.ended));
    }),
  );

  test(
    `${name}: a command that fails stops it at once, however long the content lasts`,
    at(async (place) => {
      const error = await errorOf(load(flood(), place.options('read -r line; exit 9', { shells })));
      assert.is(error.problem?.code, 'command-failed');
      assert.match(error.message, 'exit code 9');
      let waited = false;
      async function* stalling(): AsyncGenerator<Buffer> {
        yield Buffer.from('a\n');
        await sleep(PATIENCE_MS, undefined, { ref: false });
        waited = true;
      }
      await errorOf(load(stalling(), place.options('exit 9', { shells })));
      assert.not.ok(waited);
    }),
  );

  test(
    `${name}: a command that fails after it has read everything is an error`,
    at(async (place) => {
      const error = await errorOf(load(zeros(300_000), place.options('cat >/dev/null; exit 3', { shells })));
      assert.match(error.message, 'exit code 3');
    }),
  );

  test(
    `${name}: exit code 0 before everything was read is an error that says so`,
    at(async (place) => {
      for (const command of ['head -c 1 >/dev/null', 'exec <&-; sleep 0.1', 'true']) {
        const error = await errorOf(load(zeros(5 * MEBIBYTE), place.options(command, { shells })));
        assert.is(error.problem?.code, 'command-failed');
        assert.match(error.message, /stopped reading .* \d+ bytes/);
      }
    }),
  );

  test(
    `${name}: so is leaving a rest that fits into the pipe`,
    at(async (place) => {
      for (const [size, command] of [
        [43_893, 'sleep 0.1'],
        [43_893, 'head -c 100 >/dev/null'],
        [43_893, 'head -c 43892 >/dev/null'],
        [43_893, 'exec <&-'],
        [1, 'true'],
        [65_536, 'true'],
        [65_537, 'true'],
        [140_000, 'head -c 100000 >/dev/null'],
        [1_000_000, 'head -c 999999 >/dev/null'],
      ] as const) {
        for (const filler of ['x', '\n']) {
          const content = of(Buffer.alloc(size, filler));
          const error = await errorOf(load(content, place.options(command, { shells })));
          assert.is(error.problem?.code, 'command-failed', `${size} bytes for ${command}`);
          assert.match(error.message, 'stopped reading before the end of the backup');
        }
      }
      assert.equal(await place.survivors(), []);
    }),
  );

  test(
    `${name}: who read all but NULs at the end has read everything, up to 64 KiB of them`,
    at(async (place) => {
      const text = Buffer.alloc(43_893, 'x\n');
      for (const command of ['cat >/dev/null', 'head -c 43893 >/dev/null']) {
        await load(of(text), place.options(command, { shells }));
        for (const padding of [1, 10_240, 65_536]) {
          await load(of(text, Buffer.alloc(padding)), place.options(command, { shells }));
        }
      }
      const options = place.options('head -c 43893 >/dev/null', { shells });
      for (const rest of [Buffer.alloc(65_537), Buffer.from('\0\0x\0'), Buffer.from('\n\0')]) {
        assert.match((await errorOf(load(of(text, rest), options))).message, 'stopped reading');
      }
    }),
  );

  test(
    `${name}: who stops reading while much is to come is not waited for until it has come`,
    at(async (place) => {
      for (const command of ['head -c 100 >/dev/null', 'true']) {
        const error = await errorOf(load(much(), place.options(command, { shells })));
        assert.match(error.message, 'stopped reading');
      }
    }),
  );

  test(
    `${name}: an abort after the command was given its end says that the load may have taken effect`,
    at(async (place) => {
      const abort = new AbortController();
      const reason = failure('interrupted', 'stopped by SIGTERM: nothing was loaded');
      const options = place.options('cat >/dev/null; echo >"$ENDED"; sleep 20', {
        shells,
        signal: abort.signal,
      });
      const loading = errorOf(load(zeros(10), options));
      await appears(place.ended);
      abort.abort(reason);
      const error = await loading;
      assert.is(error.problem?.code, 'interrupted');
      assert.match(error.message, 'may have taken effect');
      assert.equal(await place.survivors(), []);
    }),
  );

  test(
    `${name}: a loader that knows where its data ends may leave before the content has been verified`,
    at(async (place) => {
      async function* verified(): AsyncGenerator<Buffer> {
        yield Buffer.from('12345');
        await sleep(150);
      }
      await load(verified(), place.options('head -c 5 >"$ENDED"', { shells }));
      assert.is(readFileSync(place.ended, 'utf8'), '12345');
    }),
  );

  test(
    `${name}: its last bytes come only after the content was verified, so that it cannot act on them before`,
    at(async (place) => {
      for (const [size, pieceBytes] of [
        [5, 5],
        [5, 1],
        [300_000, 65_536],
        [1_000_000, 262_144],
      ] as const) {
        const reason = new Error('not authentic');
        async function* unverified(): AsyncGenerator<Buffer> {
          for (let left = size; left > 0; left -= pieceBytes)
            yield Buffer.alloc(Math.min(left, pieceBytes), 'x');
          await sleep(150);
          throw reason;
        }
        // A script that ends with COMMIT and a comment is as complete without its very last bytes.
        const command = `head -c ${Math.max(1, size - 1000)} >/dev/null; echo >"$ENDED"`;
        assert.is(await errorOf(load(unverified(), place.options(command, { shells }))), reason);
        assert.not.ok(existsSync(place.ended), `${size} bytes`);
      }
    }),
  );

  test(
    `${name}: when the time is over, everything is killed, whatever it ignores and however often it forked`,
    at(async (place) => {
      const command = `trap '' TERM INT HUP; ((sleep 60) &); echo >"$STARTED"; cat >/dev/null; echo >"$ENDED"`;
      // With as much time as the machine needs to bring the loader to work.
      for (let timeoutMs = 200; !existsSync(place.started); timeoutMs *= 3) {
        const error = await errorOf(load(endless(), place.options(command, { shells, timeoutMs })));
        assert.is(error.problem?.code, 'command-timeout');
        assert.equal(await place.survivors(), []);
        assert.not.ok(existsSync(place.ended));
        assert.ok(timeoutMs < PATIENCE_MS, 'the loader never was at work');
      }
      const after = place.options('cat >/dev/null; sleep 60', { shells, timeoutMs: 200 });
      const late = await errorOf(load(zeros(10), after));
      assert.is(late.problem?.code, 'command-timeout');
      assert.match(late.message, /did not end within 0.2 seconds.*the load may have taken effect/);
      assert.match(late.problem?.proposal ?? '', /--timeout.*look at what it loaded into/);
    }),
  );

  test(
    `${name}: a command that dies after it was given its end may have taken effect; one that fails says so itself`,
    at(async (place) => {
      for (const death of ['kill -9 $$', 'kill -9 0']) {
        const options = place.options(`cat >/dev/null; ${death}`, { shells });
        const error = await errorOf(load(zeros(10), options));
        assert.is(error.problem?.code, 'command-failed');
        assert.match(
          error.message,
          /SIGKILL.*after it had been given all of .*the load may have taken effect/,
        );
        assert.match(error.problem?.proposal ?? '', /look at what it loaded into/);
      }
      for (const [content, command] of [
        [zeros(10), 'cat >/dev/null; exit 3'],
        [endless(), 'kill -9 $$'],
      ] as const) {
        const error = await errorOf(load(content, place.options(command, { shells })));
        assert.not.match(error.message, 'taken effect');
      }
    }),
  );

  test(
    `${name}: an abort at any moment throws its reason, and the loader never sees an end`,
    at(async (place) => {
      for (let turn = 0; turn < 8; turn++) {
        const abort = new AbortController();
        setTimeout(() => abort.abort(new Error(`abort ${turn}`)), Math.random() * 60);
        const options = place.options(LOADER, { shells, signal: abort.signal });
        assert.is((await errorOf(load(endless(), options))).message, `abort ${turn}`);
        assert.not.ok(existsSync(place.ended));
      }
      assert.equal(await place.survivors(), []);
      assert.equal(place.leftovers(), []);
    }),
  );

  test(
    `${name}: a command that sends signals to its own group does not end its input by that`,
    at(async (place) => {
      const options = place.options(`trap '' TERM; kill -TERM 0; ${LOADER}`, { shells });
      const reason = new Error('broken');
      assert.is(await errorOf(load(broken(reason, place), options)), reason);
      assert.not.ok(existsSync(place.ended));
      await load(zeros(10), options);
      assert.ok(existsSync(place.ended));
      const error = await errorOf(load(endless(), place.options('kill -TERM 0; sleep 1', { shells })));
      assert.match(error.message, 'SIGTERM');
      assert.equal(await place.survivors(), []);
    }),
  );

  test(
    `${name}: its input can be opened by name, as behind a pipe of the shell`,
    at(async (place) => {
      await load(zeros(100_000), place.options('wc -c </dev/stdin >"$ENDED"', { shells }));
      assert.is(readFileSync(place.ended, 'utf8').trim(), '100000');
    }),
  );
}
