import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const program = join(import.meta.dirname, 'echo-stdin.ts');
const digest = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

async function collect(
  child: ChildProcess,
  pause = 0,
): Promise<{ stdout: Buffer; stderr: string; code: number | null }> {
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout?.destroyed ? [] : (child.stdout ?? [])) {
    chunks.push(chunk as Buffer);
    if (pause > 0) await sleep(pause);
  }
  const code = await closed;
  return { stdout: Buffer.concat(chunks), stderr, code };
}

test('megabytes pass through a pipe that is written and read slowly', async () => {
  const data = randomBytes(3_000_000);
  const child = spawn(process.execPath, [program]);
  const reading = collect(child, 5);
  for (let at = 0; at < data.length; at += 700_000) {
    child.stdin.write(data.subarray(at, at + 700_000));
    await sleep(5);
  }
  child.stdin.end();
  const { stdout, stderr, code } = await reading;
  assert.is(digest(stdout), digest(data));
  assert.is(stderr, '3000000 true\n');
  assert.is(code, 0);
});

test('files, empty input and closed input', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stdio-'));
  try {
    for (const data of [randomBytes(2_500_000), randomBytes(1024 * 1024), Buffer.alloc(0)]) {
      writeFileSync(join(folder, 'input'), data);
      const fd = openSync(join(folder, 'input'), 'r');
      const { stdout } = await collect(spawn(process.execPath, [program], { stdio: [fd, 'pipe', 'pipe'] }));
      closeSync(fd);
      assert.is(digest(stdout), digest(data));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const { stderr } = await collect(spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] }));
  assert.is(stderr, '0 true\n');
});

test('a non-blocking pipe is waited for', async () => {
  // A parent that is itself Node.js gives its children the non-blocking end of a socket pair for `pipe`.
  const script = `const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, [${JSON.stringify(program)}], { stdio: ['pipe', 'pipe', 'inherit'] });
    setTimeout(() => child.stdin.end(Buffer.alloc(1000000, 'x')), 100);
    setTimeout(() => child.stdout.pipe(process.stdout), 300);`;
  const { stdout, stderr } = await collect(spawn(process.execPath, ['-e', script]));
  assert.is(stdout.length, 1_000_000);
  assert.is(stderr, '1000000 true\n');
});

test('a reader that went away is reported, not thrown', async () => {
  const child = spawn(process.execPath, [program]);
  child.stdout.destroy();
  child.stdin.on('error', () => {});
  child.stdin.end(Buffer.alloc(1_000_000));
  const { stderr, code } = await collect(child);
  assert.is(stderr, '1000000 false\n');
  assert.is(code, 0);
});

test.run();
