/** The variables of a container, and their use in its command, as the kubelet works them out. */
import type { Container, EnvVar, ObjectFieldSelector } from 'kubernetes-types/core/v1.d.ts';
import { entriesOf, onlyKnown, type PodObjects } from './pod-objects.ts';

export interface PodIdentity extends PodObjects {
  /** Of the pod, which is not that of the Job. */
  name: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

/** Every variable of the container with its value. Throws where the kubelet would not start the container. */
export function environmentOf(container: Container, pod: PodIdentity): Map<string, string> {
  const environment = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    onlyKnown(from, 'envFrom', ['prefix', 'configMapRef', 'secretRef']);
    const [kind, reference] = from.secretRef
      ? (['Secret', from.secretRef] as const)
      : (['ConfigMap', from.configMapRef ?? {}] as const);
    onlyKnown(reference, 'envFrom.ref', ['name', 'optional']);
    const entries = entriesOf(pod, kind, reference.name ?? '');
    if (!entries && !reference.optional)
      throw new Error(`there is no ${kind} ${pod.namespace}/${reference.name}`);
    for (const [key, bytes] of entries ?? []) environment.set(`${from.prefix ?? ''}${key}`, bytes.toString());
  }
  for (const variable of container.env ?? []) {
    const value = variableValue(variable, pod, environment);
    if (value !== undefined) environment.set(variable.name, value);
  }
  return environment;
}

function variableValue(variable: EnvVar, pod: PodIdentity, earlier: Map<string, string>): string | undefined {
  onlyKnown(variable, `env ${variable.name}`, ['name', 'value', 'valueFrom']);
  const source = variable.valueFrom;
  if (!source) return expandVariables(variable.value ?? '', earlier);
  onlyKnown(source, `env ${variable.name}.valueFrom`, ['secretKeyRef', 'configMapKeyRef', 'fieldRef']);
  if (source.fieldRef) return fieldOf(source.fieldRef, pod);
  const [kind, reference] = source.secretKeyRef
    ? (['Secret', source.secretKeyRef] as const)
    : (['ConfigMap', source.configMapKeyRef ?? { key: '' }] as const);
  onlyKnown(reference, `env ${variable.name}.valueFrom.ref`, ['name', 'key', 'optional']);
  const bytes = entriesOf(pod, kind, reference.name ?? '')?.get(reference.key);
  if (bytes === undefined && !reference.optional) {
    throw new Error(
      `env ${variable.name}: there is no ${kind} ${pod.namespace}/${reference.name} with an entry ${reference.key}`,
    );
  }
  return bytes?.toString();
}

function fieldOf({ fieldPath }: ObjectFieldSelector, pod: PodIdentity): string {
  if (fieldPath === 'metadata.name') return pod.name;
  if (fieldPath === 'metadata.namespace') return pod.namespace;
  const entry = fieldPath.match(/^metadata\.(labels|annotations)\['([^']+)'\]$/);
  if (!entry?.[1] || !entry[2]) throw new Error(`test/e2e/containers does not know fieldRef ${fieldPath}`);
  return pod[entry[1] as 'labels' | 'annotations'][entry[2]] ?? '';
}

/** `$(NAME)` becomes the variable's value where there is one, and `$$` a dollar sign that begins no reference. */
export function expandVariables(text: string, environment: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^()]*)\))/g, (all, name: string | undefined) =>
    name === undefined ? '$' : (environment.get(name) ?? all),
  );
}
