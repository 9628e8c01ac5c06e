/** The objects of one ScheduledBackup. */
import type { FunctionConfig } from '../api/function-config.ts';
import type { Problem } from '../api/problem.ts';
import { OPERATIONS, type Operation } from '../api/procedure.ts';
import type { Catalog } from './catalog.ts';
import { checkGeneratedSecrets } from './generated-secret.ts';
import { gitOpsAnnotations } from './gitops.ts';
import { expandNewKey } from './key-job.ts';
import { checkNameLength } from './metadata.ts';
import { networkPolicyOf } from './network-policy.ts';
import {
  configMapOf,
  cronJobOf,
  type JobLimits,
  type KubernetesObject,
  secretOf,
  serviceAccountOf,
} from './objects.ts';
import type { Plan } from './plan.ts';
import { CONTAINER, type PodOptions, podTemplateOf } from './pod.ts';
import { checkPodConflicts } from './pod-conflicts.ts';
import { restrictedViolations } from './pod-security.ts';
import { checkPodSettings } from './pod-settings.ts';

/**
 * ConfigMaps always; Secrets, CronJob, ServiceAccount and NetworkPolicy where due. `configProblems` are mistakes in the
 * configuration that only show beside this ScheduledBackup; their paths are those of an ExpandBackups.
 */
export function expandScheduledBackup(
  plan: Plan,
  catalog: Catalog,
  config: FunctionConfig,
): { objects: KubernetesObject[]; problems: Problem[]; configProblems: Problem[] } {
  const annotations = gitOpsAnnotations(plan.backup.metadata.annotations ?? {});
  const objects: KubernetesObject[] = [];
  const problems = [
    ...checkGeneratedSecrets(plan, catalog),
    ...checkPodConflicts(plan, plan.backup.spec.podTemplate),
  ];
  for (const operation of OPERATIONS) {
    objects.push(configMapOf(plan, operation, annotations));
    const secret = secretOf(plan, operation, annotations);
    if (secret) objects.push(secret);
  }
  if (config.serviceAccount) objects.push(serviceAccountOf(plan, annotations));
  if (config.networkPolicy) {
    const network = networkPolicyOf(plan, catalog, annotations);
    objects.push(network.policy);
    problems.push(...network.problems);
  }
  if (plan.newKey) {
    const made = expandNewKey(plan, plan.newKey, config, annotations);
    objects.push(...made.objects);
    problems.push(...made.problems);
  }
  const template = podTemplateOf(plan, plan.scheduled, podOptions(plan, config));
  problems.push(...checkPodSecurity(template.spec && restrictedViolations(template.spec)));
  if (template.spec) problems.push(...checkPodSettings(template.spec, CONTAINER));
  if (plan.backup.spec.cronJob?.enabled) {
    problems.push(...plan.operations[plan.scheduled].missing);
    problems.push(...checkNameLength(plan.name, suffixLength(plan.scheduled), 52));
    objects.push(cronJobOf(plan, template, jobLimits(plan, config), annotations));
  } else {
    // The name is also the value of a label.
    problems.push(...checkNameLength(plan.name, 0, 63));
  }
  return { objects, problems, configProblems: checkPodConflicts(plan, config.podTemplate) };
}

/** What both sorts of sources give their pods. */
export function podOptions(plan: Plan, config: FunctionConfig): PodOptions {
  return {
    settings: [config.podTemplate, plan.backup.spec.podTemplate],
    serviceAccount: config.serviceAccount ?? false,
  };
}

/** The limits of the ScheduledBackup, else those of the function's configuration. */
export function jobLimits(plan: Plan, config: FunctionConfig): JobLimits {
  const own = plan.backup.spec.podTemplate;
  return {
    activeDeadlineSeconds: own?.activeDeadlineSeconds ?? config.podTemplate?.activeDeadlineSeconds,
    backoffLimit: own?.backoffLimit ?? config.podTemplate?.backoffLimit,
  };
}

function checkPodSecurity(violations: readonly string[] | undefined): Problem[] {
  if (!violations || violations.length === 0) return [];
  const message = `the pods leave the restricted Pod Security Standard: ${violations.join('; ')}`;
  return [{ code: 'pod-security', path: 'spec.podTemplate', message }];
}

function suffixLength(operation: Operation): number {
  return `-${operation}`.length;
}
