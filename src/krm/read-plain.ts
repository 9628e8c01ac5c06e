/**
 * Reads YAML of the plain kind that people and tools write for Kubernetes: block mappings and lists, values and flow
 * collections on one line, literal blocks. Everything else is `undefined` ("ask the parser"), and so is everything that is wrong.
 *
 * The `yaml` package is exact and general, but starting it up costs a third of the function's time for one source,
 * and reading with it most of the time for a thousand. test/krm holds this file to the parser's answers.
 */
import type { JsonObject, JsonValue } from './json.ts';
import { resolvePlain } from './plain-scalar.ts';

/** The value of the text; `undefined` for every shape that is not plainly understood. Never throws. */
export function readPlain(text: string): JsonValue | undefined {
  // No tabs, carriage returns, directives of any kind, or letters that some reader takes for a line break.
  if (/[^\n -~]/.test(text)) return undefined;
  const lines = new Lines(text);
  const value = lines.block(-1, 0);
  return lines.done() ? value : undefined;
}

const space = 0x20;
const hash = 0x23;
const dash = 0x2d;
/** Far from the end of the stack; deeper ones are for the parser to judge. */
const maxDepth = 60;

/** A key as in `metadata:`, followed by a space or the line's end. */
const key = /([A-Za-z_][A-Za-z0-9_./-]{0,500}):(?= |$)/my;
/** An unquoted value: it begins and goes on with nothing that means anything to YAML. A comment may follow. */
const plainValue =
  /([A-Za-z0-9_./+$(=;<^~-](?:[^\n:# ]|:(?=[^\n ])|(?<=[^\n ])#| +(?=[^\n# ]))*) *(?: #.*)?$/my;
const quotedValue = /(?:"([^"\\\n]*)"|'((?:[^'\n]|'')*)') *(?: #.*)?$/my;
const blockHeader = /\|([+-]?) *(?: #.*)?$/my;
/** A value within brackets, where more characters have a meaning. */
const flowValue =
  /"([^"\\\n]*)"|'([^'\n]*)'|([A-Za-z0-9_./$~][A-Za-z0-9_./$~@*+=()-]*(?: +[A-Za-z0-9_./$~@*+=()-]+)*)(?= *[\],}])/y;
const flowOpen = /[[{] */y;
const flowNext = /, *| *(?=[\]}])/y;
const flowClose = /[\]}]/y;
const restOfLine = / *(?: #.*)?$/my;

class Lines {
  readonly #text: string;
  /** Where reading goes on: at a character of content, or at the end. */
  #at = 0;
  /** Column of that character; -1 at the end, so that it ends every block. */
  #column = 0;

  constructor(text: string) {
    this.#text = text;
    this.#toContent(0);
  }

  done(): boolean {
    return this.#column < 0;
  }

  /** The mapping or list that begins here, right of the column `parent`; null if there is nothing. */
  block(parent: number, depth: number): JsonValue | undefined {
    if (this.#column <= parent) return null;
    if (depth > maxDepth) return undefined;
    return this.#isEntry() ? this.#list(this.#column, depth) : this.#mapping(this.#column, depth);
  }

  #mapping(column: number, depth: number): JsonObject | undefined {
    const object: JsonObject = {};
    do {
      const name = this.#key(object);
      const value = name === undefined ? undefined : this.#value(column, true, depth);
      if (name === undefined || value === undefined) return undefined;
      object[name] = value;
    } while (this.#column === column);
    return this.#column < column ? object : undefined;
  }

  /** The next key of the object, which must not have it yet. */
  #key(object: JsonObject): string | undefined {
    const name = this.#match(key)?.[1];
    // Keys such as `on` and `y` are not text to kubectl.
    if (name === undefined || typeof resolvePlain(name) !== 'string') return undefined;
    return name === '__proto__' || Object.hasOwn(object, name) ? undefined : name;
  }

  #list(column: number, depth: number): JsonValue[] | undefined {
    const list: JsonValue[] = [];
    do {
      if (!this.#isEntry()) break;
      const line = this.#at;
      this.#at++;
      const value = this.#entry(column, line, depth);
      if (value === undefined) return undefined;
      list.push(value);
    } while (this.#column === column);
    return this.#column <= column ? list : undefined;
  }

  /** What follows a dash: on the same line a value, a mapping or a list, or a block below. */
  #entry(column: number, dashAt: number, depth: number): JsonValue | undefined {
    let at = this.#at;
    while (this.#text.charCodeAt(at) === space) at++;
    key.lastIndex = at;
    const nested = isDash(this.#text, at) || key.test(this.#text);
    if (!nested) return this.#value(column, false, depth);
    this.#at = at;
    this.#column = column + at - dashAt;
    return this.block(column, depth + 1);
  }

  /** The value after a colon or dash, whose mapping or list stands in `column`; goes on to the content after it. */
  #value(column: number, ofKey: boolean, depth: number): JsonValue | undefined {
    if (this.#match(restOfLine)) {
      this.#toContent(this.#at);
      // The one block that need not be indented: a list below its key.
      const flush = ofKey && this.#column === column && this.#isEntry();
      return this.block(flush ? column - 1 : column, depth + 1);
    }
    while (this.#text.charCodeAt(this.#at) === space) this.#at++;
    const header = this.#match(blockHeader);
    if (header) return this.#literal(column, header[1] ?? '');
    const value = this.#isFlow() ? this.#flow(depth) : this.#scalar();
    if (value === undefined || !this.#match(restOfLine)) return undefined;
    this.#toContent(this.#at);
    // What is indented deeper would continue the value.
    return this.#column > column ? undefined : value;
  }

  #scalar(): JsonValue | undefined {
    const quoted = this.#match(quotedValue);
    if (quoted) return quoted[1] ?? quoted[2]?.replaceAll("''", "'");
    const plain = this.#match(plainValue)?.[1];
    if (plain === undefined || /^(?:-(?: |$)|---|\.\.\.)/.test(plain)) return undefined;
    return finite(resolvePlain(plain));
  }

  #isFlow(): boolean {
    const char = this.#text[this.#at];
    return char === '{' || char === '[';
  }

  /** `[a, b]` or `{a: b}` with all that is in it on this line. */
  #flow(depth: number): JsonValue | undefined {
    const open = this.#match(flowOpen)?.[0].charAt(0);
    if (open === undefined || depth > maxDepth) return undefined;
    const list: JsonValue[] = [];
    const object: JsonObject = {};
    while (!this.#match(flowClose)) {
      const name = open === '{' ? this.#flowKey(object) : '';
      const value =
        name === undefined ? undefined : this.#isFlow() ? this.#flow(depth + 1) : this.#flowScalar();
      if (name === undefined || value === undefined || !this.#match(flowNext)) return undefined;
      if (open === '{') object[name] = value;
      else list.push(value);
    }
    const close = this.#text[this.#at - 1];
    if (open === '{') return close === '}' ? object : undefined;
    return close === ']' ? list : undefined;
  }

  #flowKey(object: JsonObject): string | undefined {
    const name = this.#key(object);
    while (this.#text.charCodeAt(this.#at) === space) this.#at++;
    return name;
  }

  #flowScalar(): JsonValue | undefined {
    const match = this.#match(flowValue);
    const [, double, single, plain] = match ?? [];
    return plain === undefined ? (double ?? single) : finite(resolvePlain(plain));
  }

  /** A literal block, whose first line must be one of text: it tells the indentation. */
  #literal(parent: number, chomping: string): string | undefined {
    const text = this.#text;
    const start = this.#lineAfter(this.#at);
    let column = 0;
    while (text.charCodeAt(start + column) === space) column++;
    if (column <= parent || start >= text.length || text[start + column] === '\n') return undefined;
    const pad = text.slice(start, start + column);
    let body = '';
    let line = start;
    while (line < text.length) {
      const end = this.#lineAfter(line);
      // Readers differ on whether a last line without line feed gets one.
      if (text[end - 1] !== '\n') return undefined;
      if (text.startsWith(pad, line)) body += text.slice(line + column, end);
      else if (/^ *\n$/.test(text.slice(line, end))) body += '\n';
      else break;
      line = end;
    }
    this.#toContent(line);
    if (this.#column > parent) return undefined;
    if (chomping === '+') return body;
    const kept = body.replace(/\n+$/, '');
    return chomping === '-' ? kept : `${kept}\n`;
  }

  #isEntry(): boolean {
    return isDash(this.#text, this.#at);
  }

  /** Goes from the end or the start of a line to the next content, past blank lines and comments. */
  #toContent(from: number): void {
    const text = this.#text;
    let line = from === 0 || text[from - 1] === '\n' ? from : this.#lineAfter(from);
    for (; line < text.length; line = this.#lineAfter(line)) {
      let at = line;
      while (text.charCodeAt(at) === space) at++;
      if (at >= text.length || text[at] === '\n' || text.charCodeAt(at) === hash) continue;
      this.#at = at;
      this.#column = at - line;
      return;
    }
    this.#at = text.length;
    this.#column = -1;
  }

  /** Matches here and goes to the match's end. */
  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #lineAfter(at: number): number {
    const end = this.#text.indexOf('\n', at);
    return end < 0 ? this.#text.length : end + 1;
  }
}

/** The value, unless it is a number that JSON does not have. */
function finite(value: JsonValue): JsonValue | undefined {
  return typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
}

function isDash(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== dash) return false;
  const next = text.charCodeAt(at + 1);
  return next === space || next === 0x0a || Number.isNaN(next);
}
