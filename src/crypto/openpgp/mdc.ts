/**
 * The inside of an encrypted data packet of version 1 (RFC 9580, section 5.13.1): cipher feedback over a random prefix, packets, and
 * the SHA-1 of both in a last packet.
 */
import { createHash, type Hash, timingSafeEqual } from 'node:crypto';
import { BLOCK_BYTES, type Bytes, fill } from './bytes.ts';
import type { Transform } from './cfb.ts';
import { cfbDecryption, symmetricCipher } from './ciphers.ts';
import { damaged } from './damaged.ts';

/** The header of the last packet: tag 19 with a length of 20. */
export const MDC_HEADER = Buffer.of(0xd3, 20);
const HASH_BYTES = 20;
const MDC_BYTES = MDC_HEADER.length + HASH_BYTES;
/** Space in front of each block for what was held back of the one before; a multiple of 4, for the cipher. */
const FRONT = 32;

/**
 * The packets inside. The last {@link MDC_BYTES} are always held back: once nothing follows them, they must be the modification
 * detection code, or the end is not reported but `damaged`.
 *
 * The two repeated bytes of the prefix are not compared: the code says the same, and who sees the difference learns about
 * the key stream (RFC 9580, section 13.4).
 */
export class MdcBytes implements Bytes {
  readonly #body: Bytes;
  readonly #decrypt: Transform;
  readonly #hash: Hash = createHash('sha1');
  readonly #memory: Buffer = Buffer.allocUnsafeSlow(FRONT + BLOCK_BYTES);
  /** What of the memory is plaintext; the last bytes of it are held back. */
  #start = FRONT;
  #end = FRONT;
  /** Bytes of the prefix that are still to be thrown away. */
  #prefix: number;
  #ended = false;

  /** @param body the packet's body after its version. @throws {CryptoError} `unsupported` for a cipher that is not here. */
  constructor(body: Bytes, algorithm: number, key: Uint8Array) {
    const cipher = symmetricCipher(algorithm);
    if (key.length !== cipher.keyBytes) throw damaged();
    this.#body = body;
    this.#decrypt = cfbDecryption(cipher, key);
    this.#prefix = cipher.blockBytes + 2;
  }

  async read(target: Buffer): Promise<number> {
    while (this.#end - this.#start <= MDC_BYTES) {
      if (this.#ended) return 0;
      await this.#advance();
    }
    const length = this.#memory.copy(target, 0, this.#start, this.#end - MDC_BYTES);
    this.#start += length;
    return length;
  }

  async #advance(): Promise<void> {
    const held = this.#end - this.#start;
    this.#memory.copy(this.#memory, FRONT - held, this.#start, this.#end);
    const block = this.#memory.subarray(FRONT);
    const length = await fill(this.#body, block);
    this.#decrypt(block.subarray(0, length), block);
    this.#start = FRONT - held;
    this.#end = FRONT + length;
    const open = Math.max(this.#start, this.#end - MDC_BYTES);
    this.#hash.update(this.#memory.subarray(this.#start, open));
    const skipped = Math.min(this.#prefix, open - this.#start);
    this.#prefix -= skipped;
    this.#start += skipped;
    if (length < block.length) this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    const code = this.#memory.subarray(this.#end - MDC_BYTES, this.#end);
    if (this.#prefix > 0 || this.#end - this.#start < MDC_BYTES) throw damaged();
    const expected = this.#hash.update(MDC_HEADER).digest();
    if (!timingSafeEqual(code, Buffer.concat([MDC_HEADER, expected]))) throw damaged();
  }
}
