/** What encrypted data holds (RFC 9580, section 10.3): one literal packet, which may be compressed, signed, or both. */
import { createInflate, createInflateRaw } from 'node:zlib';
import { CryptoError } from '../failure.ts';
import { BLOCK_BYTES, type Bytes, drain, exactly, fill } from './bytes.ts';
import { damaged } from './damaged.ts';
import { InflatedBytes } from './inflate.ts';
import { PacketReader, TAG } from './packets.ts';

/** Compressed data in compressed data: one level is usual, many are an attack. */
const MAX_DEPTH = 4;
const COMPRESSION = { none: 0, zip: 1, zlib: 2, bzip2: 3 } as const;
/** Packets that say nothing about the content; signatures are for those who know the sender. */
const SKIPPED: readonly number[] = [TAG.onePassSignature, TAG.signature, TAG.marker, TAG.padding];

/**
 * The bytes of the literal packet, exactly as they are, also if they are marked as text. Reads the packets to their end.
 *
 * @throws {CryptoError} `damaged` if there is anything but one literal packet; `unsupported` for a compression that is not here, after
 * everything was read, so that what is damaged is called so.
 */
export async function* openContent(plain: Bytes): AsyncGenerator<Buffer> {
  yield* openPackets(plain, plain, 0);
}

/** @param whole the outermost packets, which end with the check of everything. */
async function* openPackets(plain: Bytes, whole: Bytes, depth: number): AsyncGenerator<Buffer> {
  const packets = new PacketReader(plain);
  let found = false;
  for (let packet = await packets.next(); packet; packet = await packets.next()) {
    const { tag, body } = packet;
    if (SKIPPED.includes(tag)) continue;
    if (found || (tag !== TAG.literal && tag !== TAG.compressed)) throw damaged();
    found = true;
    if (tag === TAG.literal) yield* literal(body);
    else yield* compressed(body, whole, depth + 1);
  }
  if (!found) throw damaged();
}

async function* literal(body: Bytes): AsyncGenerator<Buffer> {
  const [, nameBytes = 0] = await exactly(body, 2);
  // A file name and a date: what is restored decides neither where nor when.
  await exactly(body, nameBytes + 4);
  for (;;) {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    const length = await fill(body, block);
    // Little content must not keep a whole block in memory.
    if (length > 0)
      yield length < BLOCK_BYTES / 2 ? Buffer.from(block.subarray(0, length)) : block.subarray(0, length);
    if (length < BLOCK_BYTES) return;
  }
}

async function* compressed(body: Bytes, whole: Bytes, depth: number): AsyncGenerator<Buffer> {
  if (depth > MAX_DEPTH) throw damaged();
  const [algorithm] = await exactly(body, 1);
  if (algorithm === COMPRESSION.none) return yield* openPackets(body, whole, depth);
  if (algorithm !== COMPRESSION.zip && algorithm !== COMPRESSION.zlib) {
    await drain(whole);
    throw new CryptoError(
      'unsupported',
      `the content is compressed with ${algorithm === COMPRESSION.bzip2 ? 'bzip2' : `the unknown algorithm ${algorithm}`}, which cannot be read here: decrypt it with \`gpg --decrypt\``,
    );
  }
  const options = { chunkSize: 64 * 1024 };
  const inflater = algorithm === COMPRESSION.zip ? createInflateRaw(options) : createInflate(options);
  const inflated = new InflatedBytes(body, inflater);
  try {
    yield* openPackets(inflated, whole, depth);
  } finally {
    inflated.close();
  }
}
