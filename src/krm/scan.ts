/**
 * Who an item is, found by looking at its lines instead of parsing it: a microsecond or two for an item as kpt
 * and kustomize write it, and `undefined` ("ask the parser") for every shape that is not plainly understood.
 *
 * Sound because of indentation: in a block mapping whose keys stand in column c, whatever belongs to a value
 * (nested mappings, block scalars, folded text) is indented deeper than c, except a list, which may start in c
 * itself but then begins with `-`. So a line that begins in column c with a name and a colon is a key.
 */
import { resolvePlain } from './plain-scalar.ts';

/** The lines of a nested mapping: where they start in the item's text and the column of their keys. */
export interface Region {
  readonly start: number;
  readonly column: number;
}

/** What a scan found; a region is absent if the item has no such mapping. */
export interface Scan {
  readonly identity: { apiVersion: string; kind: string; namespace: string; name: string };
  readonly metadata: Region | undefined;
  readonly annotations: Region | undefined;
}

/** The part of an item that a scan needs. */
export interface ItemText {
  readonly raw: string;
  readonly column: number;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const hash = 0x23;
const dash = 0x2d;
const colon = 0x3a;

/** Scans a block-style item; `undefined` if its shape is unusual. Never throws. */
export function scanItem({ raw, column }: ItemText): Scan | undefined {
  if (column < 0) return undefined;
  let at = firstKey(raw);
  if (at < 0) return undefined;
  const indent = columnOf(raw, at, column);
  const identity = { apiVersion: '', kind: '', namespace: '', name: '' };
  let metadata: Region | undefined;
  let annotations: Region | undefined;

  while (at < raw.length) {
    const end = keyEnd(raw, at);
    if (end < 0) return undefined;
    let next = lineAfter(raw, end);
    if (isKey(raw, at, end, 'kind') || isKey(raw, at, end, 'apiVersion')) {
      const key = end - at === 4 ? 'kind' : 'apiVersion';
      const value = simpleValue(raw, end + 1, next, indent);
      if (typeof value !== 'string' || identity[key] !== '') return undefined;
      identity[key] = value;
    } else if (isKey(raw, at, end, 'metadata')) {
      metadata = metadata ? undefined : region(raw, end + 1, next, indent);
      if (!metadata) return undefined;
      const inside = scanMetadata(raw, metadata, identity);
      if (!inside) return undefined;
      annotations = inside.annotations;
      next = inside.end;
    }
    if (metadata && identity.kind !== '' && identity.apiVersion !== '') break;
    at = nextKey(raw, next, indent);
    if (at < 0) return undefined;
  }
  return { identity, metadata, annotations };
}

/** The annotations of a block-style item; `undefined` if its shape is unusual. Never throws. */
export function scanAnnotations(item: ItemText): Record<string, string> | undefined {
  const scan = scanItem(item);
  if (!scan) return undefined;
  const found: Record<string, string> = Object.create(null);
  if (!scan.annotations) return found;
  const { raw } = item;
  const { start, column } = scan.annotations;
  for (let at = nextKey(raw, start, column); at >= 0 && at < raw.length; ) {
    const end = keyEnd(raw, at);
    if (end < 0) return undefined;
    const next = lineAfter(raw, end);
    const key = raw.slice(at, end);
    const value = simpleValue(raw, end + 1, next, column);
    if (value === undefined || typeof resolvePlain(key) !== 'string' || key in found) return undefined;
    found[key] = String(value);
    at = nextKey(raw, next, column);
  }
  return found;
}

/** How nearly all items begin. A pattern is fast at once, while the scan below is so only once V8 has compiled it. */
const usualStart = /^- +[A-Za-z][A-Za-z0-9]*:[ \n]/;

/** Whether a block-style item's first line of content is plainly a key, so that the item must be a mapping. */
export function beginsWithKey(raw: string): boolean {
  if (usualStart.test(raw)) return true;
  const at = firstKey(raw);
  return at >= 0 && keyEnd(raw, at) >= 0;
}

function scanMetadata(
  raw: string,
  { start, column }: Region,
  identity: { namespace: string; name: string },
): { annotations: Region | undefined; end: number } | undefined {
  let annotations: Region | undefined;
  let at = nextKey(raw, start, column);
  while (at >= 0 && at < raw.length) {
    const end = keyEnd(raw, at);
    if (end < 0) return undefined;
    const next = lineAfter(raw, end);
    if (isKey(raw, at, end, 'name') || isKey(raw, at, end, 'namespace')) {
      const key = end - at === 4 ? 'name' : 'namespace';
      const value = simpleValue(raw, end + 1, next, column);
      if (typeof value !== 'string' || identity[key] !== '') return undefined;
      identity[key] = value;
    } else if (isKey(raw, at, end, 'annotations')) {
      annotations = annotations ? undefined : region(raw, end + 1, next, column);
      if (!annotations) return undefined;
    }
    at = nextKey(raw, next, column);
  }
  return { annotations, end: at < 0 ? lineStart(raw, -1 - at) : raw.length };
}

/** Offset of the item's first key, or -1. The key may follow the dash, or comments and empty lines. */
function firstKey(raw: string): number {
  let at = 1;
  while (raw.charCodeAt(at) === space) at++;
  const code = raw.charCodeAt(at);
  if (code === newline || (code === hash && at > 1)) return contentAfter(raw, at);
  return at > 1 && at < raw.length ? at : -1;
}

/** Offset of the first character, after this line, that is neither space nor part of a comment; or -1. */
function contentAfter(raw: string, from: number): number {
  for (let line = lineAfter(raw, from); line < raw.length; line = lineAfter(raw, line)) {
    let at = line;
    while (raw.charCodeAt(at) === space) at++;
    const code = raw.charCodeAt(at);
    if (code !== newline && code !== carriageReturn && code !== hash) return at < raw.length ? at : -1;
  }
  return -1;
}

function columnOf(raw: string, at: number, column: number): number {
  const start = lineStart(raw, at);
  return start === 0 ? column + at : at - start;
}

/** The mapping below a key whose own line has no value; `undefined` if there is a value or no such mapping. */
function region(raw: string, from: number, next: number, parent: number): Region | undefined {
  let at = from;
  while (raw.charCodeAt(at) === space) at++;
  const code = raw.charCodeAt(at);
  if (code === hash ? at === from : code !== newline && code !== carriageReturn) return undefined;
  const content = contentAfter(raw, from);
  if (content < 0) return undefined;
  const column = content - lineStart(raw, content);
  return column > parent && raw.charCodeAt(content) !== dash ? { start: next, column } : undefined;
}

/**
 * Offset of the next key in the given column, searching from a line's start. The text's length if there is none;
 * `-1 - offset` of the first character that is indented less, which ends the mapping.
 */
function nextKey(raw: string, from: number, column: number): number {
  for (let line = from; line < raw.length; line = lineAfter(raw, line)) {
    const limit = line + column;
    let at = line;
    while (at < limit && raw.charCodeAt(at) === space) at++;
    const code = raw.charCodeAt(at);
    if (code === space || code === newline || code === hash || code === carriageReturn || at >= raw.length)
      continue;
    if (at < limit) return -1 - at;
    if (code !== dash || raw.charCodeAt(at + 1) > space) return at;
  }
  return raw.length;
}

/** Offset of the colon that ends a plain key of letters, digits and `._/-`; -1 for any other key. */
function keyEnd(raw: string, from: number): number {
  for (let at = from; ; at++) {
    const code = raw.charCodeAt(at);
    if (code === colon) return at > from && !(raw.charCodeAt(at + 1) > space) ? at : -1;
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    if (!letter && !(code >= dash && code < colon) && code !== 0x5f) return -1;
  }
}

function isKey(raw: string, at: number, end: number, key: string): boolean {
  return end - at === key.length && raw.startsWith(key, at);
}

const plain = /^[A-Za-z0-9_./][A-Za-z0-9_./-]*$/;

/** A value that stands on one line and means the same to everyone; `undefined` for any other. */
function simpleValue(
  raw: string,
  from: number,
  next: number,
  column: number,
): string | number | boolean | undefined {
  if (!endsHere(raw, next, column)) return undefined;
  const text = raw.slice(from, next).trim();
  const quote = text.charCodeAt(0);
  if (quote === 0x22 || quote === 0x27) {
    const inner = text.slice(1, -1);
    const closed = text.length > 1 && text.charCodeAt(text.length - 1) === quote;
    return closed && !/['"\\]/.test(inner) ? inner : undefined;
  }
  const comment = text.indexOf(' #');
  const word = comment < 0 ? text : text.slice(0, comment).trimEnd();
  return plain.test(word) ? (resolvePlain(word) ?? undefined) : undefined;
}

/** Whether the line at this offset cannot continue a scalar of a mapping in the given column. */
function endsHere(raw: string, line: number, column: number): boolean {
  if (line >= raw.length) return true;
  for (let at = line; at <= line + column; at++) {
    const code = raw.charCodeAt(at);
    if (code !== space) return code !== newline && code !== carriageReturn;
  }
  return false;
}

function lineAfter(raw: string, from: number): number {
  const end = raw.indexOf('\n', from);
  return end < 0 ? raw.length : end + 1;
}

function lineStart(raw: string, at: number): number {
  return raw.lastIndexOf('\n', at - 1) + 1;
}
