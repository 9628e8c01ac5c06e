/**
 * What a client's measurements back up: SQL text as a dump has it, which zstd at level 1 makes about a third of, and bytes
 * that nothing can compress. The same seed gives the same bytes on every machine.
 *
 *   node bench/client/data.ts sql 1073741824 /some/dump.sql
 *   node bench/client/data.ts random 1073741824 /some/dump.bin
 */
import { createCipheriv } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { xorshift } from './random.ts';

export type Content = 'sql' | 'random';

const PIECE = 1024 * 1024;
const ROWS_PER_INSERT = 40;
const STATES = ['new', 'paid', 'packed', 'shipped', 'returned', 'cancelled'];
const NAMES = ['anna', 'boris', 'chen', 'dora', 'emil', 'fatima', 'goran', 'hanna', 'ivo', 'jana', 'karl'];
const WORDS =
  'the parcel was left with a neighbour please call before delivery second floor ring twice gift wrapping no invoice ' +
  'inside fragile keep dry and customer asked for refund of shipping costs exchange size colour blue red';
const NOTES = WORDS.split(' ');

/** Exactly `bytes` bytes, in pieces of a mebibyte. */
export function* generate(content: Content, bytes: number, seed = 1): Generator<Buffer> {
  const pieces = content === 'sql' ? sqlPieces(seed) : randomPieces(seed);
  for (let left = bytes; left > 0; ) {
    const { value } = pieces.next();
    if (!value) return;
    yield value.subarray(0, left);
    left -= value.length;
  }
}

/** Writes a file of exactly `bytes` bytes, whatever the size, in little memory. */
export async function writeData(path: string, bytes: number, content: Content, seed = 1): Promise<void> {
  await pipeline(Readable.from(generate(content, bytes, seed)), createWriteStream(path, { mode: 0o600 }));
}

/** A stream cipher's key stream: random to every compressor, and much faster than a generator in JavaScript. */
function* randomPieces(seed: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE);
  for (;;) yield cipher.update(zeros);
}

/** Statements without end: rows with counters, times, repeating and free text, and the share of hashes that shops have. */
function* sqlPieces(seed: number): Generator<Buffer> {
  const random = xorshift(seed);
  const pick = (list: readonly string[]) => list[random() % list.length];
  let text = "-- PostgreSQL database dump\nSET client_encoding = 'UTF8';\n";
  for (let id = 1; ; ) {
    while (text.length < PIECE) {
      text +=
        'INSERT INTO public.orders (id, customer, email, state, total, token, note, created_at) VALUES\n';
      for (let row = 0; row < ROWS_PER_INSERT; row++, id++) {
        const name = `${pick(NAMES)}${random() % 90_000}`;
        const token = (random() % 5 < 4 ? random() * 2 ** 20 + random() : 0).toString(16);
        let note = '';
        for (let words = random() % 14; words > 0; words--) note += ` ${pick(NOTES)}`;
        const seconds = String((id * 7 + (random() % 5)) % 60).padStart(2, '0');
        const minutes = String(Math.floor(id / 9) % 60).padStart(2, '0');
        const total = `${random() % 500}.${String(random() % 100).padStart(2, '0')}`;
        text +=
          `(${id}, ${random() % 120_000}, '${name}@example.org', '${pick(STATES)}', ${total}, '${token}', ` +
          `'${note.trimStart()}', '2026-03-${10 + (Math.floor(id / 90_000) % 20)} 12:${minutes}:${seconds}+00')` +
          `${row === ROWS_PER_INSERT - 1 ? ';' : ','}\n`;
      }
    }
    // ASCII: a character is a byte.
    yield Buffer.from(text.slice(0, PIECE), 'latin1');
    text = text.slice(PIECE);
  }
}

if (import.meta.main) {
  const [content, bytes, path] = process.argv.slice(2);
  if ((content !== 'sql' && content !== 'random') || !(Number(bytes) > 0) || path === undefined) {
    console.error('usage: node bench/client/data.ts sql|random <bytes> <path>');
    process.exit(2);
  }
  await writeData(path, Number(bytes), content);
}
