/** The pipe from a command: everything in order, whoever is slower, and blocks that are used again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fstatSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ContentPipe } from '../../../src/client/command/content-pipe.ts';
import { shellsOf } from '../../../src/client/command/shells.ts';
import { at, type Place } from './support.ts';

const test = suite('client/command/content-pipe');
const SHELLS = { ...shellsOf(['/bin/sh']), tools: '/nonexistent/busybox' };

/** A process whose standard output is the pipe's writing end. */
async function piped(place: Place, command: string): Promise<{ pipe: ContentPipe; child: ChildProcess }> {
  const pipe = await ContentPipe.make(SHELLS, place.env);
  if (!pipe) throw new Error('mkfifo is missing');
  const child = spawn('/bin/sh', ['-c', command], {
    env: place.env,
    stdio: ['ignore', pipe.writeEnd, 'inherit'],
  });
  pipe.handOver();
  return { pipe, child };
}

test(
  'gives every byte once and in order, to slow consumers and to quick ones, and to one that comes late',
  at(async (place) => {
    const line = 'a line of the dump that is long enough to matter\n';
    const command = `i=0; while [ $i -lt 30000 ]; do echo "$i ${line.trim()}"; i=$((i+1)); done`;
    const expected = createHash('sha256');
    for (let row = 0; row < 30_000; row++) expected.update(`${row} ${line}`);
    const digest = expected.digest('hex');
    for (const pace of ['quick', 'slow', 'late']) {
      const { pipe } = await piped(place, command);
      if (pace === 'late') await sleep(100);
      const hash = createHash('sha256');
      for await (const block of pipe.blocks()) {
        if (pace === 'slow') await sleep(5);
        hash.update(block);
      }
      assert.is(hash.digest('hex'), digest, pace);
      pipe.destroy();
    }
    assert.equal(readdirSync(place.temporary), [], 'the name is gone');
  }),
);

test(
  'lends its blocks: what was given is still there when the next is asked for, and not longer',
  at(async (place) => {
    const { pipe } = await piped(place, 'head -c 3000000 /dev/zero');
    const places = new Set<ArrayBufferLike>();
    for await (const block of pipe.blocks()) {
      places.add(block.buffer);
      // Whoever wrote into a block that is lent out would be seen here.
      block.fill(1);
      await sleep(1);
      assert.ok(block.every((byte) => byte === 1));
    }
    pipe.destroy();
    assert.ok(places.size <= 3, `${places.size} pieces of memory for twelve blocks`);
  }),
);

test(
  'passes on what a command has written before it pauses',
  at(async (place) => {
    const { pipe } = await piped(place, 'printf first; sleep 0.5; printf second');
    const pieces: string[] = [];
    for await (const block of pipe.blocks()) pieces.push(block.toString());
    pipe.destroy();
    assert.equal(pieces, ['first', 'second']);
  }),
);

test(
  'ends with its last writer, or when it is destroyed',
  at(async (place) => {
    const { pipe, child } = await piped(place, 'printf a; sleep 60');
    const pieces: string[] = [];
    for await (const block of pipe.blocks()) {
      pieces.push(block.toString());
      pipe.destroy();
    }
    assert.equal(pieces, ['a']);
    child.kill('SIGKILL');
  }),
);

test(
  'a writer meets a pipe that waits, as programs expect of their standard output',
  at(async (place) => {
    const pipe = await ContentPipe.make(SHELLS, place.env);
    if (!pipe) throw new Error('mkfifo is missing');
    assert.ok(fstatSync(pipe.writeEnd).isFIFO());
    // With O_NONBLOCK, cat would fail as soon as the pipe is full.
    const child = spawn('/bin/sh', ['-c', 'head -c 5000000 /dev/zero; echo $? >&2'], {
      stdio: ['ignore', pipe.writeEnd, 'pipe'],
    });
    pipe.handOver();
    let status = '';
    child.stderr?.on('data', (text) => {
      status += text;
    });
    await sleep(200);
    let bytes = 0;
    for await (const block of pipe.blocks()) bytes += block.length;
    pipe.destroy();
    assert.is(bytes, 5_000_000);
    if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve));
    assert.is(status, '0\n');
  }),
);

test(
  'leaves no file open, whether a child got the writing end or not',
  at(async (place) => {
    const before = readdirSync('/proc/self/fd').length;
    const unused = await ContentPipe.make(SHELLS, place.env);
    unused?.destroy();
    const { pipe } = await piped(place, 'echo a');
    for await (const _ of pipe.blocks());
    pipe.destroy();
    pipe.destroy();
    await sleep(50);
    assert.is(readdirSync('/proc/self/fd').length, before);
  }),
);

test(
  'there is none where it cannot be made, and no trace of it',
  at(async (place) => {
    const nowhere = { ...place.env, TMPDIR: '/nonexistent' };
    assert.is(await ContentPipe.make(SHELLS, nowhere), undefined);
    assert.is(await ContentPipe.make(SHELLS, { ...place.env, PATH: '/nonexistent' }), undefined);
    assert.is(await ContentPipe.make(shellsOf(['/nonexistent/sh']), place.env), undefined);
    assert.equal(place.leftovers(), []);
  }),
);

test(
  'the name does not outlive a process that is killed while it makes the pipe',
  at(async (place) => {
    const module = new URL('../../../src/client/command/content-pipe.ts', import.meta.url).href;
    const shells = new URL('../../../src/client/command/shells.ts', import.meta.url).href;
    const script = `
      const { ContentPipe } = await import(${JSON.stringify(module)});
      const { shellsOf } = await import(${JSON.stringify(shells)});
      process.stdout.write('ready');
      for (;;) (await ContentPipe.make(shellsOf(['/bin/sh']), process.env))?.destroy();`;
    for (const delay of [0, 1, 2, 4, 8, 16]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        env: place.env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await sleep(delay);
      child.kill('SIGKILL');
      await once(child, 'close');
      assert.equal(await place.survivors(), []);
      assert.equal(place.leftovers(), [], `killed after ${delay} ms`);
    }
  }),
);

test.run();
