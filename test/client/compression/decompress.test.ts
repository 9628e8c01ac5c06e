import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compress, decompress } from '../../../src/client/compression/zstd.ts';
import { chunks, collect, failureOf } from './streams.ts';

const test = suite('client/compression/decompress');
const { ZSTD_c_checksumFlag, ZSTD_c_windowLog } = zlib.constants;
const frame = (text: string | Buffer) =>
  zlib.zstdCompressSync(text, { params: { [ZSTD_c_checksumFlag]: 1 } });
const foreign = (text: string, nibble = 0) => {
  const bytes = Buffer.alloc(8 + text.length, text, 'latin1');
  bytes.writeUInt32LE(0x184d2a50 + nibble, 0);
  bytes.writeUInt32LE(text.length, 4);
  bytes.write(text, 8);
  return bytes;
};
const content = Buffer.concat([Buffer.from('INSERT INTO orders VALUES (1);\n'.repeat(40)), randomBytes(100)]);
const ours = await collect(compress(chunks(content, 500), { level: 1 }));
const large = Buffer.concat([randomBytes(900_000), Buffer.alloc(900_000, 'text'), randomBytes(700_000)]);
const oursLarge = await collect(compress(chunks(large, 65_536), { level: 1 }));

test('frames and skippable frames of whatever origin, cut at every byte', async () => {
  const parts = [
    foreign('note'),
    frame('one'),
    foreign('', 15),
    frame('two'),
    frame(''),
    frame('three'),
    foreign('x'.repeat(99)),
  ];
  const all = Buffer.concat(parts);
  for (let at = 1; at < all.length; at++) {
    const result = await collect(decompress(two(all, at)));
    assert.is(result.toString(), 'onetwothree', `cut at ${at}`);
  }
});

test('ours beside those of others, ours twice', async () => {
  const all = Buffer.concat([frame('before '), ours, ours, frame(' after')]);
  const expected = Buffer.concat([Buffer.from('before '), content, content, Buffer.from(' after')]);
  assert.ok((await collect(decompress(chunks(all, 7)))).equals(expected));
});

test('a frame without checksum and length, made in a stream', async () => {
  const stream = zlib.createZstdCompress();
  stream.end(large);
  const made = await collect(stream as AsyncIterable<Buffer>);
  assert.ok((await collect(decompress(chunks(made, 10_000)))).equals(large));
});

test('nothing at all is nothing', async () => {
  assert.is((await collect(decompress(chunks(Buffer.of(), 1)))).length, 0);
  assert.is((await collect(decompress(chunks(foreign('only a note'), 5)))).length, 0);
});

test('ours cut after any byte but the last is damaged, between frames too', async () => {
  // Cut within the start mark, there is nothing of ours to be recognised, but never an end without an error.
  for (let at = 1; at < ours.length; at++) {
    assert.is(
      (await failureOf(decompress(chunks(ours.subarray(0, at), 4096)))).code,
      'damaged',
      `cut at ${at}`,
    );
  }
  const frames: number[] = [];
  const magic = Buffer.from('28b52ffd', 'hex');
  for (let at = oursLarge.indexOf(magic); at >= 0; at = oursLarge.indexOf(magic, at + 1)) frames.push(at);
  assert.ok(frames.length >= 3, `${frames.length} frames`);
  for (const at of frames) {
    assert.is((await failureOf(decompress(chunks(oursLarge.subarray(0, at), 65_536)))).code, 'damaged');
  }
});

test('ours without one of its frames is damaged', async () => {
  const magic = Buffer.from('28b52ffd', 'hex');
  const [first, second] = [oursLarge.indexOf(magic), oursLarge.indexOf(magic, oursLarge.indexOf(magic) + 1)];
  const without = Buffer.concat([oursLarge.subarray(0, first), oursLarge.subarray(second)]);
  const { code, message } = await failureOf(decompress(chunks(without, 65_536)));
  assert.is(code, 'damaged');
  assert.match(message, 'parts of the compressed content are missing');
});

test('a frame of others cut after any byte is damaged', async () => {
  const other = frame(content);
  for (let at = 1; at < other.length; at++)
    assert.is(
      (await failureOf(decompress(chunks(other.subarray(0, at), 64)))).code,
      'damaged',
      `cut at ${at}`,
    );
});

test('no changed bit goes unnoticed', async () => {
  const start = ours.indexOf(Buffer.from('28b52ffd', 'hex'));
  for (let at = start; at < ours.length; at++) {
    const changed = Buffer.from(ours);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    let result: Buffer | undefined;
    try {
      result = await collect(decompress(chunks(changed, 4096)));
    } catch (error) {
      const { code } = (error as { problem: { code: string } }).problem;
      assert.ok(['damaged', 'unsupported'].includes(code), `byte ${at}: ${code}`);
    }
    // A bit that means nothing to zstd may change, the content may not.
    if (result) assert.ok(result.equals(content), `byte ${at} changed the content`);
  }
});

test('what follows the last frame and is not zstd is damage', async () => {
  for (const rest of [
    'x',
    '\0',
    '\0\0\0\0\0\0\0\0',
    'garbage',
    '\x28\xb5',
    'more than sixteen bytes of it',
  ]) {
    const all = Buffer.concat([frame('good'), Buffer.from(rest, 'latin1')]);
    assert.is((await failureOf(decompress(chunks(all, 4096)))).code, 'damaged', JSON.stringify(rest));
    assert.is((await failureOf(decompress(chunks(all, 1)))).code, 'damaged', JSON.stringify(rest));
  }
  assert.is((await failureOf(decompress(chunks(Buffer.from('-- SQL'), 6)))).code, 'damaged');
});

test('a window of 256 MiB is refused with a way out', async () => {
  // Magic number, descriptor without anything, window descriptor 18 << 3: 2 to the 28th.
  const { code, message } = await failureOf(decompress(chunks(Buffer.from('28b52ffd0090010000', 'hex'), 99)));
  assert.is(code, 'unsupported');
  assert.match(message, '128 MiB');
  const fits = zlib.zstdCompressSync(content, { params: { [ZSTD_c_windowLog]: 27 } });
  assert.ok((await collect(decompress(chunks(fits, 99)))).equals(content));
});

test('a frame that needs a dictionary is refused', async () => {
  const { code, message } = await failureOf(decompress(chunks(Buffer.from('28b52ffd2107000100', 'hex'), 99)));
  assert.is(code, 'unsupported');
  assert.match(message, 'dictionary');
});

test('few bytes that become very many come out as slowly as they are read', async () => {
  const bomb = Buffer.concat(
    Array.from({ length: 4 }, () => zlib.zstdCompressSync(Buffer.alloc(32 * 1024 * 1024))),
  );
  let asked = 0;
  async function* source(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bomb.length; at += 1024) {
      asked++;
      yield bomb.subarray(at, at + 1024);
    }
  }
  const before = process.memoryUsage().arrayBuffers;
  const stream = decompress(source());
  await stream.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(asked < 3, `${asked} chunks were asked for`);
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024);
  await stream.return(undefined);
});

test('a small frame with more or less in it than it says is damaged, before it fills all memory', async () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const blocks of [1, 8000]) {
    const lie = lying(blocks);
    const failure = await failureOf(decompress(chunks(lie, 4096)));
    assert.is(failure.code, 'damaged', `${blocks} blocks`);
    const after = await failureOf(decompress(chunks(Buffer.concat([frame('fine'), lie]), 4096)));
    assert.is(after.code, 'damaged', `${blocks} blocks`);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 32 * 1024 * 1024);
});

/** A frame that says to have 150,000 bytes, and has so many times 128 KiB of zeros: a gigabyte of 8000 blocks. */
function lying(blocks: number): Buffer {
  const bytes = Buffer.alloc(10 + 4 * blocks);
  // A window of 128 KiB, the size of the content in four bytes.
  bytes.writeUInt32LE(0xfd2fb528, 0);
  bytes[4] = 0x80;
  bytes[5] = 7 << 3;
  bytes.writeUInt32LE(150_000, 6);
  for (let block = 0; block < blocks; block++) {
    // A block of one byte that is repeated; bit 0 marks the last one.
    bytes.writeUIntLE((131_072 << 3) | 2 | Number(block === blocks - 1), 10 + 4 * block, 3);
  }
  return bytes;
}

test('an error of the source comes out as it is', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield oursLarge.subarray(0, 1_000_000);
    throw new Error('the connection broke');
  }
  assert.equal(await failureOf(decompress(broken())), { message: 'the connection broke' });
});

test('whoever stops early stops the source', async () => {
  let stopped = false;
  async function* source(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield ours;
    } finally {
      stopped = true;
    }
  }
  for await (const _ of decompress(source())) break;
  assert.ok(stopped);
});

async function* two(bytes: Buffer, at: number): AsyncGenerator<Buffer> {
  yield bytes.subarray(0, at);
  yield bytes.subarray(at);
}

test.run();
