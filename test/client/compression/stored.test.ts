/** Frames that are stored as they are: read by every zstd, and only made of what looks random. */
import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../../bench/client/data.ts';
import { compress } from '../../../src/client/compression/compress.ts';
import {
  contentOfStored,
  looksRandom,
  storedBytes,
  storeFrame,
} from '../../../src/client/compression/stored.ts';

const test = suite('client/compression/stored');
const KIB = 1024;

test('zstd reads back what was stored, at every edge of a block', () => {
  for (const size of [1, 255, 256, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1, 256 * KIB, 512 * KIB, 600_000]) {
    const content = randomBytes(size);
    const target = Buffer.alloc(storedBytes(size) + 100, 0xff);
    const frame = storeFrame(content, target);
    assert.is(frame.length, storedBytes(size), `${size}`);
    assert.ok(zlib.zstdDecompressSync(frame).equals(content), `${size}`);
    assert.is(target[frame.length], 0xff, 'nothing behind it is touched');
  }
});

test('what was stored is read back without zstd; a frame that is changed or of another kind is left to it', () => {
  for (const size of [1, 128 * KIB, 128 * KIB + 1, 600_000]) {
    const content = randomBytes(size);
    const frame = storeFrame(content, Buffer.alloc(storedBytes(size)));
    assert.ok(Buffer.concat(contentOfStored(frame) ?? []).equals(content), `${size}`);
    for (const bit of Array(9 * 8).keys()) {
      if (bit < 4 * 8) continue;
      const changed = Buffer.from(frame);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.is(contentOfStored(changed), undefined, `bit ${bit} of ${size}`);
    }
    for (const bit of Array(24).keys()) {
      const changed = Buffer.from(frame);
      changed[9 + (bit >> 3)] = (changed[9 + (bit >> 3)] ?? 0) ^ (1 << (bit & 7));
      assert.is(contentOfStored(changed), undefined, `bit ${bit} of the first block of ${size}`);
    }
    assert.is(contentOfStored(frame.subarray(0, -1)), undefined);
    assert.is(contentOfStored(Buffer.concat([frame, Buffer.of(0)])), undefined);
    assert.is(contentOfStored(zlib.zstdCompressSync(Buffer.alloc(size))), undefined);
  }
  for (const size of [0, 4, 8]) assert.is(contentOfStored(Buffer.alloc(size)), undefined);
});

test('what is encrypted or compressed looks random; text, numbers, zeros and base64 do not', () => {
  const [sql = Buffer.alloc(0)] = generate('sql', 512 * KIB);
  for (const size of [4 * KIB, 64 * KIB, 512 * KIB]) {
    const random = randomBytes(size);
    assert.ok(looksRandom(random), `${size} random bytes`);
    assert.not(looksRandom(sql.subarray(0, size)));
    assert.not(looksRandom(Buffer.alloc(size)));
    assert.not(looksRandom(Buffer.from(random.toString('base64')).subarray(0, size)));
    const numbers = Buffer.alloc(size);
    for (let at = 0; at < size; at += 4) numbers.writeUInt32LE(at * 3, at);
    assert.not(looksRandom(numbers));
  }
  assert.ok(looksRandom(zlib.gzipSync(sql).subarray(0, 64 * KIB)));
});

test('random content takes hardly any room more than it has, and what is behind it is compressed at once', async () => {
  const random = randomBytes(6 * 1024 * KIB);
  const sql = Buffer.concat([...generate('sql', 6 * 1024 * KIB)]);
  const sizes: number[] = [];
  for (const content of [random, sql, Buffer.concat([random, sql])]) {
    let bytes = 0;
    const pieces: Buffer[] = [];
    for await (const piece of compress(halves(content), { level: 1 })) {
      bytes += piece.length;
      pieces.push(Buffer.from(piece));
    }
    sizes.push(bytes);
    assert.ok(zlib.zstdDecompressSync(withoutMarks(Buffer.concat(pieces))).equals(content));
  }
  const [randomSize = 0, sqlSize = 0, both = 0] = sizes;
  assert.ok(randomSize < random.length * 1.0002, `${randomSize}`);
  assert.ok(both < (randomSize + sqlSize) * 1.01, `${both} of ${randomSize} + ${sqlSize}`);
});

async function* halves(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 256 * KIB) yield content.subarray(at, at + 256 * KIB);
}

/** Node's decompressor stops at skippable frames; these are the first and the last. */
function withoutMarks(stream: Buffer): Buffer {
  const first = 8 + stream.readUInt32LE(4);
  const end = stream.lastIndexOf(Buffer.from('5b2a4d18', 'hex'));
  return stream.subarray(first, end);
}

test.run();
