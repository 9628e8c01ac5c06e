/** Users, snapshots and a session store in memory for the tests of access control. */
import { argon2Sync } from 'node:crypto';
import type { AccessContext } from '../../../src/server/access/login.ts';
import { createTokens } from '../../../src/server/access/token.ts';
import type { Snapshot, UserSpec } from '../../../src/server/configuration/configuration.ts';
import { AlreadyExists, type Session } from '../../../src/server/metadata/metadata.ts';

/** An encoded password that is checked in no time: 8 KiB instead of 64 MiB. */
export function cheapPassword(text: string): string {
  const nonce = Buffer.alloc(16, 7);
  const hash = argon2Sync('argon2id', {
    message: text,
    nonce,
    parallelism: 1,
    tagLength: 32,
    memory: 8,
    passes: 1,
  });
  const inner = `$argon2id$v=19$m=8,t=1,p=1$${nonce.toString('base64')}$${hash.toString('base64')}`;
  return Buffer.from(inner).toString('base64');
}

export function snapshotOf(users: Record<string, UserSpec>, secrets: Record<string, string> = {}): Snapshot {
  return {
    users: new Map(Object.entries(users).map(([name, spec]) => [name, { name, spec }])),
    collections: new Map(),
    secret: (name, entry) => secrets[`${name}/${entry}`],
  };
}

export interface World extends AccessContext {
  snapshot: Snapshot;
  now: number;
  rows: Map<string, Session>;
}

export function worldOf(snapshot: Snapshot): World {
  const rows = new Map<string, Session>();
  return {
    snapshot,
    rows,
    now: Date.UTC(2030, 0, 1),
    tokens: createTokens({ key: 'a key that is long enough for everybody' }),
    sessions: {
      async create(session) {
        if (rows.has(session.id)) throw new AlreadyExists('the session exists');
        rows.set(session.id, session);
      },
      find: async (id) => rows.get(id),
    },
  };
}
