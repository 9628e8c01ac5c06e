/** The kinds that users write, and how one is read from an item: parsed, checked, typed. */

import {
  BackupCollection as backupCollection,
  BackupUser as backupUser,
} from '../../gen/server-validators.js';
import type {
  BackupCollection,
  BackupUser,
  ClusterBackupProcedureTemplate,
  ExpandBackups,
  RequestedBackupAction,
  ScheduledBackup,
} from '../../gen/types.ts';
import {
  ClusterBackupProcedureTemplate as clusterBackupProcedureTemplate,
  ExpandBackups as expandBackups,
  RequestedBackupAction as requestedBackupAction,
  ScheduledBackup as scheduledBackup,
} from '../../gen/validators.js';
import { type Item, ItemSyntaxError } from '../krm/item.ts';
import type { JsonValue } from '../krm/json.ts';
import { nearest } from './nearest.ts';
import { hasError, type Problem } from './problem.ts';
import { unknownField, type Validator, validate } from './validate.ts';
import { isObject } from './vars.ts';

/** Group of the kinds that the function expands. */
export const GROUP = 'riotkit.org';
export const API_VERSION = `${GROUP}/v1alpha1`;
/** Group of the kinds that the server reads. */
const SERVER_GROUP = `backups.${GROUP}`;
export const SERVER_API_VERSION = `${SERVER_GROUP}/v1alpha1`;

export interface Kinds {
  ScheduledBackup: ScheduledBackup;
  RequestedBackupAction: RequestedBackupAction;
  ClusterBackupProcedureTemplate: ClusterBackupProcedureTemplate;
  ExpandBackups: ExpandBackups;
  BackupUser: BackupUser;
  BackupCollection: BackupCollection;
}
export type Kind = keyof Kinds;

const VALIDATORS: Record<Kind, Validator> = {
  ScheduledBackup: scheduledBackup,
  RequestedBackupAction: requestedBackupAction,
  ClusterBackupProcedureTemplate: clusterBackupProcedureTemplate,
  ExpandBackups: expandBackups,
  BackupUser: backupUser,
  BackupCollection: backupCollection,
};
const SERVER_KINDS = ['BackupUser', 'BackupCollection'] as const satisfies readonly Kind[];
const KINDS = (Object.keys(VALIDATORS) as Kind[]).filter((kind) => !isServerKind(kind));

/** True for the kinds that the server reads by itself, if it is given a cluster to read them from. */
export function isServerKind(kind: Kind): boolean {
  return SERVER_KINDS.some((name) => name === kind);
}

/** True if the item is of the server's group, whatever its kind. */
export function isOfServer(item: Item): boolean {
  return item.identity.apiVersion.startsWith(`${SERVER_GROUP}/`);
}

/** The kind of an item of our groups; null if it is somebody else's, a problem if it is ours but not known. */
export function kindOf(item: Item): Kind | Problem | null {
  const { apiVersion, kind } = item.identity;
  const [group, version] = apiVersion.split('/');
  if (group !== GROUP && group !== SERVER_GROUP) return null;
  const kinds: readonly Kind[] = group === GROUP ? KINDS : SERVER_KINDS;
  const known = kinds.find((name) => name === kind);
  if (!known) {
    const near = nearest(kind, kinds);
    const hint =
      group === GROUP && SERVER_KINDS.some((name) => name === kind)
        ? `it is one of the server: write apiVersion: ${SERVER_API_VERSION}`
        : near
          ? `did you mean ${near}?`
          : `known: ${kinds.join(', ')}`;
    return {
      code: 'invalid-value',
      path: 'kind',
      message: `${JSON.stringify(kind)} is not a kind of ${group}; ${hint}`,
      ...(near && { proposal: near }),
    };
  }
  const expected = `${group}/v1alpha1`;
  if (apiVersion !== expected) {
    return {
      code: 'invalid-value',
      path: 'apiVersion',
      message: `${version === undefined ? 'has no version' : `${JSON.stringify(version)} is not a version of ${group}`}: write ${expected}`,
      value: apiVersion,
      proposal: expected,
    };
  }
  return known;
}

/** The item as its kind's type, or everything that is wrong with it. Never throws for what a user wrote. */
export function readKind<K extends Kind>(kind: K, item: Item): { object?: Kinds[K]; problems: Problem[] } {
  let value: ReturnType<Item['value']>;
  try {
    value = item.value();
  } catch (error) {
    if (!(error instanceof ItemSyntaxError)) throw error;
    return { problems: [syntaxProblem(error)] };
  }
  const problems = [...validate(VALIDATORS[kind], value).map(withHint), ...checkMetadata(value.metadata)];
  if (hasError(problems)) return { problems };
  return { object: value as unknown as Kinds[K], problems };
}

/** What is wrong with the text of an object. */
export function syntaxProblem({ line, message }: ItemSyntaxError): Problem {
  const hint = /^(unexpected|unresolved) alias/i.test(message)
    ? '; text that begins with * must be in quotes'
    : '';
  return { code: 'syntax', message: `line ${line} of the object: ${message}${hint}` };
}

/** What Kubernetes knows in metadata. Objects that were exported from a cluster have all of it. */
const METADATA = [
  ...['name', 'generateName', 'namespace', 'labels', 'annotations', 'finalizers', 'ownerReferences'],
  ...['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp'],
  ...['deletionGracePeriodSeconds', 'managedFields', 'selfLink'],
];

/** A misspelt namespace would put everything into another one, without a word. */
function checkMetadata(metadata: JsonValue | undefined): Problem[] {
  if (!isObject(metadata)) return [];
  return Object.keys(metadata)
    .filter((name) => !METADATA.includes(name))
    .map((name) => unknownField('metadata', name, METADATA.slice(0, 5)));
}

/** What to write where something is missing. The original's examples used generateName, which nothing in Git could match. */
const HINTS: Readonly<Record<string, string>> = {
  'metadata.name': 'generateName cannot be used in Git: write a name of your own',
  'spec.templateRef': 'the procedure, for example {kind: internal, name: postgres, version: "16"}',
  'spec.cronJob.enabled': 'write true or false',
  'spec.scheduledBackupRef': 'the ScheduledBackup that it is about, for example {name: app}',
  'spec.action': 'write backup or restore',
};

const SOPS =
  'the object is encrypted with SOPS: decrypt it before the function runs, or encrypt nothing but the Secrets that it refers to';

function withHint(problem: Problem): Problem {
  if (problem.code === 'unknown-field' && problem.path === 'sops') {
    return { ...problem, message: SOPS };
  }
  const hint = problem.code === 'missing-field' && HINTS[problem.path ?? ''];
  return hint ? { ...problem, message: `is required: ${hint}` } : problem;
}
