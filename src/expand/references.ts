/**
 * Checks what a ScheduledBackup refers to. Secrets often live outside Git, so an absent one is no mistake by itself:
 * only a missing entry of a Secret that is there, or a name that is nearly that of one, is reported.
 */
import type { ScheduledBackup } from '../../gen/types.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import { nearest } from '../api/nearest.ts';
import type { Problem } from '../api/problem.ts';
import { OPERATIONS } from '../api/procedure.ts';
import { show } from '../api/validate.ts';
import { accessKeyEntries } from './access.ts';
import type { Catalog } from './catalog.ts';
import type { Plan } from './plan.ts';

/** Where a ScheduledBackup refers to a Secret. */
export interface Reference {
  path: string;
  secret: string;
  /** The entry; undefined if entries are checked elsewhere. */
  key?: string;
}

export function checkReferences(plan: Plan, catalog: Catalog, config: FunctionConfig): Problem[] {
  const namespace = plan.namespace ?? '';
  const problems: Problem[] = [];
  const missing = new Set<string>();
  for (const { path, secret, key } of referencesOf(plan.backup)) {
    const provider = catalog.secret(namespace, secret);
    if (!provider) {
      if (!missing.has(secret)) problems.push(...missingSecret(path, secret, catalog, config));
      missing.add(secret);
    } else if (key !== undefined && provider.keys && !provider.keys.includes(key)) {
      const near = nearest(key, provider.keys);
      const hint = near ? `did you mean ${near}?` : `it has: ${provider.keys.join(', ') || 'none'}`;
      problems.push({
        code: 'not-found',
        path,
        message: `Secret ${secret} has no entry ${show(key) ?? 'of this name, which looks like a credential itself'}; ${hint}`,
        ...(show(key) !== undefined && { value: key }),
        ...(near && { proposal: near }),
      });
    }
  }
  return [...problems, ...checkClaims(plan, catalog)];
}

/** Its references to Secrets that must be there before it. */
export function referencesOf({ spec }: ScheduledBackup): Reference[] {
  const { gpgKeySecretRef: gpg, tokenSecretRef: token, accessKeySecretRef: accessKey, encryption } = spec;
  const found: Reference[] = [];
  if (gpg?.secretName && !gpg.createIfNotExists) {
    found.push({
      path: 'spec.gpgKeySecretRef.publicKey',
      secret: gpg.secretName,
      key: gpg.publicKey || 'key.pub',
    });
  }
  if (token && !accessKey)
    found.push({ path: 'spec.tokenSecretRef.tokenKey', secret: token.secretName, key: token.tokenKey });
  for (const field of ['accessKeySecretRef', 'restoreAccessKeySecretRef'] as const) {
    const ref = spec[field];
    if (!ref) continue;
    const [username, password] = accessKeyEntries(ref);
    found.push({ path: `spec.${field}.usernameKey`, secret: ref.name, key: username.key });
    found.push({ path: `spec.${field}.passwordKey`, secret: ref.name, key: password.key });
  }
  for (const field of ['identitySecretRef', 'passphraseSecretRef'] as const) {
    const ref = encryption?.[field];
    if (ref) found.push({ path: `spec.encryption.${field}.key`, secret: ref.name, key: ref.key });
  }
  if (spec.varsSecretRef?.secretName)
    found.push({ path: 'spec.varsSecretRef.secretName', secret: spec.varsSecretRef.secretName });
  return found;
}

function missingSecret(path: string, secret: string, catalog: Catalog, config: FunctionConfig): Problem[] {
  const near = nearest(secret, catalog.secretNames());
  const hint = near ? `; did you mean ${near}?` : '';
  if (config.requireReferences) {
    return [
      {
        code: 'not-found',
        path,
        message: `nothing in the list provides Secret ${secret}${hint}`,
        value: secret,
        ...(near && { proposal: near }),
      },
    ];
  }
  if (!near) return [];
  return [
    {
      code: 'suspicious',
      path,
      message: `Secret ${secret} is not in the list${hint}`,
      value: secret,
      proposal: near,
    },
  ];
}

/** Claims are usually made by the application's own manifests, so a near miss is worth a word. */
function checkClaims(plan: Plan, catalog: Catalog): Problem[] {
  const names = new Set(
    OPERATIONS.flatMap((operation) =>
      plan.operations[operation].volumes.flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []),
    ),
  );
  return [...names].flatMap((name) => {
    if (catalog.find('PersistentVolumeClaim', plan.namespace ?? '', name)) return [];
    const near = nearest(name, catalog.names('PersistentVolumeClaim'));
    if (!near) return [];
    const message = `PersistentVolumeClaim ${name} is not in the list; did you mean ${near}?`;
    return [{ code: 'suspicious' as const, path: 'spec.vars.Params', message, value: name, proposal: near }];
  });
}
