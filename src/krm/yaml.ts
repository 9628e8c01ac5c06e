/**
 * YAML as kubectl reads it.
 *
 * Kubernetes tools read YAML through sigs.k8s.io/yaml, a fork of go-yaml v2: YAML 1.1 booleans (`on`, `y`) and
 * octals (`0644`), but no sexagesimal numbers, timestamps left as text, and every mapping key made a string.
 * Neither schema of the `yaml` package reads that way, so this file brings its own scalar rules and its own
 * conversion to JSON data. The conversion also bounds what hostile input can cost: alias bombs, self-containing
 * anchors, deep nesting and mappings with very many keys.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { JsonObject, JsonValue } from './json.ts';
import { resolvePlain } from './plain-scalar.ts';
import { readPlain } from './read-plain.ts';

/** Deeper than any real manifest, and far from the end of the stack. */
const maxDepth = 500;
/** Nodes that aliases may add; a bomb reaches it at once, honest anchors never do. */
const maxAliasedNodes = 50_000;

/** Thrown for text that kubectl would not read. `line` counts from 1 and belongs to the text that was given. */
export class YamlError extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.name = 'YamlError';
    this.line = line;
  }
}

/**
 * Reads one YAML document as kubectl would and returns plain JSON data; empty text is `null`.
 *
 * Whole numbers beyond 2^53 lose their last digits, as they do in every JSON reader of JavaScript.
 * Merge keys (`<<`) are resolved: keys of the mapping itself win. Every call returns fresh objects.
 *
 * @throws {YamlError} for bad syntax, several documents, duplicate or non-scalar keys, unresolved,
 *   recursive or too many aliases, nesting deeper than 500, and numbers that JSON cannot hold (`.nan`, `.inf`).
 */
export function parseKubernetesYaml(text: string): JsonValue {
  const value = readPlain(text);
  return value === undefined ? parseExactly(text) : value;
}

/** The same with the parser alone, for text of any shape. */
export function parseExactly(text: string): JsonValue {
  try {
    const document: Document = parseDocument(text, options);
    const error = document.errors[0];
    if (error) throw new YamlError(describe(error), lineAt(text, error.pos[0]));
    return new Conversion(text).convert(document.contents, 0);
  } catch (error) {
    if (error instanceof RangeError) throw new YamlError('nested too deeply', 1);
    throw error;
  }
}

/** Line (from 1) of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

const core = 'tag:yaml.org,2002:';

const options: Parameters<typeof parseDocument>[1] = {
  version: '1.2',
  schema: 'failsafe',
  customTags: [
    { tag: `${core}plain`, default: true, test: /^(?:$|[-+.0-9~yYnNtTfFoO])/, resolve: resolvePlain },
    { tag: `${core}null`, resolve: () => null },
    ...['bool', 'int', 'float'].map((name) => ({ tag: core + name, resolve: resolvePlain })),
    { tag: `${core}timestamp`, resolve: (text: string) => text },
    { tag: `${core}binary`, resolve: (text: string) => Buffer.from(text, 'base64').toString() },
  ],
  // The package compares every key with every other one; `Conversion` uses a set instead.
  uniqueKeys: false,
  prettyErrors: false,
  // 'silent' would also hide that there is a second document.
  logLevel: 'error',
};

class Conversion {
  readonly #text: string;
  readonly #anchors = new Map<string, Node>();
  /** What each alias meant where it was written: a later anchor may reuse the name. */
  readonly #targets = new Map<Node, Node>();
  readonly #open = new Set<Node>();
  #expanding = 0;
  #aliasedNodes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  convert(node: Node | null | undefined, depth: number): JsonValue {
    if (!node) return null;
    if (depth > maxDepth) throw this.#error('nested too deeply', node);
    if (this.#expanding > 0 && ++this.#aliasedNodes > maxAliasedNodes) {
      throw this.#error('too many aliases', node);
    }
    if (isAlias(node)) return this.#alias(node, node.source, depth);
    if ('anchor' in node && node.anchor && this.#expanding === 0) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node.value, node);
    this.#open.add(node);
    const value = isMap(node)
      ? this.#map(node.items, depth)
      : isSeq(node)
        ? node.items.map((item) => this.convert(item as Node, depth + 1))
        : undefined;
    if (value === undefined) throw this.#error('not plain data', node);
    this.#open.delete(node);
    return value;
  }

  #alias(alias: Node, name: string, depth: number): JsonValue {
    const target = this.#targets.get(alias) ?? this.#anchors.get(name);
    if (!target)
      throw this.#error(`unresolved alias *${name}: no such anchor before it in this object`, alias);
    if (this.#open.has(target)) throw this.#error(`alias *${name} contains itself`, alias);
    this.#targets.set(alias, target);
    this.#expanding++;
    const value = this.convert(target, depth + 1);
    this.#expanding--;
    return value;
  }

  #scalar(value: unknown, node: Node): JsonValue {
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.#error('this value cannot be written as JSON', node);
  }

  #map(pairs: readonly { key: unknown; value: unknown }[], depth: number): JsonObject {
    const object: JsonObject = {};
    const merged: JsonValue[] = [];
    for (const pair of pairs) {
      const key = pair.key as Node;
      const name = this.#key(key, depth);
      const value = this.convert(pair.value as Node | null, depth + 1);
      if (isScalar(key) && key.type === 'PLAIN' && name === '<<') {
        for (const source of Array.isArray(value) ? value : [value]) merged.push(source);
      } else if (Object.hasOwn(object, name)) {
        throw this.#error(`duplicate key "${name}"`, key);
      } else {
        setMember(object, name, value);
      }
    }
    for (const source of merged) {
      if (source === null || typeof source !== 'object' || Array.isArray(source)) {
        throw this.#error('a merge key (<<) needs a mapping or a list of mappings', pairs[0]?.key as Node);
      }
      for (const [key, value] of Object.entries(source)) {
        if (!Object.hasOwn(object, key)) setMember(object, key, value);
      }
    }
    return object;
  }

  #key(node: Node, depth: number): string {
    const value = this.convert(node, depth + 1);
    if (value === null || typeof value === 'object') {
      throw this.#error('a mapping key must be text, a number or a boolean', node);
    }
    return String(value);
  }

  #error(message: string, node: Node | undefined): YamlError {
    return new YamlError(message, lineAt(this.#text, node?.range?.[0] ?? 0));
  }
}

/** Sets a member as data, also for the one name, `__proto__`, that assignment treats otherwise. */
export function setMember(object: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function describe(error: YAMLError): string {
  // The package reports its own stack overflow as a syntax error.
  if (error.message.includes('call stack')) return 'nested too deeply';
  if (error.code === 'MULTIPLE_DOCS') return 'more than one YAML document';
  return error.message.split('\n', 1)[0] ?? '';
}
