/** Everybody who tries: each kind of account and token, with each role. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Session } from '../../../../../src/server/metadata/metadata.ts';
import { cheapPassword } from '../../../../server/access/accounts.ts';
import type { Document } from '../../../../server/http/documents.ts';
import { type Principal, type Role, roles } from './rights.ts';

/** The one that `in-process.ts` gives to its servers. */
const KEY = 'a key of the tests, long enough to be one';
export const PASSWORD = 'right';
const ENCODED = cheapPassword(PASSWORD);
/** What a login writes into a token for the password of an account. */
const credentialOf = (login: string, accessKeyName: string, encoded = ENCODED) =>
  createHmac('sha256', KEY)
    .update(JSON.stringify([login, accessKeyName, encoded]))
    .digest()
    .subarray(0, 16)
    .toString('base64url');
const HOUR = 3_600_000;

/** How a token differs from one that a login gives. */
interface Forgery {
  algorithm?: 'none' | 'HS512';
  key?: string;
  expired?: boolean;
  /** Claims instead of those of the principal. */
  claims?: object;
  session?: Partial<Session>;
}

export interface Visitor extends Principal {
  /** Fields of the account beside roles and passwords; `null` for no account at all. */
  account?: object | null;
  forgery?: Forgery;
  /** Sends nothing, or this instead of a token. */
  sends?: string;
}

const mine = (role: Role) => ({ collection: 'mine', role });
const theirs = (role: Role) => ({ collection: 'theirs', role });

/** Kinds of visitors, by what the name of their account begins with. */
const KINDS: Readonly<Record<string, (role: Role) => Omit<Visitor, 'name'>>> = {
  user: (role) => ({ role, mayLogIn: true }),
  listed: (role) => ({ role: 'none', listed: mine(role), mayLogIn: true }),
  foreign: (role) => ({ role: 'none', listed: theirs(role), mayLogIn: true }),
  key: (role) => ({ role: 'systemAdmin', key: mine(role), mayLogIn: true }),
  'foreign-key': (role) => ({ role: 'systemAdmin', key: theirs(role), mayLogIn: true }),
  'wide-key': (role) => ({ role: 'none', listed: mine(role), key: mine('systemAdmin'), mayLogIn: true }),
  scoped: (role) => ({ role: 'systemAdmin', scope: mine(role), mayLogIn: true }),
  'foreign-scope': (role) => ({ role: 'systemAdmin', scope: theirs(role), mayLogIn: true }),
  'wide-scope': (role) => ({ role: 'none', listed: mine(role), scope: mine('systemAdmin'), mayLogIn: true }),
  'scoped-key': (role) => ({
    role: 'systemAdmin',
    key: mine(role),
    scope: mine('backupDownloader'),
    mayLogIn: true,
  }),
  'crossed-key': (role) => ({
    role: 'systemAdmin',
    key: mine(role),
    scope: theirs('systemAdmin'),
    mayLogIn: true,
  }),
  here: (role) => ({ role, account: { restrictByIP: ['192.0.2.0/24', '127.0.0.0/8'] }, mayLogIn: true }),
  elsewhere: (role) => ({ role, account: { restrictByIP: ['192.0.2.0/24'] }, dead: 403, mayLogIn: false }),
  deactivated: (role) => ({ role, account: { deactivated: true }, dead: 403, mayLogIn: false }),
  removed: (role) => ({ role, account: null, dead: 403, mayLogIn: false }),
  revoked: (role) => ({ role, forgery: { session: { deactivated: true } }, dead: 403, mayLogIn: true }),
  expired: (role) => ({ role, forgery: { expired: true }, dead: 401, mayLogIn: true }),
  ended: (role) => ({
    role,
    forgery: { session: { expiresAt: Date.now() - 1000 } },
    dead: 403,
    mayLogIn: true,
  }),
};

/** Whose token would do everything, were it what it says. Each has a session on record. */
const FORGERIES: Readonly<Record<string, Partial<Visitor>>> = {
  anonymous: { sends: '', dead: 401 },
  nonsense: { sends: 'nonsense', dead: 401 },
  unsigned: { forgery: { algorithm: 'none' }, dead: 401 },
  'other-algorithm': { forgery: { algorithm: 'HS512' }, dead: 401 },
  'other-server': { forgery: { key: 'the key of another server, just as long' }, dead: 401 },
  // Signed well, and yet not what was recorded at the login.
  'other-session': { forgery: { session: { user: 'user-none' } }, dead: 403 },
  'lost-key': { forgery: { session: { accessKeyName: 'key' } }, dead: 403 },
  'unreadable-scope': { forgery: { claims: { operationsScope: 'e30=' } }, dead: 401 },
  'no-scope': { forgery: { claims: { operationsScope: '' } }, dead: 401 },
  endless: { forgery: { claims: { exp: '9999999999' } }, dead: 401 },
  // Given out before the password was changed, or for another account that has the same.
  'old-password': {
    forgery: { claims: { credential: credentialOf('old-password', '', cheapPassword('old')) } },
    dead: 403,
  },
  'password-of-another': { forgery: { claims: { credential: credentialOf('user-none', '') } }, dead: 403 },
  'lost-password': { account: { passwordFromRef: { name: 'lost', entry: 'x' } }, dead: 403, mayLogIn: false },
  'odd-password': { forgery: { claims: { credential: [] } }, dead: 401 },
};

export const visitors: readonly Visitor[] = [
  ...Object.entries(KINDS).flatMap(([kind, make]) =>
    roles.map((role): Visitor => ({ name: `${kind}-${role.toLowerCase()}`, ...make(role) })),
  ),
  ...Object.entries(FORGERIES).map(
    ([name, more]): Visitor => ({ name, role: 'systemAdmin', mayLogIn: true, ...more }),
  ),
];

/** The accounts, as an operator would write them. */
export function accountOf({ name, role, key, account }: Visitor): Document[] {
  if (account === null) return [];
  // A key must name a role for each of its objects; to give none, it has no object.
  const objects =
    key && key.role !== 'none' ? [{ type: 'collection', name: key.collection, roles: [key.role] }] : [];
  const spec = {
    password: ENCODED,
    ...(role !== 'none' && { roles: [role] }),
    ...(key && { accessKeys: [{ name: 'key', password: ENCODED, objects }] }),
    ...account,
  };
  return [{ apiVersion: 'backups.riotkit.org/v1alpha1', kind: 'BackupUser', metadata: { name }, spec }];
}

/** The entries of a collection's access control list. */
export function listOf(collection: string): object[] {
  return visitors.flatMap(({ name, listed }) =>
    listed?.collection === collection && listed.role !== 'none'
      ? [{ userName: name, roles: [listed.role] }]
      : [],
  );
}

/** A scope must name a role; to give none, it names a collection that is not asked for. */
export function scopeOf({ scope }: Visitor): object | null {
  if (!scope) return null;
  const { collection, role } = scope;
  const name = role === 'none' ? 'nowhere' : collection;
  return { elements: [{ type: 'collection', name, roles: [role === 'none' ? 'backupDownloader' : role] }] };
}

/** A token of its own, and the session that a login would have recorded for it. */
export function mint(visitor: Visitor): { token: string; session: Session | undefined } {
  const { name, key, forgery = {}, sends } = visitor;
  if (sends !== undefined) return { token: sends, session: undefined };
  const now = Date.now();
  const expires = now + (forgery.expired ? -HOUR : HOUR);
  const scope = JSON.stringify(scopeOf(visitor));
  const accessKeyName = key ? 'key' : '';
  const token = sign(
    {
      login: name,
      accessKeyName,
      operationsScope: Buffer.from(scope).toString('base64'),
      rand: randomBytes(8).toString('hex'),
      credential: credentialOf(name, accessKeyName),
      exp: Math.floor(expires / 1000),
      orig_iat: Math.floor(now / 1000),
      ...forgery.claims,
    },
    forgery,
  );
  const session: Session = {
    id: createHash('sha256').update(token).digest('hex'),
    user: name,
    accessKeyName,
    scope,
    description: '',
    requesterIP: '127.0.0.1',
    createdAt: now,
    updatedAt: now,
    expiresAt: now + HOUR,
    deactivated: false,
    ...forgery.session,
  };
  return { token, session };
}

function sign(claims: object, { algorithm, key = KEY }: Forgery): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: algorithm ?? 'HS256', typ: 'JWT' })}.${part(claims)}`;
  if (algorithm === 'none') return `${text}.`;
  return `${text}.${createHmac(algorithm === 'HS512' ? 'sha512' : 'sha256', key)
    .update(text)
    .digest('base64url')}`;
}
