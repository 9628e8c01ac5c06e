/**
 * One item of a ResourceList, kept as the text it arrived in.
 *
 * Most items belong to somebody else and must leave byte for byte as they came, so nothing is parsed until
 * somebody asks, and what is asked most (who is this?) is answered by a scan of lines.
 */
import { isDeepStrictEqual } from 'node:util';
import { annotateLines, annotateTree } from './annotate.ts';
import { emitItem } from './emit.ts';
import { type JsonObject, type JsonValue, mapping } from './json.ts';
import { scanAnnotations, scanItem } from './scan.ts';
import { parseKubernetesYaml, setMember, YamlError } from './yaml.ts';

/** What makes an object distinct in a cluster; the empty string stands for an absent field. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Thrown when an item's text is not an object that kubectl could read. `line` counts from 1 within the item. */
export class ItemSyntaxError extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.name = 'ItemSyntaxError';
    this.line = line;
  }
}

/** An item; immutable. */
export class Item {
  /** The text exactly as it arrived: from its `-` in block style, only the value in flow style. */
  readonly raw: string;
  /** Index in the input list. */
  readonly position: number;
  /** Column of the `-` (so also of the whole item) in block style; -1 in flow style. */
  readonly column: number;
  #identity: Identity | undefined;
  #annotations: Readonly<Record<string, string>> | undefined;
  #value: JsonObject | undefined;

  constructor(raw: string, position: number, column: number) {
    this.raw = raw;
    this.position = position;
    this.column = column;
  }

  /** An item written from plain data; `value` is kept, not copied. */
  static fromValue(value: JsonObject, position: number): Item {
    const item = new Item(emitItem(value, 0), position, 0);
    item.#value = value;
    return item;
  }

  /** Who this is. Never throws: an item that cannot be read has an empty identity. */
  get identity(): Identity {
    this.#identity ??= scanItem(this)?.identity ?? this.#readIdentity();
    return this.#identity;
  }

  /**
   * `metadata.annotations`, as an object without a prototype. Numbers and booleans are given as text, other
   * values left out. Never throws: an item that cannot be read has none.
   */
  get annotations(): Readonly<Record<string, string>> {
    this.#annotations ??= scanAnnotations(this) ?? this.#readAnnotations();
    return this.#annotations;
  }

  /** Whether the text occurs in this item; a plain search, nothing is parsed. */
  mentions(text: string): boolean {
    return this.raw.includes(text);
  }

  /**
   * The item as plain data, read as kubectl would read it ({@link parseKubernetesYaml}). The same object is
   * returned every time: copy it before changing it.
   *
   * @throws {ItemSyntaxError} if the text is not one mapping that kubectl could read.
   */
  value(): JsonObject {
    this.#value ??= this.#parse();
    return this.#value;
  }

  /**
   * The same item with one annotation set. The edit is textual and leaves every other byte alone; only where
   * that is impossible (annotations given through an alias, say) is the item written anew from its value.
   *
   * @throws {ItemSyntaxError} if the item must be parsed for this and cannot be.
   */
  withAnnotation(key: string, value: string): Item {
    const quick = annotateLines(this, key, value);
    if (quick !== undefined) return new Item(quick, this.position, this.column);
    const expected = annotated(this.value(), key, value);
    const raw = annotateTree(this, key, value);
    if (raw === this.raw) return this;
    if (raw !== undefined) {
      const item = new Item(raw, this.position, this.column);
      if (item.#means(expected)) return item;
    }
    return Item.fromValue(expected, this.position);
  }

  #means(expected: JsonObject): boolean {
    try {
      return isDeepStrictEqual(this.value(), expected);
    } catch {
      return false;
    }
  }

  #parse(): JsonObject {
    try {
      const block = this.column >= 0;
      const parsed = parseKubernetesYaml(block ? ' '.repeat(this.column) + this.raw : this.raw);
      const value = block && Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed;
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
    } catch (error) {
      throw error instanceof YamlError ? new ItemSyntaxError(error.message, error.line) : error;
    }
    throw new ItemSyntaxError('not a mapping', 1);
  }

  #readIdentity(): Identity {
    const object = this.#valueOrEmpty();
    const metadata = mapping(object.metadata);
    return {
      apiVersion: scalarText(object.apiVersion) ?? '',
      kind: scalarText(object.kind) ?? '',
      namespace: scalarText(metadata.namespace) ?? '',
      name: scalarText(metadata.name) ?? '',
    };
  }

  #readAnnotations(): Record<string, string> {
    const annotations: Record<string, string> = Object.create(null);
    for (const [key, value] of Object.entries(mapping(mapping(this.#valueOrEmpty().metadata).annotations))) {
      const text = scalarText(value);
      if (text !== undefined) annotations[key] = text;
    }
    return annotations;
  }

  #valueOrEmpty(): JsonObject {
    try {
      return this.value();
    } catch {
      return {};
    }
  }
}

function annotated(object: JsonObject, key: string, value: string): JsonObject {
  const metadata = mapping(object.metadata);
  const annotations = mapping(metadata.annotations);
  setMember(annotations, key, value);
  return { ...object, metadata: { ...metadata, annotations } };
}

function scalarText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
