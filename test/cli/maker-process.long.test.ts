/** `backup-maker` as a process of its own: when it ends, and what it writes into the file that the shell opened for it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytes, type Hostile, success, web, withServer } from '../client/http/world.ts';
import { eventually, inTime } from '../eventually.ts';

const test = suite('backup-maker: process');
const PROGRAM = join(import.meta.dirname, '../../src/cli/backup-maker.ts');
const folder = mkdtempSync(join(tmpdir(), 'backup-maker-process-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the shell script, in which `"$@"` is the program with these arguments. */
async function shell(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, PROGRAM, ...args], {
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { status: child.exitCode, stderr };
}

const DATA = bytes(300_000);

/** A repository with one version, of which it sends so many bytes, and with an account. */
function repository(size: number, data = DATA): { server: Promise<Hostile>; asked: string[] } {
  const asked: string[] = [];
  const server = web((request, response) => {
    const route = request.url?.split('/').at(-1) ?? '';
    asked.push(route);
    if (route === 'login') return void response.end(success({ token: 'abc', expire: '' }));
    if (route !== 'latest') return void response.end(success({}));
    response.writeHead(200, { 'content-length': data.length, etag: '"tag"', 'x-backup-version': '1' });
    if (size === data.length) response.end(data);
    else response.write(data.subarray(0, size));
  });
  return { server, asked };
}

const DOWNLOAD = ['download', '--save-path', '-', '--no-encryption', '--decompress', 'none', '-i', 'c'];

test('standard output that is a file gets everything, at its end if the shell says so', async () => {
  const file = join(folder, 'whole');
  await withServer(repository(DATA.length).server, async ({ url }) => {
    writeFileSync(file, 'before');
    const { status, stderr } = await shell(`exec "$@" >>'${file}'`, [...DOWNLOAD, '-u', url, '-t', 't']);
    assert.is(status, 0, stderr);
    assert.ok(readFileSync(file).equals(Buffer.concat([Buffer.from('before'), DATA])));
  });
});

test('standard output that is a file which takes only a part: exit status 74', async () => {
  const file = join(folder, 'part');
  // In one piece, of which half a page has no place; and in several.
  for (const size of [6000, DATA.length]) {
    const { server } = repository(size, DATA.subarray(0, size));
    await withServer(server, async ({ url }) => {
      const args = [...DOWNLOAD, '-u', url, '-t', 't'];
      const { status, stderr } = await shell(`ulimit -f 8; exec "$@" >'${file}'`, args);
      assert.is(status, 74, stderr);
      assert.match(stderr, /cannot write to standard output: files must not become so large here/);
      assert.not.match(stderr, /Version downloaded/);
      assert.is(statSync(file).size, 4096);
    });
  }
});

test('so it is with a key that is printed into a file', async () => {
  const file = join(folder, 'secret.yaml');
  writeFileSync(file, 'x'.repeat(400));
  const { status, stderr } = await shell(`ulimit -f 1; exec "$@" >>'${file}'`, [
    ...['keygen', '--format', 'openpgp', '--secret', 'key'],
  ]);
  assert.ok(statSync(file).size > 400, 'a part was taken');
  assert.is(status, 74, stderr);
  assert.match(stderr, /cannot write the output: files must not become so large here/);
  assert.not.match(stderr, /Key made/);
});

test('a restore whose loader fails in the middle of the download ends at once, with the logout', async () => {
  const { server, asked } = repository(DATA.length / 2);
  await withServer(server, async ({ url }) => {
    const go = join(folder, 'go');
    const command = `head -c 50000 >/dev/null; while [ ! -e '${go}' ]; do sleep 0.05; done; exit 3`;
    const running = shell(
      'exec "$@"',
      ['restore', '-c', command, '-i', 'c', '-u', url, '--decompress', 'none'],
      {
        BM_ACCESS_KEY_USERNAME: 'u',
        BM_ACCESS_KEY_PASSWORD: 'p',
      },
    );
    await eventually('the download', () => asked.includes('latest'));
    // Until it has what there is, and waits for more.
    await new Promise((resolve) => setTimeout(resolve, 500));
    writeFileSync(go, '');
    const { status, stderr } = await inTime(20_000, running);
    assert.is(status, 3, stderr);
    assert.not.match(stderr, /taking it up again/);
    assert.equal(asked, ['login', 'latest', 'logout']);
  });
});

test.run();
