/** Plans a ScheduledBackup: its values, its access to the server, its keys and its procedure. */
import type { ScheduledBackup } from '../../gen/types.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import { hasError, type Problem } from '../api/problem.ts';
import { OPERATIONS, type Operation } from '../api/procedure.ts';
import { planAccess } from './access.ts';
import { planBuiltIn } from './built-in.ts';
import type { Catalog } from './catalog.ts';
import { type Keys, planEncryption, planRecipientName, RECIPIENTS } from './encryption.ts';
import { Environment } from './environment.ts';
import { planOwn } from './own-template.ts';
import type { OperationPlan, Plan } from './plan.ts';
import { checkReferences } from './references.ts';
import { readValues, type Values } from './values.ts';

/** Plans a ScheduledBackup. There is no plan if a problem is an error. */
export function planBackup(
  backup: ScheduledBackup,
  catalog: Catalog,
  config: FunctionConfig,
): { plan?: Plan; problems: Problem[] } {
  const { name, namespace } = backup.metadata;
  const { values, problems, readable } = readValues(backup, namespace ?? '', catalog);
  // Whatever else would be said about the values would only follow from this.
  if (!readable) return { problems };
  const access = planAccess(backup, values, config);
  const encryption = planEncryption(backup, values, namespace ?? '', catalog, config);
  planRecipientName(encryption.keys, backup, values);
  const inherited = planEnvironment(values);
  problems.push(...access.problems, ...encryption.problems, ...inherited.problems);

  const planOperation = backup.spec.templateRef.kind === 'internal' ? planBuiltIn : planOwn;
  const operations: Partial<Record<Operation, OperationPlan>> = {};
  let endpoint: Plan['endpoint'];
  for (const operation of OPERATIONS) {
    const keys = encryption.keys[operation];
    const login = access.logins[operation];
    const client = new Environment();
    client.addAll(access.environment);
    client.addAll(login.environment);
    client.addAll(keys.environment);
    const literals = new Map([...inherited.literals, ...login.literals, ...keys.literals]);
    const repository = new Map([...access.repository, ...login.repository, ...keys.repository]);
    const { environment } = inherited;
    const planned = planOperation(operation, {
      backup,
      catalog,
      config,
      values,
      environment,
      literals,
      client,
      repository,
    });
    // Both operations share their parameters: what is wrong with these is said once.
    const said = new Set(problems.map(keyOf));
    problems.push(...planned.problems.filter((problem) => !said.has(keyOf(problem))));
    if (!planned.plan) continue;
    endpoint ??= planned.endpoint;
    operations[operation] = withKeys(planned.plan, keys, literals, `${name}-${operation}`);
  }
  const complete = operations.backup &&
    operations.restore && { backup: operations.backup, restore: operations.restore };
  if (!complete || hasError(problems)) return { problems };
  const plan: Plan = {
    name,
    namespace,
    scheduled: backup.spec.operation ?? 'backup',
    backup,
    operations: complete,
    url: access.url,
    endpoint,
    collection: access.collection,
    newKey: encryption.newKey,
  };
  problems.push(...checkReferences(plan, catalog, config), ...checkRestorable(plan));
  return { plan, problems };
}

/** That a backup cannot be restored as declared should not be found out during the restore. */
function checkRestorable(plan: Plan): Problem[] {
  const { missing } = plan.operations.restore;
  if (missing.length === 0 || plan.scheduled === 'restore') return [];
  return missing.map(({ path = '' }) => ({
    code: 'note',
    path,
    message: 'is not set: backups are made, but no RequestedBackupAction can restore them until it is',
  }));
}

function keyOf({ code, path, message }: Problem): string {
  return `${code}\n${path}\n${message}`;
}

/** Completes an operation with its keys, and binds the credentials in clear text to the generated Secret. */
function withKeys(
  planned: Omit<OperationPlan, 'secretFiles' | 'missing'>,
  keys: Keys,
  shared: ReadonlyMap<string, string>,
  secretName: string,
): OperationPlan {
  const literals = new Map([...shared, ...planned.literals]);
  for (const variable of literals.keys())
    planned.environment.setSecret(variable, { name: secretName, key: variable });
  const files = keys.recipients ? { ...planned.files, [RECIPIENTS]: keys.recipients } : planned.files;
  return { ...planned, files, literals, secretFiles: keys.files, missing: keys.missing };
}

/** `HelmValues.env`: the original put every value into a Secret, and so do we. */
function planEnvironment(values: Values): {
  environment: Environment;
  literals: Map<string, string>;
  problems: Problem[];
} {
  const environment = new Environment();
  const literals = new Map<string, string>();
  const problems: Problem[] = [];
  for (const name of new Set(values.keysAt(['HelmValues', 'env']))) {
    const found = values.find(['HelmValues', 'env', name]);
    if (found && 'secret' in found) environment.setSecret(name, found.secret);
    else if (found && 'text' in found) literals.set(name, found.text);
  }
  if (literals.size > 0) {
    problems.push({
      code: 'plaintext-secret',
      path: 'spec.vars.HelmValues.env',
      message:
        'values in clear text, kept in a generated Secret that anybody with the rendered files can read: for credentials ' +
        'use a Secret with entries HelmValues.env.NAME, named in spec.varsSecretRef',
    });
  }
  return { environment, literals, problems };
}
