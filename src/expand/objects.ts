/** The objects of one operation: ConfigMap, Secret, CronJob, Job; and those of the whole: ServiceAccount. */
import type { CronJob, Job, JobSpec } from 'kubernetes-types/batch/v1.d.ts';
import type { ConfigMap, PodTemplateSpec, Secret, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
import type { Role, RoleBinding } from 'kubernetes-types/rbac/v1.d.ts';
import { plainCron } from '../api/cron.ts';
import type { Operation } from '../api/procedure.ts';
import { labelsOf, metadataOf, NO_SUBSTITUTION, operationName } from './metadata.ts';
import type { Plan } from './plan.ts';

/** Everything that is generated. */
export type KubernetesObject =
  | ConfigMap
  | Secret
  | ServiceAccount
  | NetworkPolicy
  | Role
  | RoleBinding
  | CronJob
  | Job;

/** A day: long enough for any backup that is made daily, short enough that a stuck one does not block for ever. */
const DEADLINE_SECONDS = 86_400;

/** The operation's script, and the public keys if they stand in Git. Never holds a secret. */
export function configMapOf(
  plan: Plan,
  operation: Operation,
  annotations: Record<string, string>,
): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(plan, operationName(plan, operation), operation, {
      ...annotations,
      ...NO_SUBSTITUTION,
    }),
    data: plan.operations[operation].files,
  };
}

/** The credentials that the user wrote in clear text; undefined if there are none, as there should be. */
export function secretOf(
  plan: Plan,
  operation: Operation,
  annotations: Record<string, string>,
): Secret | undefined {
  const { literals } = plan.operations[operation];
  if (literals.size === 0) return undefined;
  const entries = [...literals].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf(plan, operationName(plan, operation), operation, {
      ...annotations,
      ...NO_SUBSTITUTION,
    }),
    type: 'Opaque',
    // Not stringData: a server-side apply would not remove an entry that has left it.
    data: Object.fromEntries(
      entries.map(([name, text]) => [name, Buffer.from(text, 'utf8').toString('base64')]),
    ),
  };
}

/** Identity of the pods, without any right. */
export function serviceAccountOf(plan: Plan, annotations: Record<string, string>): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadataOf(plan, `${plan.name}-backup`, 'service-account', annotations),
    automountServiceAccountToken: false,
  };
}

export function cronJobOf(
  plan: Plan,
  template: PodTemplateSpec,
  limits: JobLimits,
  annotations: Record<string, string>,
): CronJob {
  const operation = plan.scheduled;
  const { cronJob } = plan.backup.spec;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadataOf(plan, operationName(plan, operation), operation, annotations),
    spec: {
      schedule: plainCron(cronJob?.scheduleEvery ?? '00 02 * * *'),
      ...(cronJob?.timeZone && { timeZone: cronJob.timeZone }),
      ...(cronJob?.suspend !== undefined && { suspend: cronJob.suspend }),
      concurrencyPolicy: cronJob?.concurrencyPolicy ?? 'Forbid',
      startingDeadlineSeconds: cronJob?.startingDeadlineSeconds ?? 3600,
      successfulJobsHistoryLimit: cronJob?.successfulJobsHistoryLimit ?? 3,
      failedJobsHistoryLimit: cronJob?.failedJobsHistoryLimit ?? 3,
      jobTemplate: {
        metadata: { labels: labelsOf(plan, operation) },
        spec: jobSpec(operation, template, limits),
      },
    },
  };
}

export interface JobOptions extends JobLimits {
  name: string;
  suspend: boolean | undefined;
}

/** How long and how often a Job may try; absent means our default. */
export interface JobLimits {
  activeDeadlineSeconds?: number | undefined;
  backoffLimit?: number | undefined;
}

/** One action. No time to live, no hook: a GitOps tool would create the Job again once it is gone. */
export function jobOf(
  plan: Plan,
  operation: Operation,
  template: PodTemplateSpec,
  options: JobOptions,
  annotations: Record<string, string>,
): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadataOf(plan, options.name, operation, annotations),
    spec: {
      ...(options.suspend !== undefined && { suspend: options.suspend }),
      ...jobSpec(operation, template, options),
    },
  };
}

/** A backup may be tried again: nothing is stored before it is complete. A restore is never tried again. */
function jobSpec(operation: Operation, template: PodTemplateSpec, limits: JobLimits): JobSpec {
  return {
    backoffLimit: operation === 'restore' ? 0 : (limits.backoffLimit ?? 2),
    activeDeadlineSeconds: limits.activeDeadlineSeconds ?? DEADLINE_SECONDS,
    template,
  };
}
