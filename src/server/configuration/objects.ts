/** From a parsed document to a user, a collection or a secret that has been checked by itself. */

import {
  BackupCollection as collectionValidator,
  BackupUser as userValidator,
} from '../../../gen/server-validators.js';
import type { BackupCollection, BackupUser } from '../../../gen/types.ts';
import type { Problem } from '../../api/problem.ts';
import { type Validator, validate } from '../../api/validate.ts';
import type { JsonObject } from '../../krm/json.ts';
import { parseBlock } from '../access/addresses.ts';
import { subjectOf } from '../access/decide.ts';
import type { Collection, User } from './configuration.ts';
import { readSecretData, type SecretEncoding } from './secret-data.ts';

export type Kind = 'BackupUser' | 'BackupCollection' | 'Secret';

export type ConfiguredObject =
  | { readonly kind: 'BackupUser'; readonly name: string; readonly user: User }
  | { readonly kind: 'BackupCollection'; readonly name: string; readonly collection: Collection }
  | { readonly kind: 'Secret'; readonly name: string; readonly entries: ReadonlyMap<string, string> };

export interface Reading {
  /** What the document is about; undefined if that cannot be told. */
  readonly identity?: { readonly kind: Kind; readonly name: string };
  /** Absent if the object is not fit for use. */
  readonly object?: ConfiguredObject;
  /** Sentences about the object, without secrets and without its name. */
  readonly problems: readonly string[];
}

const GROUP = 'backups.riotkit.org';
const VERSION = `${GROUP}/v1alpha1`;

/** Reads one document; undefined if it is none of ours. `name`, if given, is used instead of `metadata.name`. */
export function readObject(
  document: JsonObject,
  encoding: SecretEncoding,
  name?: string,
): Reading | undefined {
  const { apiVersion, kind } = document;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return { problems: ['has no apiVersion or no kind, so that nobody knows what it is'] };
  }
  const ours = apiVersion.split('/')[0] === GROUP;
  if (!ours && !(apiVersion === 'v1' && kind === 'Secret')) return undefined;
  if (ours && apiVersion !== VERSION) return { problems: [`apiVersion must be ${VERSION}`] };
  if (ours && kind !== 'BackupUser' && kind !== 'BackupCollection') {
    return { problems: [`kind must be BackupUser or BackupCollection`] };
  }
  const metadata = document.metadata as JsonObject | undefined;
  const id = name ?? metadata?.name;
  if (typeof id !== 'string' || id === '') {
    return {
      problems: [`${kind} has no metadata.name, or one that YAML does not read as text: put it in quotes`],
    };
  }
  const identity = { kind: kind as Kind, name: id };
  const result =
    kind === 'Secret'
      ? secret(document, id, encoding)
      : kind === 'BackupUser'
        ? user(document, id)
        : collection(document, id);
  return { identity, ...result };
}

function secret(document: JsonObject, name: string, encoding: SecretEncoding): Omit<Reading, 'identity'> {
  const { entries, problems } = readSecretData(document, encoding);
  return problems.length > 0 ? { problems } : { problems, object: { kind: 'Secret', name, entries } };
}

function user(document: JsonObject, name: string): Omit<Reading, 'identity'> {
  const { problems, value } = check<BackupUser>(userValidator, document);
  if (!value) return { problems };
  const { spec } = value;
  const id = spec.id ?? name;
  const found: string[] = [];
  if (id === '' || id.includes('$')) {
    found.push(
      'spec.id must not be empty or contain "$", which separates a user from an access key at login',
    );
  }
  for (const [index, text] of (spec.restrictByIP ?? []).entries()) {
    if (!parseBlock(text)) {
      found.push(`spec.restrictByIP[${index}] is not an address or CIDR block such as 10.0.0.0/8`);
    }
  }
  const keys = (spec.accessKeys ?? []).map((key) => key.name);
  for (const [index, key] of keys.entries()) {
    if (key === '' || key.includes('$'))
      found.push(`spec.accessKeys[${index}].name must not be empty or contain "$"`);
    if (keys.indexOf(key) !== index) found.push(`spec.accessKeys[${index}].name occurs twice`);
  }
  return found.length > 0
    ? { problems: found }
    : { problems: [], object: { kind: 'BackupUser', name, user: { name: id, spec } } };
}

function collection(document: JsonObject, name: string): Omit<Reading, 'identity'> {
  const { problems, value } = check<BackupCollection>(collectionValidator, document);
  if (!value) return { problems };
  const found = (value.spec.accessControl ?? []).flatMap((entry, index) =>
    subjectOf(entry) === undefined
      ? [`spec.accessControl[${index}] must name one user, with userName or with name and type: user`]
      : [],
  );
  return found.length > 0
    ? { problems: found }
    : {
        problems: [],
        object: { kind: 'BackupCollection', name, collection: { id: name, spec: value.spec } },
      };
}

function check<T>(validator: Validator, document: JsonObject): { problems: string[]; value?: T } {
  const problems = validate(validator, document).map(sentence);
  return problems.length > 0 ? { problems } : { problems, value: document as T };
}

/** The problem in words. Whatever stands where a password belongs may be one, and is not repeated. */
function sentence({ path = '', message, code }: Problem): string {
  const secretPlace = /pass|secret/i.test(path) && (code === 'wrong-type' || code === 'invalid-value');
  const text = secretPlace
    ? 'has the wrong form: password is an encoded password in quotes, a reference has name and entry'
    : message;
  return `${path} ${text}`.trim();
}
