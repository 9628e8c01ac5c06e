/** Who asks. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { authenticate } from '../access/authenticate.ts';
import type { Subject } from '../access/subject.ts';
import type { App } from './app.ts';
import { AccessRefused } from './errors.ts';

/** The token of a request: from its header, else `?token=`, else the cookie `jwt`. Empty if it has none. */
export function tokenOf(request: FastifyRequest): string {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (bearer) return bearer;
  const { token } = request.query as { token?: unknown };
  if (typeof token === 'string' && token !== '') return token;
  const [, cookie] = /(?:^|;\s*)jwt=([^;\s]+)/.exec(request.headers.cookie ?? '') ?? [];
  return cookie ?? '';
}

/** Notes whose token it is. @throws {AccessRefused} */
export async function requireToken(request: FastifyRequest, app: App): Promise<void> {
  const token = tokenOf(request);
  if (token === '') {
    throw new AccessRefused({
      ok: false,
      code: 'invalid-token',
      status: 401,
      message: 'auth header is empty',
      reason: 'no token was sent',
    });
  }
  const result = await authenticate(token, request.clientAddress, {
    snapshot: app.configuration.current(),
    sessions: app.metadata.sessions,
    tokens: app.tokens,
    now: app.clock(),
  });
  if (!result.ok) throw new AccessRefused(result);
  request.subject = result.subject;
}

/** Whose token it is, on routes that need one. */
export function subjectOf(request: FastifyRequest): Subject {
  if (!request.subject) throw new Error('the route does not ask for a token');
  return request.subject;
}

/** The code of a request to a health page: `?code=`, else the header. */
export function codeOf(request: FastifyRequest): string {
  const { code } = request.query as { code?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return request.headers.authorization ?? '';
}

/** Compares in a time that does not depend on where two texts differ. */
export function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

export function sha256Hex(text: string): string {
  return digest(text).toString('hex');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
