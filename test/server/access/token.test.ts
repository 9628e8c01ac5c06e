import { createHash, createHmac } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createTokens,
  isSameCredential,
  MAX_TOKEN_LENGTH,
  sessionIdOf,
} from '../../../src/server/access/token.ts';

const KEY = 'a key that is long enough for everybody';
const NOW = Date.UTC(2030, 0, 1, 12, 0, 0, 700);
const tokens = createTokens({ key: KEY });
const claims = { login: 'admin', accessKeyName: '', scope: null, credential: 'c' };

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token with a good signature over whatever is given. */
function forge(header: object, payload: unknown, key = KEY, hash = 'sha256'): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}
const good = {
  login: 'admin',
  accessKeyName: '',
  operationsScope: 'bnVsbA==',
  rand: '1',
  exp: 2e9,
  orig_iat: 1,
};
const HS256 = { alg: 'HS256', typ: 'JWT' };

const test = suite('tokens');

test('have the claims of the original, and one that binds them to a password', () => {
  const { token, sessionId, expiresAt } = tokens.sign(claims, NOW);
  const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const issued = Math.floor(NOW / 1000);
  assert.match(payload.rand, /^[0-9a-f]{32}$/);
  assert.equal(payload, {
    login: 'admin',
    accessKeyName: '',
    operationsScope: 'bnVsbA==',
    rand: payload.rand,
    credential: 'c',
    exp: issued + 6 * 3600,
    orig_iat: issued,
  });
  assert.is(sessionId, createHash('sha256').update(token).digest('hex'));
  assert.is(sessionIdOf(token), sessionId);
  assert.is(expiresAt, (issued + 6 * 3600) * 1000);
});

test('come back as they were signed, with their scope', () => {
  const scope = { elements: [{ type: 'collection', name: 'iwa-ait', roles: ['backupUploader'] }] } as const;
  const { token, expiresAt } = tokens.sign({ login: 'a', accessKeyName: 'k', scope, credential: 'c' }, NOW);
  assert.equal(tokens.verify(token, NOW), {
    login: 'a',
    accessKeyName: 'k',
    scope,
    credential: 'c',
    issuedAt: Math.floor(NOW / 1000) * 1000,
    expiresAt,
  });
});

test('what binds a token to a password changes with it and with the key, and does not tell it', () => {
  const encoded = 'JGFyZ29uMmlkJA==';
  const credential = tokens.credentialOf('a', 'k', encoded);
  assert.match(credential, /^[\w-]{22}$/);
  assert.is(tokens.credentialOf('a', 'k', `${encoded}\n`), credential, 'a file may end with a line');
  const others = [
    tokens.credentialOf('a', 'k', `${encoded}x`),
    tokens.credentialOf('a', '', encoded),
    tokens.credentialOf('b', 'k', encoded),
    createTokens({ key: `${KEY}.` }).credentialOf('a', 'k', encoded),
    createHash('sha256').update(encoded).digest('base64url').slice(0, 22),
  ];
  assert.is(new Set([...others, credential]).size, 6);
  for (const other of others) assert.not(isSameCredential(credential, other));
  assert.not(isSameCredential(credential, ''));
  assert.ok(isSameCredential(credential, credential));
});

test('a thousand of one account in the same instant are all different', () => {
  const ids = new Set(Array.from({ length: 1000 }, () => tokens.sign(claims, NOW).sessionId));
  assert.is(ids.size, 1000);
});

test('expire on the millisecond, by the given clock', () => {
  const { token, expiresAt } = createTokens({ key: KEY, lifetimeMs: 60_000 }).sign(claims, NOW);
  assert.type(tokens.verify(token, expiresAt - 1), 'object');
  assert.is(tokens.verify(token, expiresAt), 'expired');
});

test('the forging of these tests works, so that the refusals below mean something', () => {
  assert.type(tokens.verify(forge(HS256, good), NOW), 'object');
});

test('hostile tokens are refused, and nothing is thrown', () => {
  const valid = tokens.sign(claims, NOW).token;
  const [header = '', payload = '', signature = ''] = valid.split('.');
  const flipped = `${payload.slice(0, 10)}${payload[10] === 'A' ? 'B' : 'A'}${payload.slice(11)}`;
  const hostile: Record<string, unknown> = {
    empty: '',
    'no parts': 'x',
    'only dots': '..',
    'alg none': `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'alg none with the old signature': `${part({ alg: 'none' })}.${payload}.${signature}`,
    'alg nOnE': `${part({ alg: 'nOnE' })}.${payload}.`,
    HS384: forge({ alg: 'HS384', typ: 'JWT' }, good, KEY, 'sha384'),
    'HS512 named HS256': forge(HS256, good, KEY, 'sha512'),
    'another key': forge(HS256, good, `${KEY}.`),
    'an empty key': forge(HS256, good, ''),
    'no signature': `${header}.${payload}.`,
    'two parts': `${header}.${payload}`,
    'four parts': `${valid}.x`,
    truncated: valid.slice(0, -1),
    'changed payload': `${header}.${flipped}.${signature}`,
    'leading space': ` ${valid}`,
    huge: 'a'.repeat(50 * 1024 * 1024),
    'just too long': forge(HS256, { ...good, rand: 'r'.repeat(MAX_TOKEN_LENGTH) }),
    'no text': undefined,
    'a number': 1,
    'critical header': forge({ ...HS256, crit: ['x'], x: 1 }, good),
    'payload of null': forge(HS256, null),
    'payload list': forge(HS256, []),
    'no expiry': forge(HS256, { ...good, exp: undefined }),
    'expiry as text': forge(HS256, { ...good, exp: '2000000000' }),
    'expiry beyond numbers': forge(HS256, { ...good, exp: 1e300 }),
    'no login': forge(HS256, { ...good, login: undefined }),
    'login as list': forge(HS256, { ...good, login: ['admin'] }),
    'credential of another type': forge(HS256, { ...good, credential: 1 }),
    'credential of null': forge(HS256, { ...good, credential: null }),
    'no scope': forge(HS256, { ...good, operationsScope: undefined }),
    'scope of null': forge(HS256, { ...good, operationsScope: null }),
    'empty scope': forge(HS256, { ...good, operationsScope: '' }),
    'unreadable scope': forge(HS256, { ...good, operationsScope: 'e30=x{' }),
    'scope without elements in it': forge(HS256, { ...good, operationsScope: part({ elements: [] }) }),
  };
  for (const [name, token] of Object.entries(hostile)) {
    assert.is(tokens.verify(token as string, NOW), 'invalid', name);
  }
});

test('a key must be there, a lifetime must be a time', () => {
  assert.throws(() => createTokens({ key: ' ' }), /BR_JWT_SECRET_KEY/);
  for (const lifetimeMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => createTokens({ key: KEY, lifetimeMs }), /lifetime/);
  }
});

test.run();
