/** The field `file` of an urlencoded form, decoded while it streams. */
import { Transform, type TransformCallback } from 'node:stream';
import { Refused } from '../versions/refusals.ts';

const [AMPERSAND, EQUALS, PLUS, PERCENT, SPACE] = [0x26, 0x3d, 0x2b, 0x25, 0x20];
const MAX_NAME = 64;
/** Bytes of a form that are not the file: no more than of any body that is not an upload. */
export const MOST_BESIDE = 64 * 1024;

export class FormFile extends Transform {
  /** Name of the field that is being read; undefined behind its `=`. */
  #name: string | undefined = '';
  #wanted = false;
  #found = false;
  #beside = 0;
  /** A `%` escape that is not complete yet. */
  #escape = '';

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const output = Buffer.allocUnsafe(chunk.length);
    let length = 0;
    for (const byte of chunk) {
      if (this.#name !== undefined) {
        this.#beside++;
        this.#readName(byte);
      } else if (byte === AMPERSAND) {
        this.#name = '';
        this.#wanted = false;
      } else if (this.#wanted) {
        const decoded = this.#decode(byte);
        if (decoded !== undefined) output[length++] = decoded;
      } else {
        this.#beside++;
      }
    }
    if (this.#beside > MOST_BESIDE) done(tooMuchBeside());
    else done(null, length > 0 ? output.subarray(0, length) : undefined);
  }

  override _flush(done: TransformCallback): void {
    if (this.#escape !== '') done(badForm('an escape at its end is not complete'));
    else done(this.#found ? null : badForm('there is no field "file"'));
  }

  #readName(byte: number): void {
    if (byte === EQUALS) {
      this.#wanted = this.#name === 'file' && !this.#found;
      this.#found ||= this.#wanted;
      this.#name = undefined;
    } else if (byte === AMPERSAND) {
      this.#name = '';
    } else if ((this.#name?.length ?? 0) < MAX_NAME) {
      this.#name += String.fromCharCode(byte);
    }
  }

  /** A byte of the value, or undefined in the middle of an escape. */
  #decode(byte: number): number | undefined {
    if (this.#escape !== '') {
      this.#escape += String.fromCharCode(byte);
      if (this.#escape.length < 3) return undefined;
      const value = /^%[0-9a-f]{2}$/i.test(this.#escape)
        ? Number.parseInt(this.#escape.slice(1), 16)
        : undefined;
      this.#escape = '';
      if (value === undefined) this.destroy(badForm('it has an escape that is none'));
      return value;
    }
    if (byte === PERCENT) {
      this.#escape = '%';
      return undefined;
    }
    return byte === PLUS ? SPACE : byte;
  }
}

export function tooMuchBeside(): Refused {
  return badForm(`there are more than ${MOST_BESIDE / 1024} KiB beside the field "file"`);
}

export function badForm(reason: string): Refused {
  return new Refused('bad-form', `cannot read file from multipart/urlencoded form: ${reason}`);
}
