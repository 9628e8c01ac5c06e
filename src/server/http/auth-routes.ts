/** Logging in and out, and what accounts may know about themselves and others. */
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { LoginData, RefreshedToken, WhoamiData } from '../../wire/messages.ts';
import * as schemas from '../../wire/schemas.ts';
import { decideCanListSessions, decideCanRevoke, decideCanViewProfile } from '../access/decide.ts';
import { login } from '../access/login.ts';
import type { User } from '../configuration/configuration.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { subjectOf } from './authentication.ts';
import { grantedAccess, success, timestamp } from './envelope.ts';
import { AccessRefused } from './errors.ts';
import { register } from './register.ts';

/** What a form that logs in may hold. */
const FORM_LIMITS = { fields: 10, files: 0, fieldSize: 8192, fieldNameSize: 100, parts: 10, headerPairs: 20 };
/** Most sessions that are listed. */
const MOST_SESSIONS = 100;

const sessionQuery: schemas.Schema = {
  type: 'object',
  properties: { sessionId: { ...schemas.printable, maxLength: 128 } },
};
const userQuery: schemas.Schema = {
  type: 'object',
  properties: { userName: { ...schemas.printable, maxLength: 512 } },
};

export async function authRoutes(server: FastifyInstance, app: App): Promise<void> {
  await server.register(multipart, { limits: FORM_LIMITS });

  register(server, app, 'login', {
    tag: 'access',
    summary: 'Log in',
    description: 'As JSON or a form. The token is valid until it expires or its session is revoked.',
    rateLimit: 'auth',
    body: schemas.loginRequest,
    data: schemas.loginData,
    errors: ['login-refused', 'login-too-soon'],
    // What is missing is answered with the original's 401 by the handler.
    options: { attachValidation: true },
    handler: async (request) => {
      const fields = await fieldsOf(request);
      const result = await login({ ...fields, requesterIP: request.clientAddress }, accessContext(app));
      if (!result.ok) throw new AccessRefused(result);
      return success<LoginData>({
        token: result.token,
        sessionId: result.sessionId,
        expire: result.expire.toISOString(),
        msg: 'Use this sessionId to revoke this token anytime',
      });
    },
  });

  register(server, app, 'refreshToken', {
    tag: 'access',
    summary: 'Get a new token for the one in use',
    description: 'The new one has the same limits, and ends with the same password. The old one is revoked.',
    rateLimit: 'auth',
    token: true,
    answers: { 200: { description: 'OK', ...schemas.refreshedToken } },
    errors: ['login-too-soon'],
    handler: (request) => refresh(request, app),
  });

  register(server, app, 'userProfile', {
    tag: 'access',
    summary: 'Show an account',
    rateLimit: 'default',
    token: true,
    params: schemas.object({ userName: { type: 'string', maxLength: 512 } }),
    data: schemas.profileData,
    errors: ['account-not-found', 'not-authorized'],
    handler: (request) => {
      const { userName } = request.params as { userName: string };
      // Before it is looked for: who may not see an account must not learn either whether there is one.
      if (!decideCanViewProfile(subjectOf(request), userName)) {
        throw new Refused('not-authorized', 'no permissions to view that user account');
      }
      const user = app.configuration.current().users.get(userName);
      if (!user) throw new Refused('account-not-found', 'IsError retrieving user: there is no such user');
      return success(profile(user));
    },
  });

  register(server, app, 'whoami', {
    tag: 'access',
    summary: 'Show the account and session of the token',
    rateLimit: 'default',
    token: true,
    data: schemas.whoamiData,
    handler: (request) => {
      const { user, sessionId, session } = subjectOf(request);
      return success<WhoamiData>({ ...profile(user), sessionId, grantedAccess: grantedAccess(session) });
    },
  });

  register(server, app, 'logout', {
    tag: 'access',
    summary: 'Revoke a session, by default the one of the token',
    rateLimit: 'default',
    token: true,
    querystring: sessionQuery,
    data: schemas.logoutData,
    errors: ['session-not-found', 'not-authorized'],
    handler: (request) => logout(request, app),
  });

  register(server, app, 'tokens', {
    tag: 'access',
    summary: 'List sessions, newest first',
    rateLimit: 'default',
    token: true,
    querystring: userQuery,
    data: schemas.tokensData,
    errors: ['not-authorized'],
    handler: async (request) => {
      const subject = subjectOf(request);
      const { userName = '' } = request.query as { userName?: string };
      const of = userName === '' ? subject.user.name : userName;
      if (!decideCanListSessions(subject, of)) {
        throw new Refused('not-authorized', 'no permissions to act as other user');
      }
      const sessions = await app.metadata.sessions.listOf(of, MOST_SESSIONS);
      return success({ grantedAccesses: sessions.map(grantedAccess) });
    },
  });
}

/** The members of the body, whichever way it came. @throws {Refused} if it is no form that can be read. */
async function fieldsOf(request: FastifyRequest): Promise<object> {
  if (!request.isMultipart()) return (request.body ?? {}) as object;
  const fields = new Map<string, unknown>();
  try {
    for await (const part of request.parts())
      if (part.type === 'field') fields.set(part.fieldname, part.value);
  } catch (error) {
    // Limits have statuses of their own; what the parser of forms complains about has none, and is the client's fault.
    if ((error as { statusCode?: unknown }).statusCode !== undefined) throw error;
    throw new Refused('bad-request', `cannot read the form: ${(error as Error).message}`);
  }
  return Object.fromEntries(fields);
}

function accessContext(app: App) {
  return {
    snapshot: app.configuration.current(),
    sessions: app.metadata.sessions,
    tokens: app.tokens,
    now: app.clock(),
  };
}

function profile({ spec }: User): { email: string; permissions: string[] } {
  return { email: spec.email ?? '', permissions: [...(spec.roles ?? [])] };
}

/** The original did not record the new session, so that its token was refused at once. */
async function refresh(request: FastifyRequest, app: App): Promise<RefreshedToken> {
  const { user, accessKeyName, scope, credential, session } = subjectOf(request);
  // Which password such a token was given for, nobody knows: a new one would outlive every change of it.
  if (credential === undefined) {
    throw new AccessRefused({
      ok: false,
      code: 'invalid-token',
      status: 401,
      message: 'the token was given out by an older release, log in again',
      reason: 'a token that is bound to no password cannot be refreshed',
    });
  }
  const now = app.clock();
  const { token, sessionId, expiresAt } = app.tokens.sign(
    { login: user.name, accessKeyName, scope, credential },
    now,
  );
  await app.metadata.sessions.create({
    ...session,
    id: sessionId,
    requesterIP: request.clientAddress,
    createdAt: now,
    updatedAt: now,
    expiresAt,
  });
  // One session goes on: a stolen token that is refreshed ends its owner's, who notices, and can be revoked by an administrator.
  await app.metadata.sessions.revoke(session.id, now);
  return { code: 200, token, expire: timestamp(expiresAt) };
}

async function logout(request: FastifyRequest, app: App): Promise<unknown> {
  const subject = subjectOf(request);
  const { sessionId = '' } = request.query as { sessionId?: string };
  const id = sessionId === '' ? subject.sessionId : sessionId;
  const session = id === subject.sessionId ? subject.session : await app.metadata.sessions.find(id);
  if (!session) {
    throw new Refused(
      'session-not-found',
      'specified session identifier is not valid, cannot find GrantedAccess of specified id',
    );
  }
  if (!decideCanRevoke(subject, session)) {
    throw new Refused('not-authorized', "you don't have permissions to revoke session of other user");
  }
  await app.metadata.sessions.revoke(id, app.clock());
  return success({ message: 'JWT was revoked', sessionId: id });
}
