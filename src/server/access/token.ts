/**
 * Tokens: JSON Web Tokens with the original's claims, signed with HS256 and nothing else.
 *
 * A good signature is necessary but not sufficient: a token is valid only as long as its session is on record.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createSigner, createVerifier, TOKEN_ERROR_CODES } from 'fast-jwt';
import { UserError } from '../../api/problem.ts';
import { type OperationsScope, readScope } from './scope.ts';

/** Six hours, as in the original's last release. */
export const DEFAULT_LIFETIME_MS = 6 * 60 * 60 * 1000;
/** Characters of the longest token that is looked at. One with the largest scope fits. */
export const MAX_TOKEN_LENGTH = 8192;
const ALGORITHM = 'HS256';
/** More than anybody could try, and short, as it travels with every request. */
const CREDENTIAL_BYTES = 16;

/** What a token says. */
export interface Claims {
  login: string;
  accessKeyName: string;
  scope: OperationsScope | null;
  /** What the password was that the token was given for, see `credentialOf`; undefined in tokens of releases that did not say it. */
  credential: string | undefined;
  /** Milliseconds since the epoch; whole seconds. */
  issuedAt: number;
  expiresAt: number;
}

export interface SignedToken {
  token: string;
  /** SHA-256 of the token. */
  sessionId: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** Why a token was refused. */
export type TokenFault = 'invalid' | 'expired';

/** What a new token says besides its times. Every one is bound to a password. */
export type NewClaims = Pick<Claims, 'login' | 'accessKeyName' | 'scope'> & { credential: string };

export interface Tokens {
  /** A new token, different from all others, even of the same account in the same second. */
  sign(claims: NewClaims, now: number): SignedToken;
  /** The claims of a token that was signed with our key and has not expired. Never throws. */
  verify(token: string, now: number): Claims | TokenFault;
  /**
   * What stands in a token for the encoded password of an account or its access key: it changes with the password, and
   * tells nothing of it to anybody who has not the key that signs.
   */
  credentialOf(login: string, accessKeyName: string, encodedPassword: string): string;
}

/**
 * Signs and verifies with one key.
 *
 * @throws {UserError} if the key is empty or the lifetime not a positive number of milliseconds.
 */
export function createTokens(options: { key: string; lifetimeMs?: number }): Tokens {
  const lifetimeMs = options.lifetimeMs ?? DEFAULT_LIFETIME_MS;
  if (options.key.trim() === '') {
    throw new UserError({
      code: 'missing-field',
      message:
        'the key that signs tokens is empty: set BR_JWT_SECRET_KEY or --jwt-secret-key to a long random text',
    });
  }
  if (!Number.isFinite(lifetimeMs) || lifetimeMs < 1000) {
    throw new UserError({
      code: 'invalid-value',
      message: 'the lifetime of tokens must be at least one second',
    });
  }
  const signer = createSigner({ key: options.key, algorithm: ALGORITHM, noTimestamp: true });
  // Expiry is checked below with the caller's clock. Results are not cached: the cache would hold tokens in memory.
  const verifier = createVerifier({
    key: options.key,
    algorithms: [ALGORITHM],
    ignoreExpiration: true,
    cache: false,
  });

  return {
    sign({ login, accessKeyName, scope, credential }, now) {
      const issued = Math.floor(now / 1000);
      const expires = issued + Math.floor(lifetimeMs / 1000);
      const token = signer({
        login,
        accessKeyName,
        operationsScope: Buffer.from(JSON.stringify(scope)).toString('base64'),
        // The original drew from 64 values, so every 64th pair of logins within a second failed.
        rand: randomBytes(16).toString('hex'),
        credential,
        exp: expires,
        orig_iat: issued,
      });
      return { token, sessionId: sessionIdOf(token), expiresAt: expires * 1000 };
    },

    verify(token, now) {
      if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) return 'invalid';
      let payload: unknown;
      try {
        payload = verifier(token);
      } catch (error) {
        return (error as { code?: unknown }).code === TOKEN_ERROR_CODES.expired ? 'expired' : 'invalid';
      }
      const claims = readClaims(payload);
      if (!claims) return 'invalid';
      return now >= claims.expiresAt ? 'expired' : claims;
    },

    credentialOf(login, accessKeyName, encodedPassword) {
      // Never the text that a token's signature is over: that has no brackets.
      const text = JSON.stringify([login, accessKeyName, encodedPassword.trim()]);
      return createHmac('sha256', options.key)
        .update(text)
        .digest()
        .subarray(0, CREDENTIAL_BYTES)
        .toString('base64url');
    },
  };
}

/** The id of the session that belongs to a token: its SHA-256, in lower-case hex. */
export function sessionIdOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Whether two credentials are the same, in a time that does not depend on where they differ. */
export function isSameCredential(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}

/** A sentence for the log if the key could be guessed from a token; undefined if it is long enough. */
export function explainWeakKey(key: string): string | undefined {
  return Buffer.byteLength(key) < 32
    ? 'the key that signs tokens has fewer than 32 characters: whoever holds a token could try to guess it'
    : undefined;
}

function readClaims(payload: unknown): Claims | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const {
    login,
    accessKeyName,
    operationsScope,
    credential,
    exp,
    orig_iat: issued,
  } = payload as Record<string, unknown>;
  if (typeof login !== 'string' || typeof accessKeyName !== 'string') return undefined;
  if (credential !== undefined && typeof credential !== 'string') return undefined;
  if (typeof operationsScope !== 'string' || !isTime(exp) || !isTime(issued)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(operationsScope, 'base64').toString());
    const scope = readScope(value);
    // An unreadable scope must never be taken for none: `null` is the one way in which a token says that there is none.
    if (scope === null && value !== null) return undefined;
    return { login, accessKeyName, scope, credential, issuedAt: issued * 1000, expiresAt: exp * 1000 };
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
