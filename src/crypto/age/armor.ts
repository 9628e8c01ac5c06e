/** ASCII armour of age files: strict PEM (C2SP `age`, "ASCII armor"; RFC 7468), without headers and with lines of 64 columns. */
import { CryptoError } from '../failure.ts';
import { notAge } from './header.ts';

const BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----';
const END = '-----END AGE ENCRYPTED FILE-----';
const COLUMNS = 64;
const HYPHEN = '-'.charCodeAt(0);
const WHITESPACE: readonly number[] = [...'\t\n\v\f\r '].map((character) => character.charCodeAt(0));
const ONLY_WHITESPACE = /^[\t\n\v\f\r ]*$/;
/** So much is allowed in front of armour, as in the reference implementation. */
const MAX_LEADING_WHITESPACE = 1024;
/** So much text is decoded at once. */
const BLOCK = 64 * 1024;

/** The bytes inside if the source is armoured, otherwise its own. @throws {CryptoError} `damaged` while it is iterated. */
export async function* removeArmor(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let armor: ArmorDecoder | undefined;
  let binary = false;
  let skipped = 0;
  for await (const piece of source) {
    let text = piece;
    if (!armor && !binary) {
      const begin = piece.findIndex((byte) => !WHITESPACE.includes(byte));
      skipped += begin < 0 ? piece.length : begin;
      if (skipped > MAX_LEADING_WHITESPACE) throw notAge();
      if (begin < 0) continue;
      text = piece.subarray(begin);
      if (text[0] === HYPHEN) armor = new ArmorDecoder();
      else if (skipped === 0) binary = true;
      else throw notAge();
    }
    if (!armor) {
      yield piece;
      continue;
    }
    for (let at = 0; at < text.length; at += BLOCK) {
      const bytes = armor.push(text.toString('latin1', at, at + BLOCK));
      if (bytes.length > 0) yield bytes;
    }
  }
  const rest = armor?.end();
  if (rest && rest.length > 0) yield rest;
}

/** Takes text from the first hyphen on. */
class ArmorDecoder {
  /** What the next line has to be. */
  #expects: 'begin' | 'body' | 'end' | 'nothing' = 'begin';
  #unfinished = '';

  push(text: string): Buffer {
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = lines.pop() ?? '';
    const bytes = this.#decode(lines);
    if (this.#expects === 'nothing') {
      this.#read(this.#unfinished, []);
      this.#unfinished = '';
    } else if (this.#unfinished.length > COLUMNS + 1) {
      throw damaged('a line is longer than 64 characters');
    }
    return bytes;
  }

  end(): Buffer {
    const bytes = this.#decode(this.#unfinished === '' ? [] : [this.#unfinished]);
    if (this.#expects !== 'nothing') throw damaged('it is incomplete, as its last line is missing');
    return bytes;
  }

  #decode(lines: readonly string[]): Buffer {
    const body: string[] = [];
    for (const line of lines) this.#read(line.endsWith('\r') ? line.slice(0, -1) : line, body);
    const text = body.join('');
    const bytes = Buffer.from(text, 'base64');
    // Node.js skips what is not base64; only what was canonical comes back the same.
    if (bytes.toString('base64') !== text) throw damaged('a line is not base64 as age writes it');
    return bytes;
  }

  #read(line: string, body: string[]): void {
    switch (this.#expects) {
      case 'begin':
        if (line !== BEGIN) throw damaged(`its first line is not ${BEGIN}`);
        this.#expects = 'body';
        break;
      case 'body':
        if (line === END) {
          this.#expects = 'nothing';
        } else {
          if (line.length === 0 || line.length > COLUMNS)
            throw damaged('a line is empty or longer than 64 characters');
          if (line.length < COLUMNS || line.endsWith('=')) this.#expects = 'end';
          body.push(line);
        }
        break;
      case 'end':
        if (line !== END) throw damaged(`a short line is not followed by ${END}`);
        this.#expects = 'nothing';
        break;
      case 'nothing':
        if (!ONLY_WHITESPACE.test(line)) throw damaged('something follows after its last line');
    }
  }
}

function damaged(what: string): CryptoError {
  return new CryptoError('damaged', `the age armour is damaged: ${what}`);
}
