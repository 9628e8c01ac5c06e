/**
 * Slices a ResourceList of any valid shape, by way of the `yaml` package's concrete syntax tree: JSON, quoted or
 * explicit keys, carriage returns, tags and anchors, document markers, comments anywhere.
 *
 * The whole text is parsed, so unlike the fast slicer this one rejects what is not YAML. It costs about half a
 * second and 60 MB of memory for each megabyte.
 */
import { Composer, CST, Parser } from 'yaml';
import type { Layout, Section } from './layout.ts';
import { lineAt, YamlError } from './yaml.ts';

type Token = CST.Token;
type CollectionItem = CST.CollectionItem;

/** Thrown for text that is YAML but not a single mapping with a list of items; says what it is instead. */
export class ShapeError extends Error {}

/** More would need gigabytes of memory; kpt and kustomize never send what needs this slicer. */
const longestText = 32 * 1024 * 1024;

/**
 * The layout of a ResourceList.
 *
 * @throws {YamlError} if the text is not YAML.
 * @throws {ShapeError} for another shape than one document with a mapping whose `items` are a list, and for
 *   text longer than 32 Mi characters.
 */
export function sliceTree(text: string): Layout {
  if (text.length > longestText) {
    throw new ShapeError(
      'more than 32 MiB of YAML in an unusual form; pipe it through kustomize or kpt first',
    );
  }
  const { root, start, end } = theDocument(text);
  if (root?.type !== 'block-map' && !isFlow(root, 'flow-map-start')) throw new ShapeError('not a mapping');
  const pairs = (root.items as CollectionItem[]).filter(hasContent);
  const keys = pairs.map((pair) => keyText(pair.key));
  if (keys.includes('')) throw new ShapeError('a top-level key is not text');
  const duplicate = keys.find((key, index) => keys.indexOf(key) < index);
  if (duplicate !== undefined) throw new ShapeError(`the key "${duplicate}" is given twice`);
  const block = root.type === 'block-map';
  const froms = pairs.map((pair) => (block ? lineStart(text, firstOffset(pair)) : firstOffset(pair)));
  const ends = block ? [...froms.slice(1), end] : pairs.map(pairEnd);
  const preamble = text.slice(start, block ? froms[0] : root.offset);
  const keyColumn = block && pairs[0] ? columnOf(text, firstOffset(pairs[0])) : 0;
  const at = keys.indexOf('items');
  const list = sliceItems(text, pairs[at]?.value, ends[at] ?? end, block ? 'block' : 'flow', keyColumn);
  const sections = keys.map((key, index): Section => {
    const from = froms[index] ?? 0;
    if (index !== at || !block || list.style === 'flow' || list.starts.length === 0) {
      return { key, text: text.slice(from, ends[index]) };
    }
    return { key, text: itemsHeader(text, from, list.starts[0] ?? from, keyColumn) };
  });
  return { text, root: block ? 'block' : 'flow', preamble, sections, keyColumn, ...list };
}

type Items = Pick<Layout, 'style' | 'itemColumn' | 'starts' | 'ends'>;

function sliceItems(
  text: string,
  list: Token | null | undefined,
  end: number,
  style: 'block' | 'flow',
  keyColumn: number,
): Items {
  if (!list || (list.type === 'scalar' && /^(?:|~|null|Null|NULL)$/.test(list.source))) {
    return { style, itemColumn: keyColumn, starts: [], ends: [] };
  }
  if (list.type === 'block-seq') {
    const starts = list.items.flatMap(
      ({ start }) => start.find(({ type }) => type === 'seq-item-ind')?.offset ?? [],
    );
    const ends = [...starts.slice(1).map((start) => lineStart(text, start)), end];
    const itemColumn = columnOf(text, starts[0] ?? 0);
    checkIndentation(text, starts, ends, itemColumn);
    return { style: 'block', itemColumn, starts, ends };
  }
  if (!isFlow(list, 'flow-seq-start')) throw new ShapeError('"items" is not a list');
  const entries = (list.items as CollectionItem[]).filter(hasContent);
  if (entries.length === 0) return { style, itemColumn: keyColumn, starts: [], ends: [] };
  return {
    style: 'flow',
    itemColumn: keyColumn,
    starts: entries.map(firstOffset),
    ends: entries.map(pairEnd),
  };
}

/**
 * The parser overlooks some lines that stand left of the item they are taken to belong to. Other readers, and this
 * one as soon as another member follows, would cut the item there.
 */
function checkIndentation(
  text: string,
  starts: readonly number[],
  ends: readonly number[],
  column: number,
): void {
  const outdented = new RegExp(`\\n {0,${column}}[^ #\\r\\n\\t}\\]]`);
  for (const [index, start] of starts.entries()) {
    const at = text.slice(start, ends[index]).search(outdented);
    if (at >= 0)
      throw new YamlError('this line is indented less than the item it is in', lineAt(text, start + at + 1));
  }
}

/** The lines above the first `-`; written anew if that `-` shares its line with the explicit key's colon. */
function itemsHeader(text: string, from: number, dash: number, keyColumn: number): string {
  const line = lineStart(text, dash);
  const usual = text.slice(line, dash).trim() === '';
  return usual ? text.slice(from, line) : `${' '.repeat(keyColumn)}items:\n`;
}

/** The only document that has content, from the directives and comments above it to its end. */
function theDocument(text: string): { root: Token | undefined; start: number; end: number } {
  const tokens = [...new Parser().parse(text)];
  const isMark = ({ type }: Token) => type === 'document' || type === 'doc-end';
  const full = tokens.filter((token) => token.type === 'document' && isFull(token.value));
  if (full.length > 1) throw new ShapeError('more than one YAML document');
  checkSyntax(text, tokens);
  const document = full[0];
  if (document?.type !== 'document') return { root: undefined, start: 0, end: text.length };
  const at = tokens.indexOf(document);
  const above = tokens[tokens.slice(0, at).findLastIndex(isMark) + 1] ?? document;
  const below = tokens.slice(at + 1).find(isMark) ?? { offset: text.length };
  return { root: document.value, start: offsetOf(above), end: offsetOf(below) };
}

function isFull(value: Token | undefined): boolean {
  return value !== undefined && !(value.type === 'scalar' && value.source === '');
}

function checkSyntax(text: string, tokens: readonly Token[]): void {
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'error' });
  try {
    for (const document of composer.compose(tokens, true, text.length)) {
      const error = document.errors[0];
      if (!error) continue;
      const tooDeep = error.message.includes('call stack');
      throw new YamlError(tooDeep ? 'nested too deeply' : error.message, lineAt(text, error.pos[0]));
    }
  } catch (error) {
    throw error instanceof RangeError ? new YamlError('nested too deeply', 1) : error;
  }
}

function offsetOf(token: Token | { offset: number }): number {
  return 'offset' in token ? token.offset : 0;
}

function isFlow(
  token: Token | undefined,
  start: CST.FlowCollection['start']['type'],
): token is CST.FlowCollection {
  return token?.type === 'flow-collection' && token.start.type === start;
}

const layoutTokens = new Set(['space', 'newline', 'comment', 'comma']);

/** False for the entry that only holds the comments at a collection's end. */
function hasContent({ start, key, sep, value }: CollectionItem): boolean {
  return Boolean(key || value || sep) || start.some(({ type }) => !layoutTokens.has(type));
}

function firstOffset({ start, key, sep, value }: CollectionItem): number {
  const own = start.find(({ type }) => !layoutTokens.has(type));
  return (own ?? key ?? sep?.[0] ?? value)?.offset ?? 0;
}

function pairEnd({ start, key, sep, value }: CollectionItem): number {
  if (value) return tokenEnd(value);
  const last = [...start, ...(sep ?? [])].findLast(({ type }) => !layoutTokens.has(type));
  return Math.max(key ? tokenEnd(key) : 0, last ? last.offset + last.source.length : 0);
}

function tokenEnd(token: Token): number {
  if (token.type === 'flow-collection') {
    const close = token.end.find(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end');
    if (close) return close.offset + 1;
  }
  if (CST.isScalar(token)) return token.offset + token.source.length;
  return offsetOf(token) + CST.stringify(token).length;
}

function keyText(key: Token | null | undefined): string {
  return key && CST.isScalar(key) && key.type !== 'alias' ? CST.resolveAsScalar(key).value : '';
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}
