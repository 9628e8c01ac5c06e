/** What a pod refers to: ConfigMaps, Secrets and claims, as the API server would hand them to the kubelet. */
import type { ConfigMap, Secret } from 'kubernetes-types/core/v1.d.ts';

export interface PodObjects {
  namespace: string;
  /** ConfigMaps and Secrets are looked up here; all other kinds are passed over. Without a namespace they are in `default`. */
  objects: readonly { kind?: string; metadata?: { name?: string; namespace?: string } }[];
  /** Folder of the machine that stands for a claim, by the claim's name. */
  claims: Readonly<Record<string, string>>;
}

/** Entries of a ConfigMap or Secret as bytes; undefined if there is none of that name in the pod's namespace. */
export function entriesOf(
  pod: PodObjects,
  kind: 'ConfigMap' | 'Secret',
  name: string,
): Map<string, Buffer> | undefined {
  const found = pod.objects.filter(
    (each) =>
      each.kind === kind &&
      each.metadata?.name === name &&
      (each.metadata.namespace ?? 'default') === pod.namespace,
  );
  if (found.length > 1) throw new Error(`there are ${found.length} of ${kind} ${pod.namespace}/${name}`);
  if (!found[0]) return undefined;
  const entries = new Map<string, Buffer>();
  if (kind === 'Secret') {
    const secret = found[0] as Secret;
    for (const [key, text] of Object.entries(secret.data ?? {}))
      entries.set(key, Buffer.from(text, 'base64'));
    for (const [key, text] of Object.entries(secret.stringData ?? {})) entries.set(key, Buffer.from(text));
  } else {
    const map = found[0] as ConfigMap;
    for (const [key, text] of Object.entries(map.data ?? {})) entries.set(key, Buffer.from(text));
    for (const [key, text] of Object.entries(map.binaryData ?? {}))
      entries.set(key, Buffer.from(text, 'base64'));
  }
  return entries;
}

/** Throws if `object` has a field that is not listed: what the harness does not know, it must not pass over. */
export function onlyKnown(object: object | undefined, where: string, known: readonly string[]): void {
  for (const [field, value] of Object.entries(object ?? {})) {
    if (value === undefined || known.includes(field)) continue;
    throw new Error(`test/e2e/containers does not know ${where}.${field}: teach it, or leave the field out`);
  }
}

/** Throws unless a field has one of the values that the harness can provide. */
export function mustBe<Value>(value: Value, where: string, ...allowed: NoInfer<Value>[]): void {
  if (allowed.includes(value)) return;
  throw new Error(
    `test/e2e/containers cannot do ${where}: ${JSON.stringify(value)}, only ${allowed.map((each) => JSON.stringify(each) ?? 'not set').join(', ')}`,
  );
}
