/** ASCII armour of messages (RFC 9580, section 6), both ways, in memory that does not grow. */
import type { SourceBytes } from './bytes.ts';
import { Crc24 } from './crc24.ts';
import { damaged } from './damaged.ts';

const BEGIN = '-----BEGIN PGP MESSAGE-----';
const END = '-----END PGP MESSAGE-----';
const LINE_BYTES = 48;
const LINE_CHARS = 64;
const NEWLINE = 0x0a;
/** More text than this in front of a message, or behind its data, is none of it. */
const MAX_TEXT = 16 * 1024;

/** The same as text: lines of 64 characters and a checksum. */
export async function* armor(message: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from(`${BEGIN}\n\n`);
  const crc = new Crc24();
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of message) {
    crc.update(chunk);
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % LINE_BYTES);
    if (whole > 0) yield lines(bytes.subarray(0, whole));
    rest = Buffer.from(bytes.subarray(whole));
  }
  const last = rest.length > 0 ? `${rest.toString('base64')}\n` : '';
  yield Buffer.from(`${last}=${crc.digest()}\n${END}\n`);
}

/** Base64 as it comes, at the end of the memory; then line after line moves to its place in front. */
function lines(bytes: Buffer): Buffer {
  const count = bytes.length / LINE_BYTES;
  const text = Buffer.allocUnsafeSlow(count * (LINE_CHARS + 1));
  text.write(bytes.toString('base64'), count, 'latin1');
  for (let line = 0; line < count; line++) {
    const from = count + line * LINE_CHARS;
    const to = line * (LINE_CHARS + 1);
    text.copyWithin(to, from, from + LINE_CHARS);
    text[to + LINE_CHARS] = NEWLINE;
  }
  return text;
}

/**
 * The message in armoured text, which may have other text in front but only white space behind.
 *
 * The checksum may be missing, as RFC 9580 wants it, but if it is there it must be right: gpg refuses it too.
 *
 * @throws {CryptoError} `damaged`.
 */
export async function* dearmor(text: SourceBytes): AsyncGenerator<Buffer> {
  let read = await skipHead(text);
  const crc = new Crc24();
  let rest = '';
  for (let stop = -1; stop < 0; ) {
    stop = read.search(/[=-]/);
    const characters = rest + (stop < 0 ? read : read.slice(0, stop)).replace(/[ \t\r\n]+/g, '');
    const whole = characters.length - (characters.length % 4);
    const bytes = Buffer.from(
      whole === characters.length ? characters : characters.slice(0, whole),
      'base64',
    );
    // What is not base64 is passed over by Node.js.
    if (bytes.length !== (whole / 4) * 3) throw damaged();
    crc.update(bytes);
    if (bytes.length > 0) yield bytes;
    rest = characters.slice(whole);
    if (stop >= 0) break;
    const chunk = await text.take();
    if (!chunk) throw damaged();
    read = chunk.toString('latin1');
  }
  const bytes = readTail(rest + (await toEnd(text, read.slice(read.search(/[=-]/)))), crc);
  if (bytes.length > 0) yield bytes;
}

/** Takes everything up to the first line of data; returns what was read of that. */
async function skipHead(text: SourceBytes): Promise<string> {
  let head = '';
  for (;;) {
    const chunk = await text.take();
    if (!chunk) throw damaged();
    head += chunk.toString('latin1');
    // The line, its headers if there are any, and an empty line.
    const match =
      /(?:^|\n)[ \t]*-----BEGIN PGP MESSAGE-----[ \t]*\r?\n(?:[A-Za-z]+: [^\n]*\n)*[ \t]*\r?\n/.exec(head);
    if (match) return head.slice(match.index + match[0].length);
    if (head.length > MAX_TEXT) throw damaged();
  }
}

async function toEnd(text: SourceBytes, begun: string): Promise<string> {
  let tail = begun;
  for (let chunk = await text.take(); chunk; chunk = await text.take()) {
    tail += chunk.toString('latin1');
    if (tail.length > MAX_TEXT) throw damaged();
  }
  return tail;
}

/** The bytes of the last characters, if their number was no multiple of 3. */
function readTail(tail: string, crc: Crc24): Buffer {
  const match =
    /^([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\s*(?:=([A-Za-z0-9+/]{4})\s+)?-----END PGP MESSAGE-----\s*$/.exec(
      tail,
    );
  if (!match) throw damaged();
  const [, last = '', checksum] = match;
  const bytes = Buffer.from(last, 'base64');
  crc.update(bytes);
  if (checksum !== undefined && checksum !== crc.digest()) throw damaged();
  return bytes;
}
