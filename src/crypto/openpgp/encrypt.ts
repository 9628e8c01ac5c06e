/** OpenPGP encryption as a stream, in the form that every gpg in use reads: data packet of version 1, AES-256, SHA-1 code. */
import { createHash, randomBytes } from 'node:crypto';
import { armor } from './armor.ts';
import { BLOCK_BYTES, fill, SourceBytes } from './bytes.ts';
import { aesCfbEncryption } from './cfb.ts';
import type { OpenPgpRecipients } from './keys.ts';
import { MDC_HEADER } from './mdc.ts';
import { partialLength, TAG, writeLength } from './packets.ts';
import { sealSessionKey } from './session-keys.ts';

/** AES-256. */
const KEY_BYTES = 32;
const AES_BLOCK = 16;
const HASH_BYTES = 20;
/** Length of one part of the literal packet, and of the packet around it, as powers of two. */
const PART_POWER = 16;
const BLOCK_POWER = Math.log2(BLOCK_BYTES);
/** All that is worked on at once: a block, and a part that goes beyond it. */
const MOST_BYTES = BLOCK_BYTES + 2 ** PART_POWER + 64;
/** For a part's header; the ciphertext behind it begins where words do, as the cipher wants it. */
const FRONT_BYTES = 8;
/** Binary, no file name, no date. */
const LITERAL_HEADER = Buffer.of(0x62, 0, 0, 0, 0, 0);

/**
 * The content, encrypted to every recipient: one literal packet, not compressed. With `lend`, and without armour, a piece that comes out
 * may be written to again when the next is asked for.
 *
 * @throws {CryptoError} `bad-key` if a key cannot encrypt any more; whatever the source throws.
 */
export async function* encryptOpenPgp(
  source: AsyncIterable<Buffer>,
  recipients: OpenPgpRecipients,
  options: { armor?: boolean; lend?: boolean },
): AsyncGenerator<Buffer> {
  const content = new SourceBytes(source);
  try {
    yield* options.armor
      ? armor(binary(content, recipients, false))
      : binary(content, recipients, options.lend ?? false);
  } finally {
    await content.close();
  }
}

async function* binary(
  content: SourceBytes,
  recipients: OpenPgpRecipients,
  lend: boolean,
): AsyncGenerator<Buffer> {
  const key = randomBytes(KEY_BYTES);
  yield await sealSessionKey(recipients, key, new Date());
  const packet = new ProtectedPacket(key, lend);
  key.fill(0);
  // The packets inside, begun with the prefix, of which only what is ready moves on to be encrypted.
  const plain = Buffer.allocUnsafeSlow(MOST_BYTES);
  const prefix = randomBytes(AES_BLOCK);
  let end = prefix.copy(plain);
  end += prefix.copy(plain, end, AES_BLOCK - 2);
  plain[end++] = 0xc0 | TAG.literal;
  // Where the length of the current part stands, which is known when the part is full or the content ends.
  let part = end++;
  end += LITERAL_HEADER.copy(plain, end);
  for (;;) {
    const full = part + 1 + 2 ** PART_POWER;
    end += await fill(content, plain.subarray(end, full));
    if (end < full) break;
    plain[part] = partialLength(PART_POWER);
    part = end++;
    if (part < BLOCK_BYTES) continue;
    yield packet.block(plain.subarray(0, BLOCK_BYTES));
    plain.copyWithin(0, BLOCK_BYTES, end);
    part -= BLOCK_BYTES;
    end -= BLOCK_BYTES;
  }
  const length = writeLength(end - part - 1);
  plain.copyWithin(part + length.length, part + 1, end);
  length.copy(plain, part);
  end += length.length - 1;
  end += MDC_HEADER.copy(plain, end);
  yield packet.last(plain.subarray(0, end + HASH_BYTES));
}

/** Packet 18, written in parts. The version stands in front of the ciphertext, so each part ends one byte before its block does. */
class ProtectedPacket {
  readonly #encrypt: ReturnType<typeof aesCfbEncryption>;
  readonly #hash = createHash('sha1');
  #begun = false;
  /** First the version, then the last byte of each block. */
  #carried = 1;
  readonly #lent: Buffer | undefined;

  /** @param lend - each part is written to the memory of the one before. */
  constructor(key: Uint8Array, lend: boolean) {
    this.#encrypt = aesCfbEncryption(key);
    this.#lent = lend ? Buffer.allocUnsafeSlow(FRONT_BYTES + MOST_BYTES) : undefined;
  }

  /** @param plain {@link BLOCK_BYTES}. */
  block(plain: Buffer): Buffer {
    this.#hash.update(plain);
    const part = this.#part(plain, Buffer.of(partialLength(BLOCK_POWER)));
    this.#carried = part[part.length - 1] ?? 0;
    return part.subarray(0, -1);
  }

  /** @param plain all that is left, with space for the hash at its end. */
  last(plain: Buffer): Buffer {
    const hashed = plain.length - HASH_BYTES;
    this.#hash.update(plain.subarray(0, hashed)).digest().copy(plain, hashed);
    return this.#part(plain, writeLength(plain.length + 1));
  }

  #part(plain: Buffer, length: Buffer): Buffer {
    const header = Buffer.concat([
      this.#begun ? Buffer.alloc(0) : Buffer.of(0xc0 | TAG.protected),
      length,
      Buffer.of(this.#carried),
    ]);
    this.#begun = true;
    const bytes = FRONT_BYTES + plain.length;
    const part = this.#lent?.subarray(0, bytes) ?? Buffer.allocUnsafeSlow(bytes);
    header.copy(part, FRONT_BYTES - header.length);
    this.#encrypt(plain, part.subarray(FRONT_BYTES));
    return part.subarray(FRONT_BYTES - header.length);
  }
}
