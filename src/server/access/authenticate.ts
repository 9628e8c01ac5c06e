/** From a token back to who it belongs to, with everything checked again on every request. */
import { type AccessContext, explainUnusable, type Refusal } from './login.ts';
import type { Subject } from './subject.ts';
import { sessionIdOf } from './token.ts';

export interface Authenticated {
  readonly ok: true;
  readonly subject: Subject;
}

/**
 * Who a token belongs to: signature and expiry, the session on record, the account, its access key and its addresses,
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
  const { login, accessKeyName, scope } = claims;
  if (session.user !== login || session.accessKeyName !== accessKeyName)
    return denied('the session is not of this token');

  const user = context.snapshot.users.get(login);
  if (!user) return denied('the account does not exist any more');
  const fault = explainUnusable(user, accessKeyName, requesterIP);
  if (fault) return denied(fault);
  return { ok: true, subject: { user, accessKeyName, scope, sessionId, session } };
}

function denied(reason: string): Refusal {
  // The original's words for every token that was signed well and is refused nevertheless.
  return refuse('not-permitted', 403, "you don't have permission to access this resource", reason);
}

function refuse(code: Refusal['code'], status: 401 | 403, message: string, reason: string): Refusal {
  return { ok: false, code, status, message, reason };
}
