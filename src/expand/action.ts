/** The Job of one RequestedBackupAction. */
import type { RequestedBackupAction } from '../../gen/types.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import { GROUP } from '../api/kinds.ts';
import type { Problem } from '../api/problem.ts';
import { digest } from './digest.ts';
import { Environment } from './environment.ts';
import { checkRestoreAnnotations, gitOpsAnnotations } from './gitops.ts';
import { checkNameLength } from './metadata.ts';
import { jobOf, type KubernetesObject } from './objects.ts';
import type { Plan } from './plan.ts';
import { podTemplateOf } from './pod.ts';
import { jobLimits, podOptions } from './scheduled-backup.ts';

/** Changes with the script, so that a Job is never silently run with another one. */
const SCRIPT_ANNOTATION = `${GROUP}/script-digest`;

/**
 * The Job. Its name ends in a digest of its pod: a changed action or an upgraded function makes a new Job instead of
 * an error about immutable fields. That a new Job does not act twice is the ledger's duty, by the action's identity.
 */
export function expandAction(
  action: RequestedBackupAction,
  plan: Plan,
  config: FunctionConfig,
): { objects: KubernetesObject[]; problems: Problem[] } {
  const { spec, metadata } = action;
  const operation = spec.action;
  const annotations = gitOpsAnnotations(metadata.annotations ?? {});
  const problems = plan.operations[operation].missing.map((problem) => atBackup(problem, plan.name));
  problems.push(...checkNameLength(metadata.name, 11, 63));
  if (operation === 'restore') {
    problems.push(...checkRestoreAnnotations(metadata.annotations ?? {}));
    problems.push(...checkConfirmation(action, plan, config));
  } else {
    if (spec.targetVersion !== undefined)
      problems.push(ignored('targetVersion', 'only a restore has a version to choose'));
    if (spec.confirmRestore !== undefined)
      problems.push(ignored('confirmRestore', 'only a restore replaces data'));
  }
  const template = podTemplateOf(plan, operation, {
    ...podOptions(plan, config),
    environment: actionEnvironment(action),
    annotations: { [SCRIPT_ANNOTATION]: digest(JSON.stringify(plan.operations[operation].files)) },
  });
  const name = `${metadata.name}-${digest(JSON.stringify(template))}`;
  const limits = jobLimits(plan, config);
  const options = {
    ...limits,
    name,
    suspend: spec.suspend,
    activeDeadlineSeconds: spec.activeDeadlineSeconds ?? limits.activeDeadlineSeconds,
  };
  return { objects: [jobOf(plan, operation, template, options, annotations)], problems };
}

function ignored(field: string, message: string): Problem {
  return { code: 'ignored-field', path: `spec.${field}`, message };
}

/**
 * A restore replaces data. Whoever names what it is about has looked at it: an action copied from another one, or a
 * reference changed by an overlay, no longer fits its confirmation.
 */
function checkConfirmation({ spec }: RequestedBackupAction, plan: Plan, config: FunctionConfig): Problem[] {
  const path = 'spec.confirmRestore';
  const names = [...new Set([plan.name, spec.scheduledBackupRef.name, plan.collection ?? plan.name])];
  if (spec.confirmRestore === undefined) {
    const message = `is required: the restore replaces the data of ScheduledBackup ${plan.name}; if that is meant, write confirmRestore: ${plan.collection ?? plan.name}`;
    return config.requireRestoreConfirmation ? [{ code: 'missing-field', path, message }] : [];
  }
  if (names.includes(spec.confirmRestore)) return [];
  const message = `confirms another restore: this one is of ${names.join(', or ')}`;
  return [{ code: 'conflict', path, message, value: spec.confirmRestore }];
}

/** Identity of the action for the ledger, and the version to restore under both its names. */
function actionEnvironment({ metadata, spec }: RequestedBackupAction): Environment {
  const environment = new Environment();
  environment.set('BM_ACTION_NAME', metadata.name);
  environment.setField('BM_ACTION_NAMESPACE', 'metadata.namespace');
  environment.set('BM_ACTION_RUN_ID', spec.runId ?? '1');
  if (spec.retry) environment.set('BM_ACTION_RETRY', 'true');
  if (spec.action === 'restore') {
    const version = spec.targetVersion ?? 'latest';
    environment.set('BM_VERSION', version);
    environment.set('RESTORE_VERSION', version);
  }
  return environment;
}

/** The field stands in the ScheduledBackup, while the problem is reported at the action. */
function atBackup(problem: Problem, name: string): Problem {
  const { path, ...rest } = problem;
  return {
    ...rest,
    path: 'spec.scheduledBackupRef',
    message: `ScheduledBackup ${name}: ${path} ${problem.message}; write it there, not here`,
  };
}
