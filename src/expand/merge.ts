/**
 * Merges a user's pod settings over ours: maps are merged, lists are appended to, scalars replace, null removes. As in
 * kubectl's strategic merge, entries that the API server tells apart by a key replace those that have the same.
 */
import type { Container, PodSpec, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import type { PodTemplate } from '../../gen/types.ts';
import { lowerRequests } from './pod-settings.ts';

/** Settings that stand in the PodSpec under the same name, with the same shape. */
const POD_FIELDS = [
  'nodeSelector',
  'tolerations',
  'affinity',
  'topologySpreadConstraints',
  'priorityClassName',
  'imagePullSecrets',
  'serviceAccountName',
  'securityContext',
  'volumes',
] as const;

/** Lists whose entries must not have the same value in this field. */
const LIST_KEYS: Readonly<Record<string, string>> = {
  volumes: 'name',
  volumeMounts: 'mountPath',
  imagePullSecrets: 'name',
};

/** A new template; the arguments are left as they are. */
export function mergePodTemplate(
  template: PodTemplateSpec,
  settings: PodTemplate,
  container: string,
): PodTemplateSpec {
  const picked = Object.fromEntries(
    POD_FIELDS.flatMap((field) => (settings[field] === undefined ? [] : [[field, settings[field]]])),
  );
  const spec = merge(template.spec ?? { containers: [] }, picked) as PodSpec;
  return {
    metadata: merge(
      template.metadata ?? {},
      only({ labels: settings.labels, annotations: settings.annotations }),
    ),
    spec: {
      ...spec,
      containers: spec.containers.map((entry) =>
        entry.name === container ? mergeContainer(entry, settings) : entry,
      ),
    },
  };
}

function mergeContainer(container: Container, settings: PodTemplate): Container {
  const { resources } = container;
  const requests = lowerRequests(resources?.requests ?? {}, settings.resources);
  return merge(
    { ...container, resources: { ...resources, requests } },
    only({
      resources: settings.resources,
      securityContext: settings.containerSecurityContext,
      volumeMounts: settings.volumeMounts,
    }),
  );
}

function only(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `over` merged into `base`, as a new value. */
function merge<T extends object>(base: T, over: object): T {
  const result: Record<string, unknown> = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    if (value === null) delete result[key];
    else if (Array.isArray(before) && Array.isArray(value))
      result[key] = mergeList(before, value, LIST_KEYS[key]);
    else if (isMap(before) && isMap(value)) result[key] = merge(before, value);
    else result[key] = isMap(value) ? merge({}, value) : value;
  }
  return result as T;
}

function mergeList(base: readonly unknown[], over: readonly unknown[], key: string | undefined): unknown[] {
  if (key === undefined) return [...base, ...over];
  const keyOf = (entry: unknown) => (isMap(entry) ? (entry as Record<string, unknown>)[key] : undefined);
  const replaced = new Map(over.map((entry) => [keyOf(entry), entry]));
  const kept = base.map((entry) => replaced.get(keyOf(entry)) ?? entry);
  return [...kept, ...over.filter((entry) => !kept.includes(entry))];
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
