/**
 * The ScheduledBackup and its companions that say the same as a definition file: what somebody would write who moves from the
 * generator to the function.
 */
import { API_VERSION } from '../api/kinds.ts';
import type { Problem } from '../api/problem.ts';
import { isObject, scalarText } from '../api/vars.ts';
import type { JsonObject } from '../krm/json.ts';
import type { Definition, DefinitionTarget } from './definition-target.ts';
import {
  ACCESS_KEY,
  checkIgnored,
  checkSealedEntries,
  KEY_ENTRY,
  resolveReferences,
} from './definition-values.ts';

export interface Equivalent {
  /** A ScheduledBackup, not checked yet. */
  backup: JsonObject;
  /** The RequestedBackupAction of a restore; of a script, it only says which version. */
  action: JsonObject | undefined;
  /** The ClusterBackupProcedureTemplate of an own template. */
  template: JsonObject | undefined;
  /** The Secrets that the rest refers to and that will exist; values are left out. */
  provided: JsonObject[];
  /** Name of the Secret with the key file. */
  keySecret: string;
  /**
   * Script only: variables of whoever runs it that stand for values, by dotted path. To the planner they are entries of the
   * Secret {@link ENVIRONMENT}.
   */
  variables: ReadonlyMap<string, string>;
  problems: Problem[];
}

/** Secret that stands for the environment in which a script is started. */
const ENVIRONMENT = 'environment';
/** What the original ran templates in. It has a shell, the tools of PostgreSQL and MariaDB, and tar. */
const ORIGINAL_IMAGE = 'ghcr.io/riotkit-org/backup-maker:snapshot';

export function equivalentOf(definition: Definition, target: DefinitionTarget): Equivalent {
  const problems: Problem[] = [];
  const { name: ownName, ...helmValues } = definition.HelmValues;
  const name = scalarText(ownName) || target.name;
  const vars = {
    Params: { ...definition.Params },
    Repository: { ...definition.Repository },
    HelmValues: helmValues,
  };
  const env = isObject(helmValues.env) ? helmValues.env : {};
  const variables = resolveReferences(vars, env, target, problems);
  checkIgnored(vars, target, problems);

  const sealed = target.key !== 'none' && 'sealed' in target.key ? target.key.sealed : undefined;
  const keySecret = (sealed && nameOf(sealed)) ?? `${name}-${target.operation}-key`;
  const sealedEntries = sealed ? entriesOf(sealed) : [];
  const provided = sealed ? [sealed] : [secret(keySecret, [KEY_ENTRY])];
  checkSealedEntries(sealedEntries, problems);

  const paths = sealedEntries.filter((entry) => /^(Params|Repository|HelmValues)\./i.test(entry));
  const login = loginOf(name, target, env, sealedEntries, keySecret);
  if (target.form === 'script' && !login && !vars.Repository.token && !variables.has('Repository.token'))
    variables.set('Repository.token', 'BM_AUTH_TOKEN');
  if (login?.own) provided.push(secret(login.own, ACCESS_KEY));
  if (variables.size > 0) provided.push(secret(ENVIRONMENT, [...variables.keys()]));
  const imported =
    variables.size > 0 ? { secretName: ENVIRONMENT, importOnlyKeys: [...variables.keys()] } : undefined;
  const fromSealed = paths.length > 0 ? { secretName: keySecret, importOnlyKeys: paths } : undefined;
  const varsSecretRef = imported ?? fromSealed;

  const metadata = { name, ...(target.namespace && { namespace: target.namespace }) };
  const backup: JsonObject = {
    apiVersion: API_VERSION,
    kind: 'ScheduledBackup',
    metadata,
    spec: {
      operation: 'backup',
      cronJob: {
        enabled: target.form === 'kubernetes' && target.operation === 'backup',
        scheduleEvery: target.schedule,
      },
      templateRef: templateRef(target),
      ...keyRef(target, keySecret, sealedEntries),
      ...login?.ref,
      ...(varsSecretRef && { varsSecretRef }),
      vars,
    },
  };
  return {
    backup,
    action: actionOf(name, target),
    template: target.template.own && templateOf(target, helmValues, problems),
    provided,
    keySecret,
    variables,
    problems,
  };
}

function templateRef({ template, image }: DefinitionTarget): JsonObject {
  return {
    kind: template.own ? 'ClusterBackupProcedureTemplate' : 'internal',
    name: template.own ? objectName(template.name) : template.name,
    ...(image !== undefined && { image }),
  };
}

/** Names of template files may have letters that names of objects may not. */
function objectName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'own'
  );
}

/** The other operation's script is of no account: nothing is generated from it. */
function templateOf(
  { template, operation, image, form }: DefinitionTarget,
  helmValues: JsonObject,
  problems: Problem[],
): JsonObject {
  const given = image ?? scalarText(helmValues.image);
  if (given === undefined && form === 'kubernetes') {
    problems.push({
      code: 'unpinned-version',
      path: '--k8s-image',
      message: `is not set, so ${ORIGINAL_IMAGE} is used, whose content may change: name an image with the tools that your template calls`,
    });
  }
  const scripts = { backup: '#!/bin/sh\n', restore: '#!/bin/sh\n', [operation]: template.own?.script ?? '' };
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterBackupProcedureTemplate',
    metadata: { name: objectName(template.name) },
    spec: { image: given ?? ORIGINAL_IMAGE, ...scripts },
  };
}

function actionOf(
  name: string,
  { operation, namespace, targetVersion, runId }: DefinitionTarget,
): JsonObject | undefined {
  if (operation !== 'restore') return undefined;
  return {
    apiVersion: API_VERSION,
    kind: 'RequestedBackupAction',
    metadata: { name: `${name}-restore`, ...(namespace && { namespace }) },
    spec: {
      action: 'restore',
      scheduledBackupRef: { name },
      ...(targetVersion !== undefined && { targetVersion }),
      ...(runId !== undefined && { runId }),
    },
  };
}

function keyRef({ key }: DefinitionTarget, secretName: string, entries: readonly string[]): JsonObject {
  if (key === 'none') return { encryption: { disabled: true } };
  const passphrase = entries.includes('BM_PASSPHRASE') && { passphraseKey: 'BM_PASSPHRASE' };
  return { gpgKeySecretRef: { secretName, publicKey: KEY_ENTRY, privateKey: KEY_ENTRY, ...passphrase } };
}

/** Where the login comes from if it is no token in the definition. `own` is the generated Secret, if it stands there. */
function loginOf(
  name: string,
  { operation }: DefinitionTarget,
  env: JsonObject,
  sealedEntries: readonly string[],
  sealedName: string,
): { ref: JsonObject; own?: string } | undefined {
  const accessKey = (secretName: string) => ({
    accessKeySecretRef: { name: secretName, usernameKey: ACCESS_KEY[0], passwordKey: ACCESS_KEY[1] },
  });
  const own = `${name}-${operation}`;
  if (ACCESS_KEY.every((variable) => scalarText(env[variable]))) return { ref: accessKey(own), own };
  if (ACCESS_KEY.every((variable) => sealedEntries.includes(variable))) return { ref: accessKey(sealedName) };
  if (sealedEntries.includes('BM_AUTH_TOKEN'))
    return { ref: { tokenSecretRef: { secretName: sealedName, tokenKey: 'BM_AUTH_TOKEN' } } };
  return undefined;
}

function secret(name: string, entries: readonly string[]): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    data: Object.fromEntries(entries.map((entry) => [entry, ''])),
  };
}

function nameOf({ metadata }: JsonObject): string | undefined {
  return isObject(metadata) ? scalarText(metadata.name) : undefined;
}

function entriesOf({ spec }: JsonObject): string[] {
  return isObject(spec) && isObject(spec.encryptedData) ? Object.keys(spec.encryptedData) : [];
}
