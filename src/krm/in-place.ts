/**
 * Expansion in place: objects generated from sources live beside them, in the same list and (with kpt) in the same
 * package, and are replaced on every run.
 *
 * The model knows two kinds of marks. The source is marked `config.kubernetes.io/local-config`, so that
 * kustomize drops it from the build and kpt keeps it but never applies it. Each generated object names its owner
 * in an annotation, so that the next run recognises it, drops it and generates it anew; what a vanished source
 * left behind is recognised the same way.
 */
import { findCollisions } from './collisions.ts';
import type { Generated } from './generated.ts';
import type { Item } from './item.ts';
import { type JsonObject, mapping } from './json.ts';
import { Placement } from './placement.ts';
import { aboutItem, filePlace, type Result } from './result.ts';

const localConfig = 'config.kubernetes.io/local-config';

export interface InPlaceOptions {
  /** Name of the annotation that holds the owner. */
  ownerAnnotation: string;
  /** Folder for generated files, relative to the source's own; empty for the same folder. */
  outputFolder: string;
}

/** What there is, and what was generated from it. */
export interface InPlaceInput {
  /** All items of the list. */
  items: readonly Item[];
  /** The items to be marked as local configuration. */
  local: ReadonlySet<Item>;
  generated: readonly Generated[];
  /** Whether an owner of this kind is one of ours; objects of other owners are nobody's business. */
  isSourceKind(kind: string): boolean;
}

/** The new list of items, and what to say about it. */
export interface InPlaceOutput {
  outputs: (Item | JsonObject)[];
  results: Result[];
}

/**
 * The new list: all items in their order, sources marked, objects of earlier runs dropped, generated objects at
 * the end. An owned object whose owner is gone is removed with an `info` result when items come from files
 * (kpt), else kept with a `warning`: a kustomization may list nothing but rendered files. One whose owner is there and does
 * not generate it any more is removed with an `info` result, as it may be somebody's copy. An object that would be
 * generated although somebody else's item, or another source, has the same identity is an `error`.
 *
 * Deterministic, and a second run over its own output changes nothing.
 *
 * @throws {ItemSyntaxError} if an item of `local` is not an object that can be read.
 */
export function expandInPlace(input: InPlaceInput, options: InPlaceOptions): InPlaceOutput {
  const results: Result[] = [];
  const sources = new Set(input.generated.map(({ source }) => source));
  const current = new Set(
    input.generated.flatMap(({ owner, formerOwners }) => [owner, ...(formerOwners ?? [])]),
  );
  const remaining: Item[] = [];
  const dropped = new Map<Item, string>();
  const orphans = new Map<Item, string>();
  for (const item of input.items) {
    const isSource = sources.has(item) || input.local.has(item);
    const owner = isSource ? undefined : ownerOf(item, input, options);
    if (owner !== undefined && (current.has(owner) || current.has(ownerWhereItIs(owner, item)))) {
      dropped.set(item, owner);
      continue;
    }
    if (owner !== undefined && filePlace(item).path !== undefined) {
      results.push(prunedOrphan(item, owner));
      continue;
    }
    if (owner !== undefined) orphans.set(item, owner);
    remaining.push(item);
  }

  const { collisions, replaced, again } = findCollisions(input.generated, remaining, orphans);
  for (const [item, owner] of dropped)
    if (!again(item)) results.push(noLongerGenerated(item, owner, options));
  const outputs: (Item | JsonObject)[] = [];
  for (const item of remaining) {
    if (replaced.has(item)) continue;
    const owner = orphans.get(item);
    if (owner !== undefined) results.push(keptOrphan(item, owner));
    const unmarked = input.local.has(item) && item.annotations[localConfig] === undefined;
    outputs.push(unmarked ? item.withAnnotation(localConfig, 'true') : item);
  }
  const placement = new Placement(remaining, options.outputFolder);
  for (const { owner, source, objects } of input.generated) {
    for (const object of objects) {
      outputs.push(
        annotate(object, {
          [options.ownerAnnotation]: owner,
          ...affixesOf(source),
          ...placement.next(source),
        }),
      );
    }
  }
  return { outputs, results: [...collisions, ...results] };
}

/**
 * An item that shows that kpt passed only a selection (`selectors` or `exclude` in the Kptfile), if there is one.
 * Expansion in place must refuse then: objects of earlier runs are hidden, and would be generated once more.
 */
export function findSelectorUse(items: readonly Item[]): Item | undefined {
  return items.find(
    (item) =>
      item.mentions('kpt-resource-id') &&
      selectorAnnotations.some((annotation) => item.annotations[annotation] !== undefined),
  );
}

const selectorAnnotations = [
  'internal.config.k8s.io/kpt-resource-id',
  'internal.config.kubernetes.io/kpt-resource-id',
];

function ownerOf(item: Item, input: InPlaceInput, { ownerAnnotation }: InPlaceOptions): string | undefined {
  if (!item.mentions(ownerAnnotation)) return undefined;
  const owner = item.annotations[ownerAnnotation];
  return owner !== undefined && input.isSourceKind(owner.split('/', 1)[0] ?? '') ? owner : undefined;
}

/**
 * The owner of that kind and name in the item's own namespace. What is generated is where its owner is; if it is not, a
 * function behind this one has moved both, and the annotation still says where they were, or that they had no namespace.
 */
function ownerWhereItIs(owner: string, { identity: { namespace } }: Item): string {
  const [kind = '', ...path] = owner.split('/');
  const name = path.at(-1) ?? '';
  return (namespace ? [kind, namespace, name] : [kind, name]).join('/');
}

/** What belongs to an object's way through the tools, not to the object: copying it moves or hides objects. */
const transient =
  /^(?:internal\.config\.|(?:kustomize\.)?config\.k8s\.io\/|config\.kubernetes\.io\/(?:path|index|local-config|function)$)/;

function annotate(object: JsonObject, added: Record<string, string>): JsonObject {
  const metadata = mapping(object.metadata);
  const own = Object.entries(mapping(metadata.annotations)).filter(([key]) => !transient.test(key));
  return { ...object, metadata: { ...metadata, annotations: { ...Object.fromEntries(own), ...added } } };
}

/**
 * The prefixes and suffixes that kustomize notes at what it renamed, and takes away at the end. A generated object got
 * them in its name, with the name of its source; without the note, references of two overlays of one base would
 * be ambiguous to kustomize, and stay as they are.
 */
function affixesOf(source: Item | undefined): Record<string, string> {
  const noted = affixes.flatMap((key) => {
    const value = source?.annotations[key];
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(noted);
}

const affixes = ['internal.config.kubernetes.io/prefixes', 'internal.config.kubernetes.io/suffixes'];

function prunedOrphan(item: Item, owner: string): Result {
  return {
    message: `removed, because ${owner}, which it was generated from, is gone`,
    severity: 'info',
    ...aboutItem(item),
  };
}

function noLongerGenerated(item: Item, owner: string, { ownerAnnotation }: InPlaceOptions): Result {
  return {
    message: `removed, because it is not generated from ${owner} any more; if it is a copy of your own, put it back without the annotation ${ownerAnnotation}`,
    severity: 'info',
    ...aboutItem(item),
  };
}

function keptOrphan(item: Item, owner: string): Result {
  return {
    message: `was generated from ${owner}, which is not among the resources; kept as it is. List the source, too, or remove this object`,
    severity: 'warning',
    ...aboutItem(item),
  };
}
