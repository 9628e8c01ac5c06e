/**
 * Whether the server, as the list declares it, will let the backups in: collections that nothing declares, and access
 * keys without the right to what they are for. Only warnings: the server may have other sources, too.
 */
import type { BackupCollection, BackupUser, ScheduledBackup } from '../../gen/types.ts';
import { nearest } from '../api/nearest.ts';
import type { Problem } from '../api/problem.ts';
import type { Operation } from '../api/procedure.ts';
import type { Plan } from './plan.ts';

/** What the list declares of the server. */
export interface ServerObjects {
  users: readonly BackupUser[];
  collections: readonly BackupCollection[];
}

/** What a role lets do with a collection; all others let do nothing with it. */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  systemAdmin: ['upload', 'download'],
  collectionManager: ['upload', 'download'],
  uploadsAnytime: ['upload'],
  backupUploader: ['upload'],
  backupDownloader: ['download'],
};
const ROLE: Readonly<Record<string, string>> = { upload: 'backupUploader', download: 'backupDownloader' };

function rightsOf(roles: readonly string[] | undefined): Set<string> {
  return new Set((roles ?? []).flatMap((role) => RIGHTS[role] ?? []));
}

/** Problems of a ScheduledBackup. */
export function checkServerAccess(plan: Plan, server: ServerObjects): Problem[] {
  const { collection: id, backup } = plan;
  if (id === undefined || server.collections.length === 0) return [];
  const collection = server.collections.find(({ metadata }) => metadata.name === id);
  if (!collection) return [unknownCollection('spec.collectionId', id, server)];
  if (!server.users.some(({ spec }) => spec.accessKeys?.length)) return [];
  return neededRights(backup, plan.scheduled).flatMap(({ field, right }): Problem[] => {
    const some = server.users.some(
      (user) =>
        userRights(user, collection).has(right) &&
        user.spec.accessKeys?.some((key) =>
          key.objects?.some(({ name, roles }) => name === id && rightsOf(roles).has(right)),
        ),
    );
    const message = `no access key of a BackupUser in the list may ${right} ${right === 'upload' ? 'to' : 'from'} the collection ${id}: add {name: ${id}, type: collection, roles: [${ROLE[right]}]} to the objects of one`;
    return some ? [] : [{ code: 'suspicious', path: `spec.${field}`, message }];
  });
}

/** What each access key that a ScheduledBackup names is surely needed for. One that is for restores alone says so itself. */
function neededRights({ spec }: ScheduledBackup, scheduled: Operation): { field: string; right: string }[] {
  const restores = spec.restoreAccessKeySecretRef;
  const needed: { field: string; right: string }[] = [];
  if (spec.accessKeySecretRef && !(restores && scheduled === 'restore'))
    needed.push({ field: 'accessKeySecretRef', right: scheduled === 'backup' ? 'upload' : 'download' });
  if (restores) needed.push({ field: 'restoreAccessKeySecretRef', right: 'download' });
  return needed;
}

/** Problems of a BackupUser: access keys for nothing. A key can only narrow down what its user may do. */
export function checkAccessKeys(user: BackupUser, server: ServerObjects): Problem[] {
  if (server.collections.length === 0) return [];
  return (user.spec.accessKeys ?? []).flatMap(({ objects = [] }, index) =>
    objects.flatMap(({ name, roles }, at): Problem[] => {
      const path = `spec.accessKeys[${index}].objects[${at}]`;
      const collection = server.collections.find(({ metadata }) => metadata.name === name);
      if (!collection) return [unknownCollection(`${path}.name`, name, server)];
      const granted = userRights(user, collection);
      const missing = [...rightsOf(roles)].filter((right) => !granted.has(right));
      if (missing.length === 0) return [];
      const wanted = missing.map((right) => ROLE[right]).join(', ');
      const message = `the user may not ${missing.join(' and ')} there, so the key may not either: add {userName: ${userName(user)}, roles: [${wanted}]} to spec.accessControl of BackupCollection ${name}`;
      return [{ code: 'suspicious', path: `${path}.roles`, message }];
    }),
  );
}

function unknownCollection(path: string, id: string, { collections }: ServerObjects): Problem {
  const near = nearest(
    id,
    collections.map(({ metadata }) => metadata.name),
  );
  const message = `there is no BackupCollection ${JSON.stringify(id)} in the list, but others are${near ? `; did you mean ${near}?` : ''}`;
  return { code: 'suspicious', path, message, value: id, ...(near && { proposal: near }) };
}

function userName({ metadata, spec }: BackupUser): string {
  return spec.id || metadata.name;
}

function userRights(user: BackupUser, { spec }: BackupCollection): Set<string> {
  const listed = (spec.accessControl ?? []).filter(
    (entry) => (entry.name ?? entry.userName) === userName(user),
  );
  return rightsOf([...(user.spec.roles ?? []), ...listed.flatMap(({ roles }) => roles)]);
}
