/** Logging in: a name and a password become a token with its session on record. */
import { UserError } from '../../api/problem.ts';
import type { Snapshot, User } from '../configuration/configuration.ts';
import { AlreadyExists, type SessionStore } from '../metadata/metadata.ts';
import { isAllowedAddress } from './addresses.ts';
import { PasswordQueueFull, verifyPassword } from './password.ts';
import { type OperationsScope, readScope } from './scope.ts';
import type { Tokens } from './token.ts';

/** What access control needs of the rest of the server, at the time of one request. */
export interface AccessContext {
  readonly snapshot: Snapshot;
  readonly sessions: Pick<SessionStore, 'create' | 'find'>;
  readonly tokens: Tokens;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** As it came over the network: nothing in it has been checked. */
export interface LoginRequest {
  username?: unknown;
  password?: unknown;
  operationsScope?: unknown;
  /** What the session is for, to be shown in lists of sessions. */
  description?: unknown;
  /** Address of the client, behind trusted proxies; empty if unknown. */
  requesterIP: string;
}

export interface LoginSuccess {
  readonly ok: true;
  readonly token: string;
  readonly sessionId: string;
  /** When the token ends to be valid. */
  readonly expire: Date;
}

/** `message` is for the client and says no more than it must; `reason` is for the log and holds no secret. */
export interface Refusal {
  readonly ok: false;
  readonly code:
    | 'missing-credentials'
    | 'incorrect-credentials'
    | 'invalid-scope'
    | 'too-short-interval'
    | 'busy'
    | 'invalid-token'
    | 'expired-token'
    | 'not-permitted';
  /** HTTP status. */
  readonly status: 400 | 401 | 403 | 500 | 503;
  readonly message: string;
  readonly reason: string;
}

const MAX_NAME = 512;
const MAX_PASSWORD = 1024;
const MAX_DESCRIPTION = 256;

/**
 * Checks the credentials and records a session.
 *
 * Every wrong name, password, address or deactivated account gives the same answer after the same work, so that
 * neither tells which accounts exist. Errors of the session store pass through.
 */
export async function login(request: LoginRequest, context: AccessContext): Promise<LoginSuccess | Refusal> {
  const { username, password, requesterIP } = request;
  if (typeof username !== 'string' || typeof password !== 'string' || username === '' || password === '') {
    return refuse('missing-credentials', 401, 'missing Username or Password');
  }
  if (username.length > MAX_NAME || password.length > MAX_PASSWORD)
    return incorrect('name or password too long');
  let scope: OperationsScope | null;
  try {
    scope = readScope(request.operationsScope);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return refuse('invalid-scope', 400, `${error.problem.path}: ${error.message}`);
  }

  const { userName, accessKeyName } = splitLoginName(username);
  const user = context.snapshot.users.get(userName);
  const encoded = user && encodedPassword(user, accessKeyName, context.snapshot);
  let right: boolean;
  try {
    right = await verifyPassword(encoded, password);
  } catch (error) {
    if (!(error instanceof PasswordQueueFull)) throw error;
    return refuse('busy', 503, 'too many logins at the same time, try again in some seconds');
  }
  if (!user) return incorrect('no such user');
  if (!right || encoded === undefined) return incorrect('wrong password, or none is set');
  const fault = explainUnusable(user, accessKeyName, requesterIP);
  if (fault) return incorrect(fault);

  const { token, sessionId, expiresAt } = context.tokens.sign(
    {
      login: userName,
      accessKeyName,
      scope,
      credential: context.tokens.credentialOf(userName, accessKeyName, encoded),
    },
    context.now,
  );
  try {
    await context.sessions.create({
      id: sessionId,
      user: userName,
      accessKeyName,
      scope: JSON.stringify(scope),
      description:
        typeof request.description === 'string' ? plain(request.description).slice(0, MAX_DESCRIPTION) : '',
      requesterIP,
      createdAt: context.now,
      updatedAt: context.now,
      expiresAt,
      deactivated: false,
    });
  } catch (error) {
    if (!(error instanceof AlreadyExists)) throw error;
    return refuse('too-short-interval', 500, 'too short interval between login attempts');
  }
  return { ok: true, token, sessionId, expire: new Date(expiresAt) };
}

/** `user$key` split at the last `$`; without one, the access key is empty. */
export function splitLoginName(name: string): { userName: string; accessKeyName: string } {
  const at = name.lastIndexOf('$');
  return at < 0
    ? { userName: name, accessKeyName: '' }
    : { userName: name.slice(0, at), accessKeyName: name.slice(at + 1) };
}

/** Why an account, or its access key, may not be used from the address now; undefined if it may. For the log. */
export function explainUnusable(user: User, accessKeyName: string, requesterIP: string): string | undefined {
  if (user.spec.deactivated === true) return 'the account is deactivated';
  if (!isAllowedAddress(user.spec.restrictByIP, requesterIP))
    return 'the account may not be used from this address';
  if (accessKeyName !== '' && !user.spec.accessKeys?.some(({ name }) => name === accessKeyName)) {
    return 'the account has no such access key';
  }
  return undefined;
}

/**
 * The encoded password of the account or of its access key; undefined if there is none.
 *
 * A reference wins over a literal, and one that leads nowhere never falls back to it.
 */
export function encodedPassword(user: User, accessKeyName: string, snapshot: Snapshot): string | undefined {
  const holder =
    accessKeyName === '' ? user.spec : user.spec.accessKeys?.find(({ name }) => name === accessKeyName);
  if (holder?.passwordFromRef) {
    return snapshot.secret(holder.passwordFromRef.name, holder.passwordFromRef.entry);
  }
  return holder?.password;
}

function incorrect(reason: string): Refusal {
  return refuse('incorrect-credentials', 401, 'incorrect Username or Password', reason);
}

function refuse(
  code: Refusal['code'],
  status: Refusal['status'],
  message: string,
  reason = message,
): Refusal {
  return { ok: false, code, status, message, reason };
}

/** Without control characters, of which PostgreSQL stores not every one, and none is of use in a list. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
