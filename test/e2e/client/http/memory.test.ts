/** Half a gigabyte in each direction, in little memory. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryAt } from '../../../client/http/world.ts';
import { liveBufferBytes } from '../../../live-memory.ts';

const test = suite('memory of transfers');
const SIZE = 512 * 1024 * 1024;
/** Of buffers in use, above those that were before. */
const MOST_MB = 64;

const child = fork(join(import.meta.dirname, 'null-server.ts'), {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
let url = '';
test.before(async () => {
  const [port] = await once(child.stdout ?? process.stdin, 'data');
  url = `http://127.0.0.1:${String(port).trim()}`;
});
test.after(() => child.disconnect());

/** How far memory grew while the work ran, and how fast it was. */
async function measured(name: string, work: () => Promise<void>): Promise<void> {
  const before = liveBufferBytes();
  let most = before;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const began = performance.now();
    most = Math.max(most, liveBufferBytes());
    // Looking must not become the main work where many tests share this process and its heap.
    timer = setTimeout(look, Math.max(100, 5 * (performance.now() - began)));
  };
  look();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  clearTimeout(timer);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1000;
  const grown = (most - before) / 1e6;
  console.log(
    `  ${name}: ${Math.round(SIZE / 1e6 / seconds)} MB/s, ${((user + system) / 1e6).toFixed(2)} CPU-s, +${Math.round(grown)} MB`,
  );
  assert.ok(grown < MOST_MB, `${name}: memory grew by ${grown} MB`);
}

async function* generated(pieceBytes: number): AsyncGenerator<Buffer> {
  for (let left = SIZE; left > 0; left -= pieceBytes)
    yield Buffer.alloc(Math.min(pieceBytes, left), left & 255);
}

for (const pieceBytes of [4096, 65_536, 1_048_576]) {
  test(`an upload in pieces of ${pieceBytes} bytes`, async () => {
    const repository = repositoryAt(url);
    await measured(`upload by ${pieceBytes}`, async () => {
      const { bytes } = await repository.upload('c', generated(pieceBytes), { contentEncoding: '' });
      assert.is(bytes, SIZE);
    });
    await repository.close();
  });
}

test('a download', async () => {
  const repository = repositoryAt(url);
  await measured('download', async () => {
    let count = 0;
    for await (const piece of (await repository.download('c', String(SIZE))).content) count += piece.length;
    assert.is(count, SIZE);
  });
  await repository.close();
});

test.run();
