/** Logins. */
import { attempt, type Engine } from './engine.ts';
import type { Session, SessionStore } from './metadata.ts';
import type { SessionRow } from './schema.ts';

export function sessionStore(engine: Engine): SessionStore {
  const { db } = engine;
  return {
    create: (session) =>
      attempt(engine, false, async () => {
        await db.insertInto('sessions').values(toRow(session)).execute();
      }),

    find: (id) =>
      attempt(engine, true, async () => {
        const row = await db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
        return row && toSession(row);
      }),

    revoke: (id, now) =>
      attempt(engine, true, async () => {
        const { numUpdatedRows } = await db
          .updateTable('sessions')
          .set({ deactivated: 1, updated_at: now })
          .where('id', '=', id)
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),

    listOf: (user, limit) =>
      attempt(engine, true, async () => {
        const rows = await db
          .selectFrom('sessions')
          .selectAll()
          .where('user_name', '=', user)
          .orderBy('created_at', 'desc')
          .orderBy('id')
          .limit(limit)
          .execute();
        return rows.map(toSession);
      }),

    purge: (before) =>
      attempt(engine, true, async () => {
        const { numDeletedRows } = await db
          .deleteFrom('sessions')
          .where('expires_at', '<', before)
          .executeTakeFirst();
        return Number(numDeletedRows);
      }),
  };
}

function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    user: row.user_name,
    accessKeyName: row.access_key_name,
    scope: row.scope,
    description: row.description,
    requesterIP: row.requester_ip,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiresAt: row.expires_at,
    deactivated: row.deactivated !== 0,
  };
}

function toRow(session: Session): SessionRow {
  return {
    id: session.id,
    user_name: session.user,
    access_key_name: session.accessKeyName,
    scope: session.scope,
    description: session.description,
    requester_ip: session.requesterIP,
    created_at: session.createdAt,
    updated_at: session.updatedAt,
    expires_at: session.expiresAt,
    deactivated: session.deactivated ? 1 : 0,
  };
}
