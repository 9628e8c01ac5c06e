/**
 * Writes plain data as YAML that every reader takes the same way.
 *
 * A general emitter must be told about YAML 1.1 (`on`, `1_000`, `12:30`) and is slow to start and to run. This one
 * knows a single style, the one `kubectl get -o yaml` uses: block collections, lists in their parent's column,
 * literal blocks for text of several lines. It leaves a string unquoted only if no version of YAML could take it
 * for anything but a string.
 */
import type { JsonObject, JsonValue } from './json.ts';

/**
 * Writes a value as complete lines, each indented by `indent` spaces and ending in a line feed.
 *
 * Keys keep their order, members that are `undefined` are left out, equal objects are written twice (never as
 * aliases), and half a surrogate pair becomes U+FFFD, as it would in UTF-8 anyway.
 *
 * @throws {TypeError} for numbers that JSON cannot hold (NaN, infinities).
 */
export function emitYaml(value: JsonValue, indent: number): string {
  const pad = ' '.repeat(indent);
  if (Array.isArray(value)) return value.length === 0 ? `${pad}[]\n` : emitList(value, indent);
  if (isMapping(value)) return emitMapping(value, indent) || `${pad}{}\n`;
  // A block of its own has no parent to be indented from: quote it.
  return `${pad}${typeof value === 'string' && value.includes('\n') ? quote(value) : emitScalar(value, indent)}\n`;
}

/** Writes a mapping as one entry of a list whose `-` stands in the given column. */
export function emitItem(value: JsonObject, column: number): string {
  return `- ${emitYaml(value, column + 2).slice(column + 2)}`;
}

/** Writes a value on one line in flow style that is JSON as well; for lists that arrived that way. */
export function emitJson(value: JsonValue): string {
  const json = JSON.stringify(value, (_key, member) =>
    typeof member === 'string' ? member.toWellFormed() : member,
  );
  return json.replace(unprintableAll, escapeCode);
}

/** Writes a string in double quotes: valid in YAML 1.1, YAML 1.2 and JSON, on one line, printable. */
export function quote(text: string): string {
  const json = JSON.stringify(text.toWellFormed());
  return unprintable.test(json) ? json.replace(unprintableAll, escapeCode) : json;
}

/** Writes a string as a mapping key or one-line value: plain if that is safe, else in double quotes. */
export function emitText(text: string): string {
  return isPlain(text) ? text : quote(text);
}

/** A key longer than this is written in the explicit form: readers stop looking for the colon at 1024. */
const longestKey = 900;

function emitMapping(object: JsonObject, indent: number): string {
  const pad = ' '.repeat(indent);
  let out = '';
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    const name = emitText(key);
    if (name.length <= longestKey) {
      out += `${pad}${name}:${emitMember(value, indent, indent)}`;
    } else {
      out += `${pad}? ${name}\n${pad}:${emitMember(value, indent, indent + 2)}`;
    }
  }
  return out;
}

/** What follows a key's colon, from the space or line feed on. */
function emitMember(value: JsonValue, indent: number, listIndent: number): string {
  if (Array.isArray(value)) return value.length === 0 ? ' []\n' : `\n${emitList(value, listIndent)}`;
  if (isMapping(value)) {
    const members = emitMapping(value, indent + 2);
    return members === '' ? ' {}\n' : `\n${members}`;
  }
  return ` ${emitScalar(value, indent)}\n`;
}

function emitList(list: readonly JsonValue[], indent: number): string {
  const pad = ' '.repeat(indent);
  let out = '';
  for (const value of list) {
    if (value !== null && typeof value === 'object') {
      const nested = emitYaml(value, indent + 2);
      out += `${pad}- ${nested.slice(indent + 2)}`;
    } else {
      out += `${pad}- ${emitScalar(value ?? null, indent)}\n`;
    }
  }
  return out;
}

function emitScalar(value: null | boolean | number | string, indent: number): string {
  if (typeof value === 'string') {
    if (isPlain(value)) return value;
    return (value.includes('\n') && emitLiteral(value, indent)) || quote(value);
  }
  if (typeof value !== 'number') return String(value);
  if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be written as YAML for Kubernetes`);
  const text = JSON.stringify(value);
  // YAML 1.1 knows an exponent only after a decimal point.
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text;
}

/**
 * A literal block (`|`), without its last line feed; `undefined` where a block could not be exact. Its lines are
 * indented two deeper than `indent`, the column of the mapping or list it stands in.
 */
function emitLiteral(text: string, indent: number): string | undefined {
  if (unprintable.test(text) || notInBlocks.test(text) || !text.isWellFormed()) return undefined;
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const chomping = body.length === text.length ? '-' : body.endsWith('\n') ? '+' : '';
  // Without the digit a reader would take leading white space of the text for indentation.
  const digit = text.startsWith(' ') || text.startsWith('\n') ? '2' : '';
  const pad = ' '.repeat(indent + 2);
  return `|${digit}${chomping}${`\n${body}`.replaceAll(/\n(?!\n|$)/g, `\n${pad}`)}`;
}

/** Control characters, what YAML 1.1 calls line breaks or not printable, and byte order marks. */
const unprintableClass = '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u2028\\u2029\\ufeff\\ufffe\\uffff';
const unprintable = new RegExp(`[${unprintableClass}]`);
const unprintableAll = new RegExp(`[${unprintableClass}]`, 'g');
/**
 * Lines of nothing but white space, about which readers disagree, and a tab at the start: kpt rewrites that block
 * without the digit, and can then no longer read its own file.
 */
const notInBlocks = /^\n*(?:$|\t)|(?:^|\n)[ \t]+(?:\n|$)/;

function escapeCode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Begins with a letter, `_`, `/` or a quantity such as `16Gi`; printable ASCII; no `: `, ` #`, end colon or end space. */
const plainShape =
  /^(?:[A-Za-z_/](?:[!-9;-~]|:(?=[!-~])| (?=[^ #]))*|[0-9]+(?:\.[0-9]+)?(?:[KMGTP]i|[mkMGTP]))$/;
const plainWords = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null']);

function isPlain(text: string): boolean {
  return plainShape.test(text) && !(text.length < 6 && plainWords.has(text.toLowerCase()));
}

function isMapping(value: JsonValue): value is JsonObject {
  return value !== null && typeof value === 'object';
}
