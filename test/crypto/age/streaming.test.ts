import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptAge } from '../../../src/crypto/age/decrypt.ts';
import { encryptAge } from '../../../src/crypto/age/encrypt.ts';
import { MAX_HEADER_BYTES } from '../../../src/crypto/age/header.ts';
import { liveBufferBytes } from '../../live-memory.ts';
import { armored, decryption, encrypted, identities, outcome, pieces, recipients } from './streams.ts';

const MiB = 1024 * 1024;
const test = suite('age streaming');

/** Pieces that are counted, and whether their source was closed. */
class Watched {
  given = 0;
  closed = false;
  readonly #pieces: Iterable<Buffer> | AsyncIterable<Buffer>;
  constructor(pieces: Iterable<Buffer> | AsyncIterable<Buffer>) {
    this.#pieces = pieces;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for await (const piece of this.#pieces) {
        this.given += piece.length;
        yield piece;
      }
    } finally {
      this.closed = true;
    }
  }
}

function* repeated(piece: Buffer, times = Number.POSITIVE_INFINITY): Generator<Buffer> {
  for (let n = 0; n < times; n++) yield piece;
}

test('takes no more from the source than it needs for what it gives', async () => {
  const source = new Watched(repeated(Buffer.alloc(100_000), 200));
  const sealed = new Watched(encryptAge(source, recipients));
  let out = 0;
  for await (const part of decryptAge(sealed, identities)) {
    assert.ok(source.given - out < 400_000, `${source.given} bytes went in, ${out} came out`);
    out += part.length;
  }
  assert.is(out, 200 * 100_000);
});

test('memory does not grow with the content', async () => {
  const before = liveBufferBytes();
  let most = 0;
  let count = 0;
  for await (const part of decryptAge(
    encryptAge(new Watched(repeated(Buffer.alloc(MiB), 64)), recipients),
    identities,
  )) {
    assert.ok(part.length > 0);
    if (count++ % 64 === 0) most = Math.max(most, liveBufferBytes() - before);
  }
  assert.is(count, 1024);
  assert.ok(most < 16 * MiB, `${Math.round(most / MiB)} MiB are in use for 64 MiB`);
});

test('a consumer that stops early closes the source, at whatever point', async () => {
  const plain = Buffer.alloc(300_000);
  const binary = await encrypted(plain);
  for (const taken of [1, 2, 3]) {
    const toSeal = new Watched(pieces(plain, 100_000));
    await takeOnly(taken, encryptAge(toSeal, recipients));
    assert.ok(toSeal.closed, `encrypt, ${taken}`);
    for (const sealed of [binary, armored(binary)]) {
      const toOpen = new Watched(pieces(sealed, 100_000));
      await takeOnly(taken, decryptAge(toOpen, identities));
      assert.ok(toOpen.closed, `decrypt, ${taken}`);
    }
  }
});

async function takeOnly(count: number, stream: AsyncIterable<Buffer>): Promise<void> {
  let taken = 0;
  for await (const _ of stream) if (++taken === count) return;
}

test('an error of the source comes through as it is, and no final chunk before it', async () => {
  const failure = new Error('the disk is gone');
  async function* failing(bytes: Buffer): AsyncGenerator<Buffer> {
    yield bytes;
    throw failure;
  }
  const plain = Buffer.alloc(200_000, 1);
  const half = await outcome(encryptAge(failing(plain), recipients));
  assert.is(half.error, failure);
  assert.ok(half.released.length > 0);
  const opened = await outcome(decryptAge(pieces(half.released), identities));
  assert.is(opened.error?.reason, 'damaged');

  const sealed = await encrypted(plain);
  for (const bytes of [sealed, armored(sealed)]) {
    const broken = await outcome(decryptAge(failing(bytes), identities));
    assert.is(broken.error, failure);
    assert.ok(broken.released.equals(plain.subarray(0, broken.released.length)));
    assert.ok(broken.released.length < plain.length, 'the final chunk is opened only at the end');
  }
});

test('damage in the middle closes the source', async () => {
  const sealed = await encrypted(Buffer.alloc(1_000_000));
  sealed[400_000] = (sealed[400_000] ?? 0) ^ 1;
  const source = new Watched(pieces(sealed, 50_000));
  const { error } = await outcome(decryptAge(source, identities));
  assert.is(error?.reason, 'damaged');
  assert.ok(source.closed);
  assert.ok(source.given < 600_000, 'reading on would be of no use');
});

const ENDLESS: Readonly<Record<string, { begin: string; piece: string; most: number }>> = {
  'a header of many stanzas': {
    begin: 'age-encryption.org/v1\n',
    piece: `-> grease a\n${'A'.repeat(10)}\n`.repeat(100),
    most: MAX_HEADER_BYTES,
  },
  'a header of one line': {
    begin: 'age-encryption.org/v1\n',
    piece: 'a'.repeat(1000),
    most: MAX_HEADER_BYTES,
  },
  'a line of armour': { begin: '-----BEGIN AGE ENCRYPTED FILE-----\n', piece: 'A'.repeat(1000), most: 1000 },
  'white space in front': { begin: '\n', piece: '\n'.repeat(1000), most: 1024 },
};

for (const [name, { begin, piece, most }] of Object.entries(ENDLESS)) {
  test(`${name} without an end is refused soon`, async () => {
    const source = new Watched(
      (function* () {
        yield Buffer.from(begin);
        yield* repeated(Buffer.from(piece));
      })(),
    );
    const { error } = await outcome(decryptAge(source, identities));
    assert.ok(['damaged', 'unsupported'].includes(error?.reason ?? ''), String(error));
    assert.ok(source.given <= most + begin.length + 2 * piece.length, `${source.given} bytes were read`);
  });
}

test('pieces of the source may be written to again, and what is lent comes out of the same memory', async () => {
  const plain = randomBytes(3 * MiB + 12_345);
  const sealed: Buffer[] = [];
  const memory = new Set<ArrayBufferLike>();
  for await (const piece of encryptAge(overwritten(plain), recipients, { lend: true })) {
    if (piece.length > 60_000) memory.add(piece.buffer);
    sealed.push(Buffer.from(piece));
  }
  const { released, error } = await decryption(Buffer.concat(sealed));
  assert.is(error, undefined);
  assert.ok(released.equals(plain));
  assert.ok(memory.size <= 4, `${memory.size} pieces of memory`);
});

/** In pieces of many sizes, each of which is destroyed when the next is asked for. */
async function* overwritten(bytes: Buffer): AsyncGenerator<Buffer> {
  const lent = Buffer.alloc(300_000);
  const sizes = [1, 65_535, 65_536, 65_537, 262_144, 17, 131_072];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const taken = bytes.copy(lent, 0, at, at + (sizes[turn % sizes.length] ?? 1));
    yield lent.subarray(0, taken);
    lent.fill(0xee);
    at += taken;
  }
}

test.run();
