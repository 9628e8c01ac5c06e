/** Values of a definition file that are not taken as they stand: references, and what has no effect. */
import type { Problem } from '../api/problem.ts';
import { scalarText } from '../api/vars.ts';
import type { JsonObject } from '../krm/json.ts';
import { findBuiltIn } from './built-in.ts';
import type { DefinitionTarget } from './definition-target.ts';

/** Entry of the key's Secret, and name of the key file: the original's. */
export const KEY_ENTRY = 'gpg-key';
/** What the client logs in with, if there is no token. */
export const ACCESS_KEY = ['BM_ACCESS_KEY_USERNAME', 'BM_ACCESS_KEY_PASSWORD'] as const;

/** A value that is nothing but a reference to a variable, which the original left to the shell. */
const REFERENCE = /^\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))$/;

/**
 * Values that are a reference and nothing else. One to `HelmValues.env` is replaced by what stands there; any other is a
 * variable of the script's environment, and cannot be on Kubernetes. An own template leaves parameters to its shell, as ever.
 */
export function resolveReferences(
  vars: Record<'Params' | 'Repository', JsonObject>,
  env: JsonObject,
  { form, template }: DefinitionTarget,
  problems: Problem[],
): Map<string, string> {
  const variables = new Map<string, string>();
  const roots = template.own ? (['Repository'] as const) : (['Repository', 'Params'] as const);
  for (const root of roots) {
    for (const [field, value] of Object.entries(vars[root])) {
      const [, braced, plain] = (typeof value === 'string' && REFERENCE.exec(value)) || [];
      const variable = braced ?? plain;
      if (variable === undefined) continue;
      const known = scalarText(env[variable]);
      if (known !== undefined) {
        // The function knows references among parameters.
        if (root === 'Repository') vars[root][field] = known;
      } else if (form === 'script') {
        variables.set(`${root}.${field}`, variable);
        delete vars[root][field];
      } else if (root === 'Repository') {
        problems.push({
          code: 'not-found',
          path: `${root}.${field}`,
          message: `refers to $${variable}, which is not set in the pod: set it in HelmValues.env, or write the value itself`,
        });
      }
    }
  }
  return variables;
}

/** Values that have no effect, and those that something else is missing for. */
export function checkIgnored(
  { Params, Repository }: Record<'Params' | 'Repository', JsonObject>,
  { form, template }: DefinitionTarget,
  problems: Problem[],
): void {
  const ignored = (path: string, message: string) => problems.push({ code: 'ignored-field', path, message });
  const keyPath = scalarText(Repository.encryptionKeyPath);
  if (keyPath && !['./gpg-key', 'gpg-key', '/mnt/secrets/gpg-key'].includes(keyPath))
    ignored('Repository.encryptionKeyPath', 'is not used: the key is the file that --gpg-key-path names');
  const { procedure } = template.own ? {} : findBuiltIn(template.name);
  for (const { claim, subPath } of procedure?.volumes ?? []) {
    if (form === 'script') {
      for (const name of [claim, subPath])
        if (name !== undefined && Params[name] !== undefined)
          ignored(`Params.${name}`, 'has no effect in a script, which mounts nothing');
    } else if (Params[claim] === undefined && Params.path !== undefined) {
      problems.push({
        code: 'suspicious',
        path: `Params.${claim}`,
        message:
          'is not set, so nothing is mounted and the pod sees no files: name the PersistentVolumeClaim that holds them',
      });
    }
  }
}

/** Entries that nothing reads: the original gave all of them to the pod as variables. */
export function checkSealedEntries(entries: readonly string[], problems: Problem[]): void {
  const read = new Set<string>([KEY_ENTRY, 'BM_PASSPHRASE', 'BM_AUTH_TOKEN', ...ACCESS_KEY]);
  for (const entry of entries) {
    if (read.has(entry) || /^(Params|Repository|HelmValues)\./i.test(entry)) continue;
    problems.push({
      code: 'ignored-field',
      path: '--gpg-key-path',
      message: `the SealedSecret's entry ${JSON.stringify(entry)} is not read: seal it as HelmValues.env.${entry}, or as the parameter that it is for, such as Params.password`,
    });
  }
}
