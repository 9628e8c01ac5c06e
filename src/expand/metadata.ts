/** Names, labels and annotations of generated objects. */
import type { ObjectMeta } from 'kubernetes-types/meta/v1.d.ts';
import { GROUP } from '../api/kinds.ts';
import type { Problem } from '../api/problem.ts';
import type { Operation } from '../api/procedure.ts';
import type { Plan } from './plan.ts';

/** Says which source an object was generated from, as `Kind/namespace/name`, or `Kind/name` without a namespace. */
export const OWNER_ANNOTATION = `${GROUP}/generated-by`;

/** Selects the pods of one ScheduledBackup. */
export const BACKUP_LABEL = `${GROUP}/scheduled-backup`;

/** Flux replaces `${NAME}` in manifests; in scripts that would empty the shell's own variables. */
export const NO_SUBSTITUTION = { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' };

/** The name of an object that belongs to one operation: `app1-backup`, as the original called it. */
export function operationName(plan: Plan, operation: Operation): string {
  return `${plan.name}-${operation}`;
}

/** Value of the ownership annotation. */
export function ownerOf(kind: string, namespace: string | undefined, name: string): string {
  return namespace ? `${kind}/${namespace}/${name}` : `${kind}/${name}`;
}

/**
 * Labels of everything that belongs to a ScheduledBackup. `app.kubernetes.io/instance` is left out on purpose: Argo CD
 * tracks by it, and would take the CronJob's own Jobs for its own.
 */
export function labelsOf(plan: Plan, component: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'backup-maker',
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/managed-by': 'expand-backups',
    [BACKUP_LABEL]: plan.name,
  };
}

/** Metadata of a generated object. */
export function metadataOf(
  plan: Plan,
  name: string,
  component: string,
  annotations: Readonly<Record<string, string>> = {},
): ObjectMeta {
  return {
    name,
    ...(plan.namespace && { namespace: plan.namespace }),
    labels: labelsOf(plan, component),
    ...(Object.keys(annotations).length > 0 && { annotations: { ...annotations } }),
  };
}

/**
 * Names that leave no room: a CronJob may have 52 characters, because its Jobs get 11 more, and a Job 63. An overlay
 * may still add a prefix, so names near the limit are worth a warning.
 */
export function checkNameLength(
  name: string,
  suffix: number,
  most: number,
  path = 'metadata.name',
): Problem[] {
  const length = name.length + suffix;
  if (length > most) {
    const message = `is too long by ${length - most}: write at most ${most - suffix} characters, because ${suffix} are added to it and the name may have ${most}`;
    return [{ code: 'invalid-value', path, message, value: name }];
  }
  if (length > most - 5) {
    const message = `leaves room for only ${most - length} more characters: a namePrefix in an overlay may make it too long`;
    return [{ code: 'suspicious', path, message, value: name }];
  }
  return [];
}
