import { existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dump } from '../../../src/client/command/dump.ts';
import { dumpCases } from './dump-cases.ts';
import { at, errorOf, MEBIBYTE, QUICK_SHELLS, textOf } from './support.ts';

const test = suite('client/command/dump');

for (const shells of QUICK_SHELLS) dumpCases(test, shells);

test(
  'waits for a slow consumer: the command cannot run ahead by more than what pipes hold',
  at(async (place) => {
    const command = `head -c ${64 * MEBIBYTE} /dev/zero; echo >"$ENDED"`;
    let bytes = 0;
    for await (const chunk of dump(place.options(command))) {
      if (bytes === 0) {
        await sleep(200);
        assert.not.ok(existsSync(place.ended));
      }
      bytes += chunk.length;
    }
    assert.is(bytes, 64 * MEBIBYTE);
  }),
);

test(
  'nothing runs before the first read, and nothing at all when it was aborted before',
  at(async (place) => {
    const abort = new AbortController();
    const content = dump(place.options('echo >"$STARTED"; echo a', { signal: abort.signal }));
    await sleep(50);
    abort.abort(new Error('early'));
    assert.match((await errorOf(textOf(content))).message, 'early');
    assert.not.ok(existsSync(place.started));
  }),
);

test(
  'reads nothing from our own standard input',
  at(async (place) => {
    assert.is(await textOf(dump(place.options('cat; echo end'))), 'end\n');
  }),
);

test(
  'has a private folder for temporary files, and goes on without one',
  at(async (place) => {
    const folder = (await textOf(dump(place.options('touch "$TMPDIR/x"; echo "$TMPDIR"')))).trim();
    assert.ok(folder.startsWith(place.temporary) && folder !== place.temporary);
    assert.not.ok(existsSync(folder));
    const mode = await textOf(dump(place.options('ls -ld "$TMPDIR"')));
    assert.match(mode, /^drwx------/);
    assert.equal(place.leftovers(), []);

    const env = { ...place.env, TMPDIR: `${place.folder}/none` };
    assert.is(await textOf(dump(place.options('echo "$TMPDIR"', { env }))), `${env.TMPDIR}\n`);
    assert.ok(statSync(place.temporary).isDirectory());
  }),
);

test(
  'says what to do about programs that are missing or cannot run',
  at(async (place) => {
    const stderr = 2;
    const missing = await errorOf(textOf(dump(place.options('no-such-program 2>/dev/null', { stderr }))));
    assert.match(missing.message, 'not found (exit code 127)');
    assert.match(missing.problem?.proposal ?? '', 'PATH');
    const text = await errorOf(textOf(dump(place.options('exec 2>/dev/null; /etc/passwd', { stderr }))));
    assert.match(text.message, 'cannot be executed (exit code 126)');
    const pipe = await errorOf(textOf(dump(place.options('echo a; exit 141', { stderr }))));
    assert.match(pipe.message, 'SIGPIPE');
  }),
);

test(
  'a command that is too long for the system is explained',
  at(async (place) => {
    const error = await errorOf(textOf(dump(place.options(`echo ${'x'.repeat(5 * MEBIBYTE)}`))));
    assert.is(error.problem?.code, 'command-failed');
    assert.match(error.problem?.proposal ?? '', 'script');
    assert.equal(place.leftovers(), []);
  }),
);

test.run();
