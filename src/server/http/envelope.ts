/** How the API's answers look: JSON indented by four spaces, as the original wrote it. */

import type { ActionMessage, GrantedAccess, Success, VersionMessage } from '../../wire/messages.ts';
import type { Action, Session, Version } from '../metadata/metadata.ts';

export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 4);
}

export function success<Data>(data: Data): Success<Data> {
  return { status: true, data };
}

/** RFC 3339. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** A version as the API shows it: not where its object is. */
export function versionMessage(version: Version): VersionMessage {
  const { createdAt, updatedAt, deletedAt, objectKey: _, ...rest } = version;
  return {
    ...rest,
    CreatedAt: timestamp(createdAt),
    UpdatedAt: timestamp(updatedAt),
    DeletedAt: deletedAt === null ? null : timestamp(deletedAt),
  };
}

export function grantedAccess(session: Session): GrantedAccess {
  return {
    CreatedAt: timestamp(session.createdAt),
    UpdatedAt: timestamp(session.updatedAt),
    DeletedAt: null,
    id: session.id,
    expiresAt: timestamp(session.expiresAt),
    deactivated: session.deactivated,
    description: session.description,
    requesterIP: session.requesterIP,
    user: session.user,
    accessKeyName: session.accessKeyName,
  };
}

export function actionMessage(action: Action): ActionMessage {
  const { leaseUntil, createdAt, updatedAt, ...rest } = action;
  return {
    ...rest,
    leaseUntil: timestamp(leaseUntil),
    createdAt: timestamp(createdAt),
    updatedAt: timestamp(updatedAt),
  };
}
