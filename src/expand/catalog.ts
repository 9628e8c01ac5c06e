/**
 * What the ResourceList holds, by kind and name, so that references can be resolved and checked.
 *
 * kustomize may have renamed an item already (namePrefix, namespace); it notes the former names in an annotation,
 * while references inside our kinds still use them. Both are found here.
 */

import { GROUP } from '../api/kinds.ts';
import { isObject } from '../api/vars.ts';
import { type Item, ItemSyntaxError } from '../krm/item.ts';
import type { JsonObject } from '../krm/json.ts';

/** Entries of a Secret that will exist in the cluster; undefined if the list does not tell which. */
export interface SecretProvider {
  item: Item;
  keys: readonly string[] | undefined;
}

/**
 * Kinds that are looked up, with their API groups, because others have kinds of the same names: CloudNativePG a
 * ScheduledBackup, Knative a Service. Everything else in a list is none of our business.
 */
const GROUPS = new Map([
  ['ClusterBackupProcedureTemplate', [GROUP]],
  ['ScheduledBackup', [GROUP]],
  ['Secret', ['']],
  ['SealedSecret', ['bitnami.com']],
  ['ExternalSecret', ['external-secrets.io', 'kubernetes-client.io']],
  ['Service', ['']],
  ['PersistentVolumeClaim', ['']],
]);

export class Catalog {
  #byKind = new Map<string, Map<string, Item[]>>();
  #referrer: Item | undefined;

  constructor(items: Iterable<Item>) {
    for (const item of items) {
      const { kind, apiVersion } = item.identity;
      const group = apiVersion.slice(0, Math.max(apiVersion.indexOf('/'), 0));
      if (!GROUPS.get(kind)?.includes(group)) continue;
      const names = this.#byKind.get(kind) ?? new Map<string, Item[]>();
      this.#byKind.set(kind, names);
      for (const name of namesOf(item)) {
        const sameName = names.get(name);
        if (sameName) sameName.push(item);
        else names.set(name, [item]);
      }
    }
  }

  /**
   * The same as the referring item sees it. Two overlays of one base, built together, hold two items that once had the
   * name in the reference: as for kustomize, the one with the referrer's own prefixes and suffixes is meant.
   */
  seenBy(referrer: Item): Catalog {
    const view = new Catalog([]);
    view.#byKind = this.#byKind;
    view.#referrer = referrer;
    return view;
  }

  /** The item of that kind and name in the namespace; an empty namespace on either side fits all. */
  find(kind: string, namespace: string, name: string): Item | undefined {
    const found = (this.#byKind.get(kind)?.get(name) ?? []).filter(
      (item) => item.identity.name === name || !this.#referrer || sameHistory(item, this.#referrer),
    );
    return (
      found.find((item) => item.identity.namespace === namespace) ??
      found.find((item) => near(item, namespace))
    );
  }

  /** Namespaces that hold an item of that kind and name. */
  namespacesOf(kind: string, name: string): string[] {
    const found = this.#byKind.get(kind)?.get(name) ?? [];
    return found.map((item) => item.identity.namespace).filter((namespace) => namespace !== '');
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
    if (plain) return { item: plain, keys: known(keysAt(plain, 'data'), keysAt(plain, 'stringData')) };
    const sealed = this.find('SealedSecret', namespace, name);
    if (sealed) {
      const keys = known(keysAt(sealed, 'spec', 'encryptedData'), keysAt(sealed, 'spec', 'template', 'data'));
      return { item: sealed, keys };
    }
    const external =
      this.find('ExternalSecret', namespace, name) ??
      this.#externalSecrets(namespace).find((item) => targetName(item) === name);
    return external && { item: external, keys: externalKeys(external) };
  }

  /** What makes a Secret of that name without being one itself, so that the names of the two do not show it. */
  secretMaker(namespace: string, name: string): Item | undefined {
    // References may use a former name; what is generated has its name beside those of now.
    const sealed = this.find('SealedSecret', namespace, name);
    if (sealed?.identity.name === name) return sealed;
    return this.#externalSecrets(namespace).find((item) => (targetName(item) ?? item.identity.name) === name);
  }

  #externalSecrets(namespace: string): Item[] {
    const all = [...new Set([...(this.#byKind.get('ExternalSecret')?.values() ?? [])].flat())];
    return all.filter((item) => item.identity.namespace === namespace || near(item, namespace));
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

/** Whether two items may have been renamed together; whoever has no prefix or suffix yet fits all. */
function sameHistory(a: Item, b: Item): boolean {
  return ['prefixes', 'suffixes'].every((affixes) => {
    const [short, long] = [a, b].map((item) => affixesOf(item, affixes)).sort((x, y) => x.length - y.length);
    return short?.every((affix, index) => affix === long?.at(index - short.length)) ?? true;
  });
}

function affixesOf(item: Item, affixes: string): string[] {
  const noted = item.annotations[`internal.config.kubernetes.io/${affixes}`] ?? '';
  return noted.split(',').filter((affix) => affix !== '');
}

function near(item: Item, namespace: string): boolean {
  return item.identity.namespace === '' || namespace === '' || item.identity.kind.startsWith('Cluster');
}

/** The item's value; empty if it cannot be read, which is not ours to report: it may be anybody's. */
export function readable(item: Item | undefined): JsonObject {
  try {
    return item?.value() ?? {};
  } catch (error) {
    if (!(error instanceof ItemSyntaxError)) throw error;
    return {};
  }
}

/** All keys; undefined where there is no map at all, as in a Secret that something in the cluster fills. */
function known(...maps: (string[] | undefined)[]): string[] | undefined {
  return maps.some((keys) => keys !== undefined) ? maps.flatMap((keys) => keys ?? []) : undefined;
}

function keysAt(item: Item, ...path: string[]): string[] | undefined {
  let value: unknown = readable(item);
  for (const step of path) value = isObject(value) ? value[step] : undefined;
  return isObject(value) ? Object.keys(value) : undefined;
}

function targetName(item: Item): string | undefined {
  const { spec } = readable(item);
  const target = isObject(spec) && isObject(spec.target) ? spec.target.name : undefined;
  return typeof target === 'string' ? target : undefined;
}

/**
 * https://external-secrets.io, and its predecessor, which calls an entry's key `name`: entries are known only if each
 * one is listed and no template writes others.
 */
function externalKeys(item: Item): string[] | undefined {
  const { spec } = readable(item);
  if (!isObject(spec) || spec.dataFrom !== undefined || !Array.isArray(spec.data)) return undefined;
  if (isObject(spec.target) && spec.target.template !== undefined) return undefined;
  return spec.data.flatMap((entry) => {
    const key = isObject(entry) ? (entry.secretKey ?? entry.name) : undefined;
    return typeof key === 'string' ? key : [];
  });
}
