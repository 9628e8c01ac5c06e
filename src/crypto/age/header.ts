/** Finds the end of an age header in a stream. What it says is read by the package `age-encryption`. */
import { CryptoError } from '../failure.ts';
import { PAYLOAD_NONCE_BYTES } from './payload.ts';

/** Larger headers are refused, so that nobody fills memory with one: some 9000 recipients, or 600 post-quantum ones. */
export const MAX_HEADER_BYTES = 1024 * 1024;

const FORMAT = Buffer.from('age-encryption.org/');
const FIRST_LINE = Buffer.from('age-encryption.org/v1\n');
/** Begins the last line; no other line of a header begins with it. */
const LAST_LINE = Buffer.from('\n---');
/** The hyphens, a space, 32 bytes in base64 and a line feed. */
const LAST_LINE_BYTES = 48;
const LINE_FEED = 0x0a;

/** What a file begins with, and the first bytes of what follows. */
export interface FramedHeader {
  /** From the first line to the line of the HMAC, with its line feed. Neither parsed nor authenticated. */
  header: Buffer;
  nonce: Buffer;
  rest: Buffer;
}

/** Takes a stream until it has the header and the nonce behind it. */
export class HeaderReader {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #length = 0;
  /** Nothing before this offset is the beginning of the last line. */
  #searched = 0;

  /** Undefined as long as something is missing. @throws {CryptoError} `damaged` or `unsupported`. */
  push(piece: Buffer): FramedHeader | undefined {
    const before = this.#length;
    this.#append(piece.subarray(0, MAX_HEADER_BYTES + PAYLOAD_NONCE_BYTES - before));
    const bytes = this.#bytes.subarray(0, this.#length);
    checkFirstLine(bytes);
    const lastLine = bytes.indexOf(LAST_LINE, this.#searched);
    if (lastLine < 0) this.#searched = Math.max(0, this.#length - LAST_LINE.length + 1);
    const end = lastLine < 0 ? 0 : bytes.indexOf(LINE_FEED, lastLine + LAST_LINE.length) + 1;
    if (end === 0 || end > MAX_HEADER_BYTES) {
      if (this.#length > MAX_HEADER_BYTES) throw tooLarge();
      return undefined;
    }
    // The package takes an HMAC of any length, and says of a wrong one that it does not match.
    if (end - lastLine - 1 !== LAST_LINE_BYTES)
      throw new CryptoError(
        'damaged',
        'the age header cannot be read: its last line is not as long as it must be',
      );
    const nonceEnd = end + PAYLOAD_NONCE_BYTES;
    if (this.#length < nonceEnd) return undefined;
    return {
      header: bytes.subarray(0, end),
      nonce: bytes.subarray(end, nonceEnd),
      rest: piece.subarray(nonceEnd - before),
    };
  }

  /** Why there is no header if the stream ends here. */
  incomplete(): CryptoError {
    return this.#length === 0
      ? new CryptoError('damaged', 'the content is empty, where an age header was due')
      : new CryptoError(
          'damaged',
          `the age header is incomplete: the content ends after ${this.#length} bytes`,
        );
  }

  #append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}

/** For content that begins like nothing of age. */
export function notAge(): CryptoError {
  return new CryptoError(
    'damaged',
    'the content is no age file: neither an age header nor age armour stands at its beginning',
  );
}

function checkFirstLine(bytes: Buffer): void {
  const length = Math.min(bytes.length, FIRST_LINE.length);
  if (bytes.compare(FIRST_LINE, 0, length, 0, length) === 0) return;
  if (bytes.compare(FORMAT, 0, Math.min(length, FORMAT.length), 0, Math.min(length, FORMAT.length)) !== 0)
    throw notAge();
  if (bytes.toString('latin1', 0, length) === 'age-encryption.org/v1\r')
    throw new CryptoError('damaged', 'the age header was changed: its line ends are those of Windows');
  throw new CryptoError('unsupported', 'the age header names a version of the format other than v1');
}

function tooLarge(): CryptoError {
  return new CryptoError('unsupported', `the age header is larger than ${MAX_HEADER_BYTES} bytes`);
}
