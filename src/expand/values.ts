/**
 * The values that a ScheduledBackup gives its procedure: `spec.vars`, overlaid with the entries of the Secret in
 * `spec.varsSecretRef`, each of which is a dotted path into vars. Secret entries win, as in the original.
 */
import type { ScheduledBackup } from '../../gen/types.ts';
import { isSecretName, isSopsEncrypted, looksLikeCredential } from '../api/credentials.ts';
import { nearest } from '../api/nearest.ts';
import type { Problem } from '../api/problem.ts';
import { canonicalRoot, isObject, parseVars, scalarText } from '../api/vars.ts';
import type { JsonObject, JsonValue } from '../krm/json.ts';
import type { Catalog } from './catalog.ts';
import type { SecretEntry, Value } from './environment.ts';

/** What stands at a path: a value, a whole map or list, or nothing. */
export type Found = Value | { map: JsonValue } | undefined;

export class Values {
  readonly #tree: JsonObject;
  readonly #secrets: ReadonlyMap<string, SecretEntry>;
  /** The Secret whose entries are not known when rendering: any path may come from it. */
  readonly openSecret: string | undefined;

  constructor(tree: JsonObject, secrets: ReadonlyMap<string, SecretEntry>, openSecret?: string) {
    this.#tree = tree;
    this.#secrets = secrets;
    this.openSecret = openSecret;
  }

  /** Looks up a path such as `['Params', 'password']`. */
  find(path: readonly string[]): Found {
    const secret = this.#secrets.get(path.join('.'));
    if (secret) return { secret };
    let value: JsonValue | undefined = this.#tree;
    for (const step of path) value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    if (value === undefined || value === null) return undefined;
    const text = scalarText(value);
    return text === undefined ? { map: value } : { text };
  }

  /** Keys that a path could go on with, for suggestions. */
  keysAt(path: readonly string[]): string[] {
    let value: JsonValue | undefined = this.#tree;
    for (const step of path) value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    const prefix = path.length === 0 ? '' : `${path.join('.')}.`;
    const secrets = [...this.#secrets.keys()].filter((key) => key.startsWith(prefix));
    return [
      ...(isObject(value) ? Object.keys(value) : []),
      ...secrets.map((key) => key.slice(prefix.length).split('.')[0] ?? ''),
    ];
  }

  /** Paths that Secret entries were given for. */
  get secretPaths(): string[] {
    return [...this.#secrets.keys()];
  }
}

/** True if the value at the path is a credential in clear text, by the field's name or by its look. */
export function isPlainCredential(path: readonly string[], text: string): boolean {
  if (text === '' || isSopsEncrypted(text) || /^\$(\w+|\{\w+\})$/.test(text)) return false;
  return isSecretName(path.at(-1) ?? '') || looksLikeCredential(text);
}

/** What SOPS encrypted is decrypted after us, if at all, and only in Secrets: pods would get it as it stands here. */
function stillEncrypted(value: JsonValue, path: string): Problem[] {
  if (typeof value === 'string') {
    const message =
      'is encrypted with SOPS: decrypt it before the function runs, or move it to a Secret, which may be encrypted, and name that in spec.varsSecretRef';
    return isSopsEncrypted(value) ? [{ code: 'invalid-value', path, message }] : [];
  }
  return isObject(value)
    ? Object.entries(value).flatMap(([key, inner]) => stillEncrypted(inner, `${path}.${key}`))
    : [];
}

/** A credential that was moved to a Secret, and is still in Git: the likeliest leftover of the move. */
function leftBehind(path: readonly string[], vars: JsonObject, secretName: string): Problem[] {
  const found = new Values(vars, new Map()).find(path);
  if (!found || !('text' in found) || !isPlainCredential(path, found.text)) return [];
  const message =
    `a credential in clear text, which is not even used, because Secret ${secretName} goes before it: ` +
    'remove it here, and change it, as it has been in Git';
  return [{ code: 'plaintext-secret', path: `spec.vars.${path.join('.')}`, message }];
}

/** Reads vars and varsSecretRef of a ScheduledBackup. */
export function readValues(
  backup: ScheduledBackup,
  namespace: string,
  catalog: Catalog,
): { values: Values; problems: Problem[]; readable: boolean } {
  const written = backup.spec.vars as JsonValue | undefined;
  const encrypted = stillEncrypted(written ?? null, 'spec.vars');
  if (encrypted.length > 0)
    return { values: new Values({}, new Map()), problems: encrypted, readable: false };
  const { vars, problems, readable } = parseVars(written);
  const ref = backup.spec.varsSecretRef;
  const secretName = ref?.secretName;
  const wanted = ref?.importOnlyKeys ?? [];
  if (!secretName) {
    if (wanted.length > 0) {
      problems.push({
        code: 'missing-field',
        path: 'spec.varsSecretRef.secretName',
        message: 'is required with importOnlyKeys',
      });
    }
    return { values: new Values(vars, new Map()), problems, readable };
  }
  const provided = catalog.secret(namespace, secretName)?.keys;
  const secrets = new Map<string, SecretEntry>();
  for (const key of wanted.length > 0 ? wanted : (provided ?? [])) {
    if (provided && !provided.includes(key)) {
      const near = nearest(key, provided);
      problems.push({
        code: 'not-found',
        path: 'spec.varsSecretRef.importOnlyKeys',
        message: `Secret ${secretName} has no entry ${key}${near ? `; did you mean ${near}?` : ''}`,
        value: key,
        ...(near && { proposal: near }),
      });
      continue;
    }
    const [root = '', ...rest] = key.split('.');
    const canonical = canonicalRoot(root);
    if (canonical && rest.length > 0) {
      secrets.set([canonical, ...rest].join('.'), { name: secretName, key });
      problems.push(...leftBehind([canonical, ...rest], vars, secretName));
    } else if (wanted.length > 0) {
      problems.push({
        code: 'invalid-value',
        path: 'spec.varsSecretRef.importOnlyKeys',
        message: `"${key}" must begin with Params., Repository. or HelmValues.`,
        value: key,
      });
    }
  }
  const open = wanted.length === 0 && provided === undefined;
  if (open) {
    problems.push({
      code: 'suspicious',
      path: 'spec.varsSecretRef',
      message:
        `nothing in the list tells the entries of Secret ${secretName}: values that vars lack, and that have no default, are taken from it; ` +
        'list them in importOnlyKeys to be exact',
    });
  }
  return { values: new Values(vars, secrets, open ? secretName : undefined), problems, readable };
}
