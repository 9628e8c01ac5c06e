/**
 * The inside of encrypted data in authenticated chunks: packet 18 version 2 (RFC 9580, section 5.13.2), and packet 20, which
 * GnuPG 2.3 and later write for keys that ask for it (draft-koch-openpgp-2015-rfc4880bis, section 5.16).
 */
import { createDecipheriv, hkdfSync } from 'node:crypto';
import { CryptoError } from '../failure.ts';
import { type Bytes, exactly, fill } from './bytes.ts';
import { symmetricCipher } from './ciphers.ts';
import { damaged } from './damaged.ts';

const TAG_BYTES = 16;
const SALT_BYTES = 32;
/** 4 MiB, the most that RFC 9580 allows. */
const MAX_CHUNK_OCTET = 16;

interface Mode {
  name: 'ocb' | 'gcm';
  nonceBytes: number;
}
const MODES: Readonly<Partial<Record<number, Mode>>> = {
  2: { name: 'ocb', nonceBytes: 15 },
  3: { name: 'gcm', nonceBytes: 12 },
};

interface Chunks {
  cipher: 'aes-128-ocb' | 'aes-192-ocb' | 'aes-256-ocb';
  key: Uint8Array;
  chunkBytes: number;
  nonce: (index: bigint) => Buffer;
  /** What is authenticated with a chunk; for the tag after the last one, with the length of all of them too. */
  associated: (index: bigint, total?: bigint) => Buffer;
}

/**
 * @param body the packet's body after its version.
 * @throws {CryptoError} `unsupported` or `damaged`.
 */
export async function openSeipd2(body: Bytes, sessionKey: Uint8Array): Promise<AeadBytes> {
  const head = await exactly(body, 3);
  const info = Buffer.concat([Buffer.of(0xd2, 2), head]);
  const { mode, cipher, chunkBytes, keyBytes } = suite(head, sessionKey);
  const salt = await exactly(body, SALT_BYTES);
  const prefixBytes = mode.nonceBytes - 8;
  const derived = Buffer.from(hkdfSync('sha256', sessionKey, salt, info, keyBytes + prefixBytes));
  return new AeadBytes(body, {
    cipher,
    key: derived.subarray(0, keyBytes),
    chunkBytes,
    nonce: (index) => Buffer.concat([derived.subarray(keyBytes), octets(index)]),
    associated: (_, total) => (total === undefined ? info : Buffer.concat([info, octets(total)])),
  });
}

/**
 * @param body the packet's body after its version.
 * @throws {CryptoError} `unsupported` or `damaged`.
 */
export async function openGnuAead(body: Bytes, sessionKey: Uint8Array): Promise<AeadBytes> {
  const head = await exactly(body, 3);
  const info = Buffer.concat([Buffer.of(0xd4, 1), head]);
  const { mode, cipher, chunkBytes } = suite(head, sessionKey);
  const initial = await exactly(body, mode.nonceBytes);
  return new AeadBytes(body, {
    cipher,
    key: sessionKey,
    chunkBytes,
    nonce: (index) => {
      const nonce = Buffer.from(initial);
      const at = nonce.length - 8;
      nonce.writeBigUInt64BE(nonce.readBigUInt64BE(at) ^ index, at);
      return nonce;
    },
    associated: (index, total) =>
      Buffer.concat([info, octets(index), ...(total === undefined ? [] : [octets(total)])]),
  });
}

function suite(head: Buffer, sessionKey: Uint8Array) {
  const [algorithm = 0, modeNumber = 0, chunkOctet = 0] = head;
  const { name, keyBytes } = symmetricCipher(algorithm);
  const mode = MODES[modeNumber];
  if (!mode || !name.startsWith('aes-') || chunkOctet > MAX_CHUNK_OCTET) {
    throw new CryptoError(
      'unsupported',
      'the content is encrypted in a rare mode (EAX, or chunks of more than 4 MiB), which cannot be read here: decrypt it with `gpg --decrypt`',
    );
  }
  if (sessionKey.length !== keyBytes) throw damaged();
  // The name of one combination stands for all: the type of the function below knows no union of modes.
  const cipher = `${name}-${mode.name}` as Chunks['cipher'];
  return { mode, cipher, keyBytes, chunkBytes: 2 ** (chunkOctet + 6) };
}

function octets(number: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(number);
  return bytes;
}

/** The packets inside, each chunk after its tag was checked; the end only after the tag over the number of bytes was. */
class AeadBytes implements Bytes {
  readonly #body: Bytes;
  readonly #chunks: Chunks;
  /** A chunk, its tag, and the last tag if that follows. */
  readonly #memory: Buffer;
  #held = 0;
  #plain: Buffer = Buffer.alloc(0);
  #index = 0n;
  #total = 0n;
  #ended = false;

  constructor(body: Bytes, chunks: Chunks) {
    this.#body = body;
    this.#chunks = chunks;
    this.#memory = Buffer.allocUnsafeSlow(chunks.chunkBytes + 2 * TAG_BYTES);
  }

  async read(target: Buffer): Promise<number> {
    while (this.#plain.length === 0) {
      if (this.#ended) return 0;
      await this.#advance();
    }
    const length = this.#plain.copy(target);
    this.#plain = this.#plain.subarray(length);
    return length;
  }

  async #advance(): Promise<void> {
    const memory = this.#memory;
    const length = this.#held + (await fill(this.#body, memory.subarray(this.#held)));
    const last = length < memory.length;
    const chunk = length - TAG_BYTES;
    if (chunk < 0 || (last && chunk > 0 && chunk <= TAG_BYTES)) throw damaged();
    if (chunk > 0) this.#plain = this.#open(memory.subarray(0, chunk));
    if (last) {
      const { associated } = this.#chunks;
      this.#decrypt(memory.subarray(chunk, length), associated(this.#index, this.#total));
      this.#ended = true;
    }
    memory.copy(memory, 0, chunk, length);
    this.#held = TAG_BYTES;
  }

  #open(sealed: Buffer): Buffer {
    const plain = this.#decrypt(sealed, this.#chunks.associated(this.#index));
    this.#index++;
    this.#total += BigInt(plain.length);
    return plain;
  }

  /** @param sealed ciphertext, then its tag. */
  #decrypt(sealed: Buffer, associated: Buffer): Buffer {
    const { cipher, key, nonce } = this.#chunks;
    const length = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(cipher, key, nonce(this.#index), { authTagLength: TAG_BYTES });
    decipher.setAAD(associated, { plaintextLength: length });
    decipher.setAuthTag(sealed.subarray(length));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
    } catch {
      throw damaged();
    }
  }
}
