/** What only shows when everything configured is looked at together: references that lead nowhere. */

import { subjectOf } from '../access/decide.ts';
import { explainEncodedPassword } from '../access/password.ts';
import type { Collection, Snapshot, User } from './configuration.ts';

interface SecretEntry {
  readonly name: string;
  readonly entry: string;
}

/** One sentence for each reference that leads nowhere. None of them grants anything: a login without password fails. */
export function crossCheck(snapshot: Snapshot): string[] {
  return [
    ...[...snapshot.users.values()].flatMap((user) => ofUser(user, snapshot)),
    ...[...snapshot.collections.values()].flatMap((collection) => ofCollection(collection, snapshot)),
  ];
}

function ofUser({ name, spec }: User, snapshot: Snapshot): string[] {
  if (spec.deactivated === true) return [];
  const keys = spec.accessKeys ?? [];
  return [
    ...password(`BackupUser ${name}: spec`, spec, snapshot),
    ...keys.flatMap((key, index) => password(`BackupUser ${name}: spec.accessKeys[${index}]`, key, snapshot)),
    ...keys.flatMap((key, index) =>
      (key.objects ?? []).flatMap((object, at) =>
        snapshot.collections.has(object.name)
          ? []
          : [
              `BackupUser ${name}: spec.accessKeys[${index}].objects[${at}] names the collection ${object.name}, which does not exist`,
            ],
      ),
    ),
  ];
}

function password(
  place: string,
  holder: { password?: string; passwordFromRef?: SecretEntry },
  snapshot: Snapshot,
): string[] {
  const { password: literal, passwordFromRef: reference } = holder;
  if (reference) {
    const value = snapshot.secret(reference.name, reference.entry);
    const missing = value === undefined;
    const fault = missing ? missingEntry(reference) : explainEncodedPassword(value);
    if (fault === undefined) return [];
    const what = missing ? fault : `entry ${reference.entry} of Secret ${reference.name} ${fault}`;
    return [`${place}.passwordFromRef: ${what}; nobody can log in with it`];
  }
  const fault = literal === undefined ? undefined : explainEncodedPassword(literal);
  return fault === undefined ? [] : [`${place}.password ${fault}; nobody can log in with it`];
}

function ofCollection({ id, spec }: Collection, snapshot: Snapshot): string[] {
  const reference = spec.healthSecretRef;
  const health =
    reference && snapshot.secret(reference.name, reference.entry) === undefined
      ? [
          `BackupCollection ${id}: spec.healthSecretRef: ${missingEntry(reference)}; nobody can see its health`,
        ]
      : [];
  const strangers = (spec.accessControl ?? []).flatMap((entry, index) => {
    const user = subjectOf(entry);
    return user === undefined || snapshot.users.has(user)
      ? []
      : [`BackupCollection ${id}: spec.accessControl[${index}] names the user ${user}, who does not exist`];
  });
  return [...health, ...strangers];
}

function missingEntry({ name, entry }: SecretEntry): string {
  return `there is no Secret ${name} with an entry ${entry}`;
}
