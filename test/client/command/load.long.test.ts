import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { load } from '../../../src/client/command/load.ts';
import { loadCases } from './load-cases.ts';
import { appears, at, errorOf, MEBIBYTE, QUICK_SHELLS, zeros } from './support.ts';

const test = suite('client/command/load');

for (const shells of QUICK_SHELLS) loadCases(test, shells);

test(
  'waits for a slow loader: no more is taken from the content than pipes hold',
  at(async (place) => {
    let taken = 0;
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of zeros(64 * MEBIBYTE)) {
        taken += chunk.length;
        yield chunk;
      }
    }
    const command = 'echo >"$STARTED"; while [ ! -e "$ENDED.begin" ]; do sleep 0.05; done; wc -c >"$ENDED"';
    const loading = load(counted(), place.options(command));
    await appears(place.started);
    await sleep(150);
    assert.ok(taken < 2 * MEBIBYTE, `${taken} bytes were taken`);
    writeFileSync(`${place.ended}.begin`, '');
    await loading;
    assert.is(Number(readFileSync(place.ended, 'utf8')), 64 * MEBIBYTE);
  }),
);

test(
  "stopping to read is noticed too if the system's buffers have taken all of the content already",
  at(async (place) => {
    // More than a pipe holds, less than a socket and a pipe hold together. Some kinds of cat splice, and a pipe holds more of that.
    const cat = join(place.folder, 'cat');
    writeFileSync(cat, '#!/bin/sh\nexec dd bs=65536 2>/dev/null\n', { mode: 0o755 });
    const env = { ...place.env, PATH: `${place.folder}:${place.env.PATH}` };
    const error = await errorOf(load(zeros(100_000), place.options('exec <&-; sleep 0.2', { env })));
    assert.match(error.message, /stopped reading .* 100000 bytes/);
  }),
);

test(
  'it is an error if nobody can tell whether everything was read',
  at(async (place) => {
    for (const tool of ['head', 'tr', 'wc']) {
      const folder = join(place.folder, tool);
      mkdirSync(folder);
      writeFileSync(join(folder, tool), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      const env = { ...place.env, PATH: `${folder}:${place.env.PATH}` };
      const error = await errorOf(load(zeros(10), place.options('cat >/dev/null', { env })));
      assert.match(error.message, 'could not be found out whether');
    }
  }),
);

test(
  'a limit longer than timers can wait does not end the command at once',
  at(async (place) => {
    await load(zeros(10), place.options('sleep 0.1; cat >/dev/null', { timeoutMs: 2 ** 31 }));
  }),
);

test(
  'lets go of the content when the command fails',
  at(async (place) => {
    let closed = false;
    async function* watched(): AsyncGenerator<Buffer> {
      try {
        yield* zeros(64 * MEBIBYTE);
      } finally {
        closed = true;
      }
    }
    await errorOf(load(watched(), place.options('exit 1')));
    assert.ok(closed);
  }),
);

test.run();
