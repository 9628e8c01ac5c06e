/**
 * What the ResourceList holds, by kind and name, so that references can be resolved and checked.
 *
 * kustomize may have renamed an item already (namePrefix, namespace); it notes the former names in an annotation,
 * while references inside our kinds still use them. Both are found here.
 */

import { isObject } from '../api/vars.ts';
import type { Item } from '../krm/item.ts';

/** Entries of a Secret that will exist in the cluster; undefined if the list does not tell which. */
export interface SecretProvider {
  item: Item;
  keys: readonly string[] | undefined;
}

/** Kinds that are looked up; everything else in a list is none of our business. */
const INDEXED = new Set([
  'ClusterBackupProcedureTemplate',
  'ScheduledBackup',
  'Secret',
  'SealedSecret',
  'ExternalSecret',
  'Service',
  'PersistentVolumeClaim',
]);

export class Catalog {
  readonly #byKind = new Map<string, Map<string, Item[]>>();

  constructor(items: Iterable<Item>) {
    for (const item of items) {
      const { kind } = item.identity;
      if (!INDEXED.has(kind)) continue;
      const names = this.#byKind.get(kind) ?? new Map<string, Item[]>();
      this.#byKind.set(kind, names);
      for (const name of namesOf(item)) {
        const sameName = names.get(name);
        if (sameName) sameName.push(item);
        else names.set(name, [item]);
      }
    }
  }

  /** The item of that kind and name in the namespace; an empty namespace on either side fits all. */
  find(kind: string, namespace: string, name: string): Item | undefined {
    const found = this.#byKind.get(kind)?.get(name) ?? [];
    return (
      found.find((item) => item.identity.namespace === namespace) ??
      found.find((item) => near(item, namespace))
    );
  }

  /** All names of a kind, for suggestions. */
  names(kind: string): string[] {
    return [...(this.#byKind.get(kind)?.keys() ?? [])];
  }

  /**
   * What in the list will make the Secret exist: the Secret itself, a SealedSecret or an ExternalSecret. Only names
   * of entries are read, never values.
   */
  secret(namespace: string, name: string): SecretProvider | undefined {
    const plain = this.find('Secret', namespace, name);
    if (plain) return { item: plain, keys: [...keysAt(plain, 'data'), ...keysAt(plain, 'stringData')] };
    const sealed = this.find('SealedSecret', namespace, name);
    if (sealed) return { item: sealed, keys: keysAt(sealed, 'spec', 'encryptedData') };
    const external =
      this.find('ExternalSecret', namespace, name) ??
      [...new Set([...(this.#byKind.get('ExternalSecret')?.values() ?? [])].flat())].find(
        (item) => near(item, namespace) && targetName(item) === name,
      );
    return external && { item: external, keys: externalKeys(external) };
  }

  /** Names of all Secrets that something in the list provides. */
  secretNames(): string[] {
    return ['Secret', 'SealedSecret', 'ExternalSecret'].flatMap((kind) => this.names(kind));
  }
}

/** The item's name and the names that it had before kustomize renamed it. */
export function namesOf(item: Item): string[] {
  const { name } = item.identity;
  if (!item.mentions('previousNames')) return [name];
  const former = item.annotations['internal.config.kubernetes.io/previousNames'] ?? '';
  return [...new Set([name, ...former.split(',')])].filter((entry) => entry !== '');
}

/** The item's namespace and those that it had before; the empty string stands for none. */
export function namespacesOf(item: Item): string[] {
  const { namespace } = item.identity;
  if (!item.mentions('previousNamespaces')) return [namespace];
  const former = item.annotations['internal.config.kubernetes.io/previousNamespaces'] ?? '';
  // kustomize writes "default" where the namespace was not set.
  return [
    ...new Set([
      namespace,
      ...former.split(',').flatMap((entry) => (entry === 'default' ? ['', entry] : entry)),
    ]),
  ];
}

function near(item: Item, namespace: string): boolean {
  return item.identity.namespace === '' || namespace === '' || item.identity.kind.startsWith('Cluster');
}

function keysAt(item: Item, ...path: string[]): string[] {
  let value: unknown = item.value();
  for (const step of path) value = isObject(value) ? value[step] : undefined;
  return isObject(value) ? Object.keys(value) : [];
}

function targetName(item: Item): string | undefined {
  const { spec } = item.value();
  const target = isObject(spec) && isObject(spec.target) ? spec.target.name : undefined;
  return typeof target === 'string' ? target : undefined;
}

/** https://external-secrets.io: entries are known only if each one is listed. */
function externalKeys(item: Item): string[] | undefined {
  const { spec } = item.value();
  if (!isObject(spec) || spec.dataFrom !== undefined || !Array.isArray(spec.data)) return undefined;
  return spec.data.flatMap((entry) =>
    isObject(entry) && typeof entry.secretKey === 'string' ? entry.secretKey : [],
  );
}
