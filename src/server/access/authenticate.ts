/** From a token back to who it belongs to, with everything checked again on every request. */
import type { User } from '../configuration/configuration.ts';
import { type AccessContext, encodedPassword, explainUnusable, type Refusal } from './login.ts';
import type { Subject } from './subject.ts';
import { type Claims, isSameCredential, sessionIdOf } from './token.ts';

export interface Authenticated {
  readonly ok: true;
  readonly subject: Subject;
}

/**
 * Who a token belongs to: signature and expiry, the session on record, the account, its access key, its addresses and its password,
 * as the configuration has them now. Errors of the session store pass through.
 */
export async function authenticate(
  token: string,
  requesterIP: string,
  context: AccessContext,
): Promise<Authenticated | Refusal> {
  const claims = context.tokens.verify(token, context.now);
  if (claims === 'expired') return refuse('expired-token', 401, 'Token is expired', 'the token has expired');
  if (claims === 'invalid') return refuse('invalid-token', 401, 'token is invalid', 'the token is not ours');

  const sessionId = sessionIdOf(token);
  const session = await context.sessions.find(sessionId);
  if (!session) return denied('there is no session of this token');
  if (session.deactivated) return denied('the session was revoked');
  if (context.now >= session.expiresAt) return denied('the session has expired');
  const { login, accessKeyName, scope, credential } = claims;
  if (session.user !== login || session.accessKeyName !== accessKeyName)
    return denied('the session is not of this token');

  const user = context.snapshot.users.get(login);
  if (!user) return denied('the account does not exist any more');
  const fault = explainUnusable(user, accessKeyName, requesterIP) ?? explainPassword(user, claims, context);
  if (fault) return denied(fault);
  return { ok: true, subject: { user, accessKeyName, scope, credential, sessionId, session } };
}

/**
 * Why a token is worth no more than the password that it was given for, which has changed since; undefined if it has not.
 *
 * A password that is nowhere to be found was taken away, or is just being replaced: until it is there again its tokens wait. What
 * cannot be read or reached for a while is no such case, as the configuration keeps its last good state then.
 */
function explainPassword(
  user: User,
  { login, accessKeyName, credential }: Claims,
  { snapshot, tokens }: AccessContext,
): string | undefined {
  // A token of a release that did not say it.
  if (credential === undefined) return undefined;
  const encoded = encodedPassword(user, accessKeyName, snapshot);
  if (encoded === undefined) return 'the password that the token was given for is not there';
  return isSameCredential(credential, tokens.credentialOf(login, accessKeyName, encoded))
    ? undefined
    : 'the password was changed after the token was given out';
}

function denied(reason: string): Refusal {
  // The original's words for every token that was signed well and is refused nevertheless.
  return refuse('not-permitted', 403, "you don't have permission to access this resource", reason);
}

function refuse(code: Refusal['code'], status: 401 | 403, message: string, reason: string): Refusal {
  return { ok: false, code, status, message, reason };
}
