/**
 * Who may do what. Pure functions of the subject, the action and the object.
 *
 * Rights come from two sources, the account's roles and the collection's access control list. An access key and an
 * operations scope are two filters in front of them: each can only say no.
 */
import type { BackupCollection } from '../../../gen/types.ts';
import type { Collection } from '../configuration/configuration.ts';
import type { Session } from '../metadata/metadata.ts';
import { type Action, grants } from './roles.ts';
import type { Subject } from './subject.ts';

type AccessControl = BackupCollection['spec']['accessControl'];

/** What an action is done to. */
export interface AccessObject {
  readonly type: 'collection';
  readonly name: string;
  readonly accessControl: AccessControl;
}

/** The part of a subject that a decision depends on. */
export type Actor = Pick<Subject, 'user' | 'accessKeyName' | 'scope'>;

/** A collection as the object of a decision. */
export function collectionObject(collection: Collection): AccessObject {
  return { type: 'collection', name: collection.id, accessControl: collection.spec.accessControl };
}

/**
 * Whether the actor may do the action to the object; without an object, to the server as a whole.
 *
 * The original let every session of an account use the account's server-wide roles. Here an access key or a scoped
 * token, which name the collections that they are for, have none.
 */
export function decideCanDo(actor: Actor, action: Action, object?: AccessObject): boolean {
  const { user } = actor;
  if (user.spec.deactivated === true) return false;
  if (!object) return !isLimited(actor) && grants(user.spec.roles, action);
  return (
    accessKeyAllows(actor, action, object) &&
    scopeAllows(actor, action, object) &&
    (grants(user.spec.roles, action) || listGrants(actor, action, object))
  );
}

/** Whether versions may be listed: by those who may upload or download. */
export function decideCanList(actor: Actor, object: AccessObject): boolean {
  return decideCanDo(actor, 'file.download', object) || decideCanDo(actor, 'file.upload', object);
}

/** Whether the account's profile may be seen: one's own always. (The original compared e-mail addresses, also empty ones.) */
export function decideCanViewProfile(actor: Actor, userName: string): boolean {
  return actor.user.name === userName || decideCanDo(actor, 'profile.view');
}

/** Whether the sessions of an account may be listed: one's own (not with a limited token), or by an administrator. */
export function decideCanListSessions(actor: Actor, userName: string): boolean {
  return (actor.user.name === userName && !isLimited(actor)) || decideCanDo(actor, 'session.manage');
}

/** Whether a session may be revoked: itself always, those of the same account unless limited, any by an administrator. */
export function decideCanRevoke(subject: Actor & Pick<Subject, 'sessionId'>, session: Session): boolean {
  return subject.sessionId === session.id || decideCanListSessions(subject, session.user);
}

/** True if the session is for certain collections only. */
export function isLimited(actor: Actor): boolean {
  return actor.accessKeyName !== '' || actor.scope !== null;
}

function accessKeyAllows({ user, accessKeyName }: Actor, action: Action, object: AccessObject): boolean {
  if (accessKeyName === '') return true;
  const key = user.spec.accessKeys?.find(({ name }) => name === accessKeyName);
  return (key?.objects ?? []).some((entry) => matches(entry, object) && grants(entry.roles, action));
}

function scopeAllows({ scope }: Actor, action: Action, object: AccessObject): boolean {
  if (scope === null) return true;
  return scope.elements.some((element) => matches(element, object) && grants(element.roles, action));
}

function listGrants({ user }: Actor, action: Action, object: AccessObject): boolean {
  return (object.accessControl ?? []).some(
    (entry) => subjectOf(entry) === user.name && grants(entry.roles, action),
  );
}

function matches(entry: { type: string; name: string }, object: AccessObject): boolean {
  return entry.type === object.type && entry.name === object.name;
}

/** Who an entry of an access control list is for: `name` with type user, or `userName`. Nobody if the two differ. */
export function subjectOf(entry: NonNullable<AccessControl>[number]): string | undefined {
  if (entry.type !== undefined && entry.type !== 'user') return undefined;
  if (entry.name !== undefined && entry.userName !== undefined && entry.name !== entry.userName)
    return undefined;
  return entry.name ?? entry.userName;
}
