/**
 * Reads and writes the document that a KRM function gets on stdin and gives on stdout.
 *
 * Specified by kustomize's functions-spec.md. The text that came in is kept, and what is not ours goes out from
 * there, byte for byte: a parser and an emitter in between would turn `0644` into `644` and `'on'` into `on`.
 */
import { Item, ItemSyntaxError } from './item.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { type Layout, section } from './layout.ts';
import { beginsWithKey } from './scan.ts';
import { ShapeError, sliceTree } from './slice-cst.ts';
import { sliceLines } from './slice-lines.ts';
import { parseKubernetesYaml, YamlError } from './yaml.ts';

/** Versions of ResourceList that are understood; they do not differ in what a function must know. */
const apiVersions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `config.kubernetes.io/${version}`);

/** Thrown for input that is no ResourceList. The message is for the person at the keyboard. */
export class ResourceListError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ResourceListError';
  }
}

/** A ResourceList as it was read. Its `results`, if any, belonged to another function and are forgotten. */
export class ResourceList {
  readonly apiVersion: string;
  readonly items: readonly Item[];
  /** The function's configuration, read as kubectl would; `undefined` if absent or null. */
  readonly functionConfig: JsonObject | undefined;
  /** Where everything stood in the text. */
  readonly layout: Layout;

  constructor(
    apiVersion: string,
    items: readonly Item[],
    functionConfig: JsonObject | undefined,
    layout: Layout,
  ) {
    this.apiVersion = apiVersion;
    this.items = items;
    this.functionConfig = functionConfig;
    this.layout = layout;
  }

  /** Whether the text occurs anywhere in the input: a plain search, nothing is parsed. */
  mentions(text: string): boolean {
    return this.layout.text.includes(text);
  }
}

/**
 * Reads a ResourceList. Items are sliced, not parsed: one that is bad YAML inside is found by `Item.value()`, if
 * anybody calls it.
 *
 * @throws {ResourceListError} for empty input, bad YAML, several documents, another kind or unknown version,
 *   `items` that are not a list, items that are no mappings, and an unreadable functionConfig.
 */
export function readResourceList(input: string): ResourceList {
  const text = input.charCodeAt(0) === 0xfeff ? input.slice(1) : input;
  if (!/\S/.test(text)) throw new ResourceListError(`standard input is empty: ${usage}`);
  const layout = sliceLines(text) ?? sliceExactly(text);
  const apiVersion = readVersion(layout);
  const items = layout.starts.map((start, position) => {
    const column = layout.style === 'block' ? layout.itemColumn : -1;
    return new Item(text.slice(start, layout.ends[position]), position, column);
  });
  for (const item of items) requireMapping(item);
  return new ResourceList(apiVersion, items, readFunctionConfig(layout), layout);
}

const usage = 'expected a ResourceList, as `kustomize build` and `kpt fn render` send it to functions';

function sliceExactly(text: string): Layout {
  try {
    return sliceTree(text);
  } catch (error) {
    if (error instanceof YamlError) {
      throw new ResourceListError(`standard input is not valid YAML: line ${error.line}: ${error.message}`);
    }
    if (error instanceof ShapeError)
      throw new ResourceListError(`standard input: ${error.message}; ${usage}`);
    throw error;
  }
}

function readVersion(layout: Layout): string {
  const kind = envelopeMember(layout, 'kind');
  if (kind !== 'ResourceList') {
    const found = kind === undefined ? 'has no kind' : `is of kind ${JSON.stringify(kind)}`;
    throw new ResourceListError(`standard input ${found}; ${usage}`);
  }
  const apiVersion = envelopeMember(layout, 'apiVersion');
  if (typeof apiVersion === 'string' && apiVersions.includes(apiVersion)) return apiVersion;
  throw new ResourceListError(
    `unsupported ResourceList apiVersion ${JSON.stringify(apiVersion ?? null)}; supported are ${apiVersions.join(', ')}`,
  );
}

function readFunctionConfig(layout: Layout): JsonObject | undefined {
  const config = envelopeMember(layout, 'functionConfig');
  if (config === undefined || config === null) return undefined;
  if (typeof config !== 'object' || Array.isArray(config)) {
    throw new ResourceListError(
      'the functionConfig is not a mapping; give a ConfigMap or an object of its own kind',
    );
  }
  return config;
}

function envelopeMember(layout: Layout, key: string): JsonValue | undefined {
  const text = section(layout, key)?.text;
  if (text === undefined) return undefined;
  // What kpt and kustomize write needs no parser, and starting one up costs more than all the rest.
  const plain = /^(?:apiVersion|kind): ([A-Za-z][A-Za-z0-9./]*)\n$/.exec(text);
  if (plain?.[1] && plain[1].length > 5) return plain[1];
  try {
    const object = parseKubernetesYaml(layout.root === 'block' ? text : `{${text}\n}`);
    return object && typeof object === 'object' && !Array.isArray(object) ? object[key] : undefined;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ResourceListError(`cannot read ${key}: line ${error.line} of it: ${error.message}`);
  }
}

function requireMapping(item: Item): void {
  if (item.column >= 0 ? beginsWithKey(item.raw) : item.raw.startsWith('{')) return;
  try {
    item.value();
  } catch (error) {
    if (!(error instanceof ItemSyntaxError)) throw error;
    throw new ResourceListError(`items[${item.position}] is not an object: ${error.message}; ${usage}`);
  }
}
