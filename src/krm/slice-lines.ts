/**
 * Slices a ResourceList by looking at the first characters of its lines: one pass, nothing parsed, some
 * milliseconds for ten megabytes.
 *
 * Sound for the shape kpt and kustomize write, and it insists on that shape: one document, a block mapping in
 * column 0 with plain keys, `items:` alone on its line above a block list. There, a line in column 0 is a key, a
 * comment or (if lists are not indented) an entry; nothing inside a value can stand in column 0, because block
 * scalars, folded text and flow collections must be indented deeper than the mapping that holds them.
 */
import type { Layout, Section } from './layout.ts';

const newline = 0x0a;
const space = 0x20;
const hash = 0x23;
const dash = 0x2d;

/** The layout of a ResourceList, or `undefined` if the text has any other shape than the expected one. */
export function sliceLines(text: string): Layout | undefined {
  // On its own a carriage return is a line break, too, to some readers.
  if (text.includes('\r')) return undefined;
  return new Lines(text).slice();
}

/** A known key, its value absent or one plain word. Whatever else there may be goes to the exact slicer. */
const envelopeKey =
  /(apiVersion|kind|functionConfig|results):(?: +[A-Za-z0-9][A-Za-z0-9./_-]*)?[ ]*(?:#.*)?(?:\n|$)/y;
const itemsKey = /items:[ ]*(?:\n|$)/y;

class Lines {
  readonly #text: string;
  readonly #sections: { key: string; start: number; end: number }[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #itemColumn = 0;
  /** Start of the line at hand. */
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  slice(): Layout | undefined {
    const text = this.#text;
    while (this.#at < text.length && this.#isBlankOrComment()) this.#nextLine();
    const preamble = text.slice(0, this.#at);
    while (this.#at < text.length) if (!this.#section()) return undefined;
    const sections: Section[] = this.#sections.map(({ key, start, end }) => ({
      key,
      text: text.slice(start, end),
    }));
    const duplicate = new Set(sections.map(({ key }) => key)).size < sections.length;
    if (duplicate || sections.length === 0) return undefined;
    return {
      text,
      root: 'block',
      style: 'block',
      preamble,
      sections,
      keyColumn: 0,
      itemColumn: this.#itemColumn,
      starts: this.#starts,
      ends: this.#ends,
    };
  }

  /** Passes one key and its value; false if it is not as expected. */
  #section(): boolean {
    const start = this.#at;
    itemsKey.lastIndex = start;
    if (itemsKey.test(this.#text)) {
      this.#nextLine();
      while (this.#at < this.#text.length && this.#isBlankOrComment()) this.#nextLine();
      this.#sections.push({ key: 'items', start, end: this.#at });
      return this.#items();
    }
    envelopeKey.lastIndex = start;
    const key = envelopeKey.exec(this.#text)?.[1];
    if (key === undefined) return false;
    this.#nextLine();
    if (!this.#passValue()) return false;
    this.#sections.push({ key, start, end: this.#at });
    return true;
  }

  /** Passes the lines of a value up to the next line that begins in column 0 with neither space, `#` nor `- `. */
  #passValue(): boolean {
    const text = this.#text;
    for (; this.#at < text.length; this.#nextLine()) {
      const code = text.charCodeAt(this.#at);
      if (code === space || code === newline || code === hash) continue;
      if (code === dash && this.#isDash(this.#at)) continue;
      return isLetter(code);
    }
    return true;
  }

  #items(): boolean {
    const text = this.#text;
    let at = this.#at;
    while (text.charCodeAt(at) === space) at++;
    // No entries: the next key follows, or the end.
    if (at === this.#at && !this.#isDash(at)) return at >= text.length || isLetter(text.charCodeAt(at));
    if (!this.#isDash(at)) return false;
    this.#itemColumn = at - this.#at;
    return this.#itemColumn === 0 ? this.#flushItems() : this.#indentedItems();
  }

  /** Entries in column 0. */
  #flushItems(): boolean {
    const text = this.#text;
    let line = this.#at;
    while (line < text.length) {
      const code = text.charCodeAt(line);
      if (code === dash) {
        if (!this.#isDash(line)) return false;
        this.#open(line, line);
      } else if (code !== space && code !== newline && code !== hash) {
        if (!isLetter(code)) return false;
        break;
      }
      const end = text.indexOf('\n', line);
      line = end < 0 ? text.length : end + 1;
    }
    return this.#close(line);
  }

  /** Entries in a column right of the keys: a line left of that column, unless a comment, ends the list. */
  #indentedItems(): boolean {
    const text = this.#text;
    const column = this.#itemColumn;
    let line = this.#at;
    while (line < text.length) {
      let at = line;
      while (at < line + column && text.charCodeAt(at) === space) at++;
      const code = text.charCodeAt(at);
      if (code === newline || code === hash || code === space || at >= text.length) {
        // Blank, a comment, or deeper than the entries.
      } else if (at === line) {
        if (!isLetter(code)) return false;
        break;
      } else if (at === line + column && this.#isDash(at)) {
        this.#open(line, at);
      } else {
        return false;
      }
      const end = text.indexOf('\n', at);
      line = end < 0 ? text.length : end + 1;
    }
    return this.#close(line);
  }

  #open(line: number, at: number): void {
    if (this.#starts.length > 0) this.#ends.push(line);
    this.#starts.push(at);
  }

  #close(line: number): boolean {
    this.#ends.push(line);
    this.#at = line;
    return true;
  }

  #isDash(at: number): boolean {
    const next = this.#text.charCodeAt(at + 1);
    return this.#text.charCodeAt(at) === dash && (next === space || next === newline || Number.isNaN(next));
  }

  #isBlankOrComment(): boolean {
    let at = this.#at;
    while (this.#text.charCodeAt(at) === space) at++;
    const code = this.#text.charCodeAt(at);
    return code === newline || code === hash || at >= this.#text.length;
  }

  #nextLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end + 1;
  }
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
}
