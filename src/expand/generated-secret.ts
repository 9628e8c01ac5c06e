/** The Secrets that are generated for credentials in clear text must not take the place of others. */
import type { ScheduledBackup } from '../../gen/types.ts';
import type { Problem } from '../api/problem.ts';
import { OPERATIONS } from '../api/procedure.ts';
import { isObject } from '../api/vars.ts';
import { describeObject, filePlace } from '../krm/result.ts';
import type { Catalog } from './catalog.ts';
import { operationName } from './metadata.ts';
import type { Plan } from './plan.ts';
import { type Reference, referencesOf } from './references.ts';

/**
 * A conflict for each generated Secret that has the name of one that the ScheduledBackup refers to, or that something in the
 * list makes in the cluster. One that stands in the list itself is found with all other collisions.
 */
export function checkGeneratedSecrets(plan: Plan, catalog: Catalog): Problem[] {
  return OPERATIONS.flatMap((operation): Problem[] => {
    const { literals } = plan.operations[operation];
    if (literals.size === 0) return [];
    const name = operationName(plan, operation);
    const maker = catalog.secretMaker(plan.namespace ?? '', name);
    if (maker) {
      const { path } = filePlace(maker);
      const by = `${describeObject(maker.identity)}${path ? ` (${path})` : ''}`;
      const message = `Secret ${name} is generated for the values in clear text, and ${by} makes one of that name, too: rename one of the two, or move these values into the other and name it in spec.varsSecretRef`;
      return [{ code: 'conflict', path: 'metadata.name', message, value: plan.name }];
    }
    // An entry that is generated may be referred to like any other.
    const taken = [...referencesOf(plan.backup), ...moreReferences(plan.backup)].find(
      ({ secret, key }) => secret === name && !(key !== undefined && literals.has(key)),
    );
    if (!taken) return [];
    const { path, key } = taken;
    const message =
      `refers to Secret ${name}, and one of that name is generated for the values in clear text, which would replace it: ` +
      'rename yours, or move these values into it and name it in spec.varsSecretRef';
    const field = key === undefined ? path : path.replace(/\.\w+$/, '');
    return [{ code: 'conflict', path: field, message, value: name }];
  });
}

/** Secrets that need not be in the list, or that nobody here reads. */
function moreReferences({ spec }: ScheduledBackup): Reference[] {
  const found: Reference[] = [];
  const add = (path: string, secret: unknown) => {
    if (typeof secret === 'string') found.push({ path, secret });
  };
  add('spec.gpgKeySecretRef.secretName', spec.gpgKeySecretRef?.secretName);
  for (const { name } of spec.podTemplate?.imagePullSecrets ?? [])
    add('spec.podTemplate.imagePullSecrets', name);
  for (const { secret, projected } of spec.podTemplate?.volumes ?? []) {
    if (isObject(secret)) add('spec.podTemplate.volumes', secret.secretName);
    for (const source of isObject(projected) && Array.isArray(projected.sources) ? projected.sources : [])
      if (isObject(source) && isObject(source.secret)) add('spec.podTemplate.volumes', source.secret.name);
  }
  return found;
}
