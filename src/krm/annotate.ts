/**
 * Sets an annotation in an item's text by inserting or replacing a few characters, so that comments, quoting,
 * number formats and line ends of the rest stay as their author wrote them.
 *
 * What is new always becomes the first member of its mapping: the one place that needs no knowledge of where the
 * last member ends. The line scan finds it in ordinary items; any other shape goes through the parser's concrete
 * syntax tree.
 */
import { CST, Parser } from 'yaml';
import { emitText, quote } from './emit.ts';
import { resolvePlain } from './plain-scalar.ts';
import { type ItemText, scanAnnotations, scanItem } from './scan.ts';

/**
 * The item's text with the annotation set, for an item that the line scan understands and that has no such
 * annotation yet; `undefined` for any other.
 */
export function annotateLines(item: ItemText, key: string, value: string): string | undefined {
  const scan = scanItem(item);
  const known = scan && scanAnnotations(item);
  if (!scan?.metadata || !known || known[key] !== undefined) return undefined;
  const { start, column } = scan.annotations ?? scan.metadata;
  const end = lineEnd(item.raw);
  const pad = ' '.repeat(column);
  const lines = scan.annotations
    ? `${pad}${entry(key, value)}${end}`
    : `${pad}annotations:${end}${pad}  ${entry(key, value)}${end}`;
  return splice(item.raw, start, start, lines);
}

/**
 * The same by way of the syntax tree, for an item of any shape, also replacing a value; the text itself if the
 * annotation has that value already. `undefined` if no textual edit can do it: the item is not a mapping, or
 * metadata or annotations are aliases or of another type. The caller checks the meaning of the result.
 */
export function annotateTree({ raw, column }: ItemText, key: string, value: string): string | undefined {
  const pad = ' '.repeat(Math.max(column, 0));
  const text = pad + raw;
  let edit: Edit | undefined;
  for (const token of new Parser().parse(text)) {
    if (token.type === 'error') return undefined;
    if (token.type !== 'document') continue;
    const root = token.value;
    const object = column >= 0 && root?.type === 'block-seq' ? root.items[0]?.value : root;
    edit = setMember(text, object, ['metadata', 'annotations', key], value);
  }
  return edit && splice(text, edit.from, edit.to, edit.text).slice(pad.length);
}

type Token = CST.Token;
type CollectionItem = CST.CollectionItem;
interface Edit {
  from: number;
  to: number;
  text: string;
}

function setMember(text: string, map: Token | undefined, path: string[], value: string): Edit | undefined {
  const flow = map?.type === 'flow-collection' && map.start.type === 'flow-map-start';
  if (map?.type !== 'block-map' && !flow) return undefined;
  const [name = '', ...rest] = path;
  const pair = (map.items as CollectionItem[]).find((item) => scalarText(item.key) === name);
  if (!pair) {
    return map.type === 'block-map'
      ? insertFirst(text, map, path, value)
      : insertFlow(map as CST.FlowCollection, path, value);
  }
  if (pair.value && rest.length > 0 && !isNull(pair.value)) return setMember(text, pair.value, rest, value);
  if (rest.length === 0 && isText(pair.value, value)) return { from: 0, to: 0, text: '' };
  return replaceValue(pair, rest.length > 0 ? flowMapping(rest, value) : quote(value), lineEnd(text));
}

/** Inserts above the first key's line and the comments that belong to it, or before the key itself. */
function insertFirst(text: string, map: CST.BlockMap, path: string[], value: string): Edit | undefined {
  const start = map.items[0] && firstOffset(map.items[0]);
  if (start === undefined) return undefined;
  const end = lineEnd(text);
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const column = start - lineStart;
  const lines = path.map((name, depth) => {
    const last = depth === path.length - 1;
    return `${' '.repeat(column + 2 * depth)}${last ? entry(name, value) : `${emitText(name)}:`}${end}`;
  });
  if (lineStart > 0 && text.slice(lineStart, start).trim() === '') {
    const from = aboveComments(text, lineStart);
    return { from, to: from, text: lines.join('') };
  }
  // The first key shares its line with a dash: write before it, and give it a line of its own.
  return { from: start, to: start, text: lines.join('').slice(column) + ' '.repeat(column) };
}

function aboveComments(text: string, from: number): number {
  let at = from;
  while (at > 0) {
    const previous = text.lastIndexOf('\n', at - 2) + 1;
    if (previous === 0 || !/^[ \t]*(?:#|\r?\n)/.test(text.slice(previous, at))) return at;
    at = previous;
  }
  return at;
}

function insertFlow(map: CST.FlowCollection, path: string[], value: string): Edit {
  const empty = !map.items.some((item) => item.key || item.value || item.sep);
  const from = map.start.offset + 1;
  const [name = '', ...rest] = path;
  const member = `${quote(name)}: ${rest.length > 0 ? flowMapping(rest, value) : quote(value)}`;
  return { from, to: from, text: empty ? member : `${member}, ` };
}

function replaceValue(pair: CollectionItem, text: string, end: string): Edit | undefined {
  const { value, sep } = pair;
  if (!value) {
    const colon = sep?.find((token) => token.type === 'map-value-ind');
    if (!colon || sep?.some((token) => token.type === 'anchor' || token.type === 'tag')) return undefined;
    return { from: colon.offset + 1, to: colon.offset + 1, text: ` ${text}` };
  }
  if (value.type === 'block-scalar') {
    return { from: value.offset, to: value.offset + CST.stringify(value).length, text: text + end };
  }
  if (!CST.isScalar(value) || value.type === 'alias') return undefined;
  return { from: value.offset, to: value.offset + value.source.length, text };
}

function flowMapping(path: string[], value: string): string {
  return path.reduceRight((inner, name) => `{${quote(name)}: ${inner}}`, quote(value));
}

function entry(key: string, value: string): string {
  return `${emitText(key)}: ${quote(value)}`;
}

function scalarText(token: Token | null | undefined): string | undefined {
  return token && CST.isScalar(token) && token.type !== 'alias'
    ? CST.resolveAsScalar(token).value
    : undefined;
}

function isText(token: Token | undefined, value: string): boolean {
  if (token?.type === 'scalar') return resolvePlain(token.source) === value;
  return scalarText(token) === value;
}

function isNull(token: Token): boolean {
  return token.type === 'scalar' && /^(?:|~|null|Null|NULL)$/.test(token.source);
}

function firstOffset(item: CollectionItem): number | undefined {
  const token = item.start.find(({ type }) => type !== 'space' && type !== 'newline' && type !== 'comment');
  return (token ?? item.key ?? item.sep?.[0])?.offset;
}

/** The item's own line ending, so that an edit does not mix them. */
function lineEnd(text: string): string {
  const at = text.indexOf('\n');
  return at > 0 && text.charCodeAt(at - 1) === 0x0d ? '\r\n' : '\n';
}

function splice(text: string, from: number, to: number, insert: string): string {
  return text.slice(0, from) + insert + text.slice(to);
}
