/** What a dump promises, with whatever shell. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { dump } from '../../../src/client/command/dump.ts';
import { at, bytesOf, errorOf, type Named, textOf } from './support.ts';

export function dumpCases(test: Test, [name, shells]: Named): void {
  test(
    `${name}: gives everything that the command writes, then ends`,
    at(async (place) => {
      assert.is(await textOf(dump(place.options('printf "a b"; echo c', { shells }))), 'a bc\n');
      assert.is(await bytesOf(dump(place.options('head -c 20000000 /dev/zero', { shells }))), 20_000_000);
      assert.equal(await place.survivors(), []);
      assert.equal(place.leftovers(), []);
    }),
  );

  test(
    `${name}: an exit code other than 0 after much output is an error, not an end`,
    at(async (place) => {
      const error = await errorOf(
        bytesOf(dump(place.options('head -c 5000000 /dev/zero; exit 7', { shells }))),
      );
      assert.is(error.problem?.code, 'command-failed');
      assert.match(error.message, 'exit code 7');
    }),
  );

  test(
    `${name}: the first command that fails ends it`,
    at(async (place) => {
      assert.match(
        (await errorOf(bytesOf(dump(place.options('echo a; false; echo b', { shells }))))).message,
        /code 1/,
      );
    }),
  );

  test(
    `${name}: being killed is named, with the usual reason`,
    at(async (place) => {
      const error = await errorOf(bytesOf(dump(place.options('echo a; kill -9 $$', { shells, stderr: 2 }))));
      assert.match(error.message, 'SIGKILL');
      assert.match(error.problem?.proposal ?? '', 'out of memory');
    }),
  );

  test(
    `${name}: a command that kills its whole process group is not taken for a success`,
    at(async (place) => {
      for (const signal of ['TERM', 'KILL']) {
        const error = await errorOf(textOf(dump(place.options(`echo a; kill -${signal} 0`, { shells }))));
        assert.is(error.problem?.code, 'command-failed');
      }
      assert.equal(await place.survivors(), []);
    }),
  );

  test(
    `${name}: a command that hangs is killed when its time is over, whatever signals it ignores`,
    at(async (place) => {
      const command = `trap '' TERM INT; echo a; while :; do sleep 1; done`;
      const error = await errorOf(textOf(dump(place.options(command, { shells, timeoutMs: 150 }))));
      assert.is(error.problem?.code, 'command-timeout');
      assert.match(error.message, '0.15 seconds');
      assert.match(error.problem?.proposal ?? '', '--timeout');
      assert.equal(await place.survivors(), []);
      assert.equal(place.leftovers(), []);
    }),
  );

  test(
    `${name}: closing the output is not the end: the exit code decides`,
    at(async (place) => {
      const good = place.options('echo a; exec >&-; sleep 0.1', { shells });
      assert.is(await textOf(dump(good)), 'a\n');
      const bad = place.options('echo a; exec >&-; sleep 0.1; exit 3', { shells });
      assert.match((await errorOf(textOf(dump(bad)))).message, 'exit code 3');
    }),
  );

  test(
    `${name}: what a background process still writes belongs to it`,
    at(async (place) => {
      const command = '(sleep 0.2; echo late) & echo early';
      assert.is(await textOf(dump(place.options(command, { shells }))), 'early\nlate\n');
      const hanging = '(sleep 60) & echo early';
      const error = await errorOf(textOf(dump(place.options(hanging, { shells, timeoutMs: 200 }))));
      assert.is(error.problem?.code, 'command-timeout');
      assert.equal(await place.survivors(), []);
    }),
  );

  test(
    `${name}: nothing written is an error`,
    at(async (place) => {
      assert.is((await errorOf(textOf(dump(place.options('true', { shells }))))).problem?.code, 'empty-dump');
    }),
  );

  test(
    `${name}: a consumer that stops early leaves no process`,
    at(async (place) => {
      const command = '((sleep 60) &) ; cat /dev/zero | cat';
      for await (const chunk of dump(place.options(command, { shells }))) {
        assert.ok(chunk.length > 0);
        break;
      }
      assert.equal(await place.survivors(), []);
      assert.equal(place.leftovers(), []);
    }),
  );

  test(
    `${name}: an abort kills it and throws its reason`,
    at(async (place) => {
      const abort = new AbortController();
      const reason = new Error('stop');
      setTimeout(() => abort.abort(reason), 100);
      const error = await errorOf(
        textOf(dump(place.options('echo a; sleep 60', { shells, signal: abort.signal }))),
      );
      assert.is(error, reason);
      assert.equal(await place.survivors(), []);
    }),
  );

  test(
    `${name}: its output can be opened by name, as behind a pipe of the shell`,
    at(async (place) => {
      assert.is(await textOf(dump(place.options('echo named >/dev/stdout', { shells }))), 'named\n');
    }),
  );
}
