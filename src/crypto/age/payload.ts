/**
 * The payload of an age file: STREAM over chunks of 64 KiB, each sealed with ChaCha20-Poly1305 (C2SP `age`, "Payload"). On
 * OpenSSL's cipher, since the one of the package `age-encryption` is written in JavaScript and five times slower.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { CryptoError } from '../failure.ts';
import { ChunkSplitter } from './chunks.ts';

/** Bytes of the random value in front of the payload. */
export const PAYLOAD_NONCE_BYTES = 16;

const CIPHER = 'chacha20-poly1305';
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const SEALED_BYTES = CHUNK_BYTES + TAG_BYTES;
/** So many sealed chunks come out in one buffer at most. */
const CHUNKS_AT_ONCE = 16;

/** Seals a stream of plaintext. */
export class PayloadSealer {
  readonly #key: KeyObject;
  readonly #plain = new ChunkSplitter(CHUNK_BYTES);
  readonly #lend: boolean;
  #counter = 0;
  #sealed = Buffer.alloc(0);

  /**
   * @param nonce - never used before with this file key.
   * @param lend - what comes out is written to again for what comes next, instead of new memory.
   */
  constructor(fileKey: Uint8Array, nonce: Buffer, lend = false) {
    this.#key = payloadKey(fileKey, nonce);
    this.#lend = lend;
  }

  /** The chunks that this piece completes. It may be written to again once they are taken. */
  *push(piece: Buffer): Generator<Buffer> {
    let left = this.#plain.ready(piece.length);
    let end = 0;
    for (const chunk of this.#plain.push(piece)) {
      if (end === 0) this.#makeRoom(Math.min(left, CHUNKS_AT_ONCE));
      end += this.#seal(chunk, false, end);
      left--;
      if (left > 0 && end < CHUNKS_AT_ONCE * SEALED_BYTES) continue;
      yield this.#sealed.subarray(0, end);
      end = 0;
    }
  }

  /** The final chunk. Without it, nobody takes what came before for the whole. */
  end(): Buffer {
    this.#makeRoom(1);
    return this.#sealed.subarray(0, this.#seal(this.#plain.last(), true, 0));
  }

  #makeRoom(chunks: number): void {
    const bytes = chunks * SEALED_BYTES;
    if (!this.#lend || this.#sealed.length < bytes) this.#sealed = Buffer.allocUnsafeSlow(bytes);
  }

  /** Seals a chunk to where it stands among those that come out. @returns how long it is then. */
  #seal(chunk: Buffer, final: boolean, at: number): number {
    const cipher = createCipheriv(CIPHER, this.#key, chunkNonce(this.#counter++, final), {
      authTagLength: TAG_BYTES,
    });
    const sealed = cipher.update(chunk).copy(this.#sealed, at);
    cipher.final();
    return sealed + cipher.getAuthTag().copy(this.#sealed, at + sealed);
  }
}

/** Opens a sealed stream, and gives out nothing that is not authentic. */
export class PayloadOpener {
  readonly #key: KeyObject;
  readonly #sealed = new ChunkSplitter(SEALED_BYTES);
  #counter = 0;

  constructor(fileKey: Uint8Array, nonce: Buffer) {
    this.#key = payloadKey(fileKey, nonce);
  }

  /** The plaintext of the chunks that this piece completes. @throws {CryptoError} `damaged`. */
  *push(piece: Buffer): Generator<Buffer> {
    for (const chunk of this.#sealed.push(piece)) {
      const plain = this.#open(chunk, false);
      if (plain) {
        yield plain;
      } else {
        const end = this.#open(chunk, true);
        if (end) yield end;
        throw this.#damaged(end ? 'goes on after its end' : 'was changed');
      }
      this.#counter++;
    }
  }

  /** The plaintext of the final chunk. @throws {CryptoError} `damaged` if the stream does not end with one. */
  *end(): Generator<Buffer> {
    const chunk = this.#sealed.last();
    if (chunk.length < TAG_BYTES) throw this.#damaged('is incomplete: its end is missing');
    const plain = this.#open(chunk, true);
    if (!plain) {
      const full = chunk.length === SEALED_BYTES ? this.#open(chunk, false) : undefined;
      if (full) {
        this.#counter++;
        yield full;
      }
      throw this.#damaged(full ? 'is incomplete: its end is missing' : 'was changed, or its end is missing');
    }
    if (plain.length > 0) yield plain;
    // The format has one way to write each content, and only one without a byte ends so.
    else if (this.#counter > 0) throw this.#damaged('ends with an empty chunk, which age never writes');
  }

  /** Undefined if the chunk is not what was sealed at this place. */
  #open(chunk: Buffer, final: boolean): Buffer | undefined {
    const decipher = createDecipheriv(CIPHER, this.#key, chunkNonce(this.#counter, final), {
      authTagLength: TAG_BYTES,
    });
    const tagAt = chunk.length - TAG_BYTES;
    decipher.setAuthTag(chunk.subarray(tagAt));
    const plain = decipher.update(chunk.subarray(0, tagAt));
    try {
      decipher.final();
      return plain;
    } catch {
      return undefined;
    }
  }

  #damaged(what: string): CryptoError {
    const at = this.#counter * CHUNK_BYTES;
    return new CryptoError('damaged', `the age payload ${what}, from byte ${at} of what is inside on`);
  }
}

function payloadKey(fileKey: Uint8Array, nonce: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32)));
}

/** Eleven bytes of counter, big endian, and one that marks the final chunk. */
function chunkNonce(counter: number, final: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(counter, 5, 6);
  nonce[11] = final ? 1 : 0;
  return nonce;
}
