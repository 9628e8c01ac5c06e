/** What lies in the repository as the user's own bytes again: decrypted and decompressed, or refused with a reason. */
import type { Code } from '../api/codes.ts';
import { decrypt } from '../crypto/decrypt.ts';
import { CryptoError, type CryptoReason } from '../crypto/failure.ts';
import { type EncryptedFormat, HEAD_BYTES, recognise } from '../crypto/formats.ts';
import type { Identities } from '../crypto/keys.ts';
import { compressionOf, decompress } from './compression/zstd.ts';
import { failure } from './failure.ts';
import { peek } from './peek.ts';

/** What a version's metadata says where the client did not compress. Absent metadata says nothing at all. */
export const NOT_COMPRESSED = 'identity';
export const ZSTD = 'zstd';

/** `auto` goes by the metadata, else by the mark that our compression leaves, and never guesses. */
export type Decompression = 'auto' | 'zstd' | 'none';

export interface OpenOptions {
  /** Opens the content; undefined if the user gave no key. */
  identities: Identities | undefined;
  /** The user said that the content is not encrypted; then it is not looked at either. */
  noEncryption: boolean;
  decompression: Decompression;
  /** From the version's metadata; undefined or empty if it does not say. */
  contentEncoding: string | undefined;
}

export interface Opened {
  /** Undefined: not encrypted. */
  format: EncryptedFormat | undefined;
  compressed: boolean;
  /** Ends without an error only if everything was authentic and complete. */
  content: AsyncGenerator<Buffer>;
}

/** Reads as far as it needs to know the format and to see that the key fits. @throws {UserError} */
export async function openContent(stored: AsyncIterable<Buffer>, options: OpenOptions): Promise<Opened> {
  const { head, content, close } = await peek(stored, HEAD_BYTES);
  try {
    const format = options.noEncryption ? undefined : recognise(head);
    if (!options.noEncryption) checkEncryption(format, options.identities);
    const plain =
      format && options.identities ? explained(decrypt(content, format, options.identities)) : content;
    const inner = await peek(plain, HEAD_BYTES);
    const compressed = isCompressed(inner.head, options);
    return { format, compressed, content: compressed ? decompress(inner.content) : inner.content };
  } catch (error) {
    await close();
    throw explain(error);
  }
}

function checkEncryption(format: EncryptedFormat | undefined, identities: Identities | undefined): void {
  if (format && !identities) {
    throw failure(
      'bad-key',
      `the version is encrypted with ${nameOf(format)}, and no private key was given`,
      '--private-key <file>, or BM_PRIVATE_KEY_PATH',
    );
  }
  if (!format && identities) {
    throw failure(
      'damaged',
      'the version is not encrypted, although a private key was given: whoever can write to the repository may have put it there',
      '--no-encryption, if it is known to be so',
    );
  }
}

function isCompressed(head: Buffer, { decompression, contentEncoding }: OpenOptions): boolean {
  if (decompression !== 'auto') return decompression === 'zstd';
  switch (contentEncoding) {
    case ZSTD:
      return true;
    case NOT_COMPRESSED:
      if (compressionOf(head) === 'marked') {
        throw failure(
          'usage',
          "the content has the mark of our compression, and the version's metadata says that it is not compressed",
          '--decompress zstd, or --decompress none to take it as it is',
        );
      }
      return false;
    case undefined:
    case '':
      break;
    default:
      throw failure(
        'unsupported',
        `the version's metadata says that it is compressed with "${contentEncoding}", which cannot be undone here`,
        `--decompress none --cmd '<what decompresses it> | <the command>'`,
      );
  }
  const found = compressionOf(head);
  if (found === 'zstd') {
    throw failure(
      'usage',
      'the content is zstd, and nothing says whether the backup was compressed or the data itself is like that',
      '--decompress zstd, or --decompress none to take it as it is',
    );
  }
  return found === 'marked';
}

const CODES: Readonly<Record<CryptoReason, Code>> = {
  'bad-key': 'bad-key',
  'bad-passphrase': 'bad-key',
  'wrong-key': 'bad-key',
  damaged: 'damaged',
  unsupported: 'unsupported',
};

const HINTS: Readonly<Partial<Record<CryptoReason, string>>> = {
  'bad-passphrase': 'BM_PASSPHRASE, or --passphrase-file <file>',
  'wrong-key': '--private-key <file of the key that the backup was made for>',
  damaged: 'backup-maker check --version <number> says whether other versions are intact',
};

/** Errors about keys and encrypted content as what the user can do about them; any other error as it is. */
export function explain(error: unknown): unknown {
  if (!(error instanceof CryptoError)) return error;
  return failure(CODES[error.reason], error.message, HINTS[error.reason], error);
}

async function* explained(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* source;
  } catch (error) {
    throw explain(error);
  }
}

/** A format's name for people. */
export function nameOf(format: EncryptedFormat): string {
  return format.startsWith('age') ? 'age' : 'OpenPGP';
}
