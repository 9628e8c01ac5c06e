/** The one control plane that the suites of this folder share, and what they do with it. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, PATIENCE_MS } from '../../eventually.ts';
import type { Manifest, Ran } from '../sandbox.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

let plane: Promise<ControlPlane> | undefined;
let current: ControlPlane | undefined;
let suites = 0;

/** Starts the control plane before the first suite that asks for it, and stops it after the last one. */
export function useCluster(test: Test): void {
  suites++;
  test.before(async () => {
    plane ??= startControlPlane();
    // uvu says nothing of what goes wrong here; the tests then fail for want of it.
    current = await plane.catch((error: Error) => void console.error(`no control plane: ${error.message}`));
  });
  test.after(async () => {
    if (--suites > 0) return;
    await current?.stop();
  });
}

export function kubectl(args: readonly string[], objects?: readonly Manifest[]): Ran {
  return cluster().kubectl(args, objects && textOf(objects));
}

export function tryKubectl(args: readonly string[], objects?: readonly Manifest[]): Ran {
  return cluster().tryKubectl(args, objects && textOf(objects));
}

function cluster(): ControlPlane {
  if (!current) throw new Error('there is no control plane: it was not asked for, or did not start');
  return current;
}

/** As JSON: kubectl and the library of these tests read YAML by different versions of it. */
function textOf(objects: readonly Manifest[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
}

/** Server-side apply as strict as it can be; what it says goes to standard error. */
export const APPLY = ['apply', '--server-side', '--validate=strict', '-f', '-'];

/** Applies objects, none of which the API server may warn about; returns them as they are now. */
export function apply(objects: readonly Manifest[]): Manifest[] {
  const { stdout, stderr } = kubectl([...APPLY, '-o', 'json'], objects);
  assert.is(stderr, '');
  return listed(stdout);
}

/** The objects of what kubectl prints with `-o json`, be it one or many. */
export function listed(json: string): Manifest[] {
  const printed: Manifest = JSON.parse(json);
  return printed.kind === 'List' ? printed.items : [printed];
}

/** The live objects of a kind in a namespace. */
export function get(kind: string, namespace: string): Manifest[] {
  return JSON.parse(kubectl(['-n', namespace, 'get', kind, '-o', 'json']).stdout).items;
}

/** The live objects of a kind in all namespaces. */
export function getEverywhere(kind: string): Manifest[] {
  return JSON.parse(kubectl(['get', kind, '--all-namespaces', '-o', 'json']).stdout).items;
}

/** Namespaces that take only pods of the restricted Pod Security Standard; each with its ServiceAccount when this returns. */
export async function createNamespaces(names: readonly string[]): Promise<void> {
  const standard = ['enforce', 'warn', 'audit'].map((mode) => [
    `pod-security.kubernetes.io/${mode}`,
    'restricted',
  ]);
  const labels = Object.fromEntries(standard);
  kubectl(
    ['create', '-f', '-'],
    names.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })),
  );
  await until(`the ServiceAccounts of ${names.join(', ')}`, () => {
    const accounts = getEverywhere('serviceaccounts').map(({ metadata }) => metadata);
    return names.every((name) => accounts.some((account) => account.namespace === name));
  });
}

/** Asks until it is so; seldom, because kubectl is a process each time. */
export async function until(
  what: string | (() => string),
  condition: () => boolean,
  seconds = (2 * PATIENCE_MS) / 1000,
): Promise<void> {
  await eventually(what, condition, 200, seconds * 1000);
}

/** The pods of a Job, which its controller has created by the time this returns. */
export async function podsOf(job: Manifest): Promise<Manifest[]> {
  const { name, namespace, uid } = job.metadata;
  let pods: Manifest[] = [];
  await until(`a pod of the Job ${namespace}/${name}`, () => {
    pods = get('pods', namespace).filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid);
    return pods.length > 0;
  });
  return pods;
}

/** Says that a pod ended, as the kubelet would. */
export function finish(pod: Manifest, phase: 'Succeeded' | 'Failed' = 'Succeeded'): void {
  const { name, namespace } = pod.metadata;
  const patch = JSON.stringify({ status: { phase } });
  kubectl(['-n', namespace, 'patch', 'pod', name, '--subresource=status', '--type=merge', '-p', patch]);
}

/** The parts of `wanted` that `live` does not have with the same value, by path; live objects may have more. */
export function missing(wanted: unknown, live: unknown, path = ''): string[] {
  if (Array.isArray(wanted)) {
    const other = Array.isArray(live) ? live : [];
    const length = wanted.length === other.length ? [] : [`${path}: ${wanted.length} and ${other.length}`];
    return [
      ...length,
      ...wanted.flatMap((value, index) => missing(value, other[index], `${path}[${index}]`)),
    ];
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const other = (typeof live === 'object' && live !== null ? live : {}) as Record<string, unknown>;
    return Object.entries(wanted).flatMap(([key, value]) => missing(value, other[key], `${path}.${key}`));
  }
  // Quantities may be written as numbers and are kept as texts.
  const same = wanted === live || (typeof wanted === 'number' && String(wanted) === live);
  return same ? [] : [`${path}: ${JSON.stringify(wanted)} and ${JSON.stringify(live)}`];
}
