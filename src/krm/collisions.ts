/**
 * Finds objects that would exist twice. kustomize fails on them without saying which source is to blame, and kpt
 * writes both to disk, so they must be found here.
 */
import type { Generated } from './generated.ts';
import type { Item } from './item.ts';
import { type JsonObject, type JsonValue, mapping } from './json.ts';
import { aboutItem, describeObject, filePlace, type Result } from './result.ts';

/** What {@link findCollisions} found. */
export interface Collisions {
  /** One error for each object that cannot be generated. */
  collisions: Result[];
  /** Orphans that are generated again, by another owner. */
  replaced: ReadonlySet<Item>;
  /** Whether an object like this item is generated. */
  again(item: Item): boolean;
}

/**
 * Compares what is generated with itself and with the items that remain. Objects are the same if group, kind,
 * namespace and name are; no namespace is the same as `default`, as it is to kustomize.
 */
export function findCollisions(
  generated: readonly Generated[],
  remaining: readonly Item[],
  orphans: ReadonlyMap<Item, string>,
): Collisions {
  const collisions: Result[] = [];
  const replaced = new Set<Item>();
  const firsts = new Map<string, Generated>();
  for (const one of generated) {
    for (const object of one.objects) {
      const key = keyOf(identityOf(object));
      const first = firsts.get(key);
      if (first) collisions.push(generatedTwice(identityOf(object), first, one));
      else firsts.set(key, one);
    }
  }
  const again = (item: Item) => firsts.has(keyOf(item.identity));
  if (firsts.size === 0) return { collisions, replaced, again };
  for (const item of remaining) {
    const one = firsts.get(keyOf(item.identity));
    if (!one) continue;
    if (orphans.has(item)) replaced.add(item);
    else collisions.push(existsAlready(item, one));
  }
  return { collisions, replaced, again };
}

interface ObjectIdentity {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
}

function identityOf(object: JsonObject): ObjectIdentity {
  const metadata = mapping(object.metadata);
  const text = (value: JsonValue | undefined) => (typeof value === 'string' ? value : '');
  return {
    apiVersion: text(object.apiVersion),
    kind: text(object.kind),
    namespace: text(metadata.namespace),
    name: text(metadata.name),
  };
}

function keyOf({ apiVersion, kind, namespace, name }: ObjectIdentity): string {
  const group = apiVersion.slice(0, Math.max(apiVersion.indexOf('/'), 0));
  return `${group}\n${kind}\n${namespace || 'default'}\n${name}`;
}

function generatedTwice(object: ObjectIdentity, first: Generated, second: Generated): Result {
  return {
    message: `${describeObject(object)} is generated from both ${describe(first)} and ${describe(second)}; rename one of the two`,
    severity: 'error',
    ...(second.source && aboutItem(second.source)),
  };
}

function existsAlready(item: Item, one: Generated): Result {
  const place = filePlace(item).path;
  return {
    message:
      `${describeObject(item.identity)} is generated from ${describe(one)}, but exists already` +
      `${place ? ` in ${place}` : ''} and was not generated from it; rename one of the two, or remove the existing one`,
    severity: 'error',
    ...(one.source && aboutItem(one.source)),
  };
}

function describe({ source, owner }: Generated): string {
  if (!source) return owner;
  const { path } = filePlace(source);
  return `${describeObject(source.identity)}${path ? ` (${path})` : ''}`;
}
