import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { authenticate } from '../../../src/server/access/authenticate.ts';
import { login, type Refusal, splitLoginName } from '../../../src/server/access/login.ts';
import type { UserSpec } from '../../../src/server/configuration/configuration.ts';
import { cheapPassword, snapshotOf, type World, worldOf } from './accounts.ts';

const password = cheapPassword('right');
const requesterIP = '10.0.0.1';
const admin = { login: 'admin', accessKeyName: '', scope: null };
const users: Record<string, UserSpec> = {
  admin: {
    password,
    roles: ['systemAdmin'],
    accessKeys: [
      { name: 'key', password: cheapPassword('key right') },
      { name: 'ref', passwordFromRef: { name: 'keys', entry: 'ref' } },
    ],
  },
  off: { password, deactivated: true },
  near: { password, restrictByIP: ['10.0.0.0/8'] },
  referring: { password, passwordFromRef: { name: 'gone', entry: 'x' } },
  nothing: {},
};

function world(): World {
  return worldOf(snapshotOf(users, { 'keys/ref': cheapPassword('ref right') }));
}

async function enter(at: World, username = 'admin', text = 'right', more = {}): Promise<string> {
  const result = await login({ username, password: text, requesterIP, ...more }, at);
  if (!result.ok) throw new Error(result.reason);
  return result.token;
}

async function refused(at: World, request: object): Promise<Refusal> {
  const result = await login({ requesterIP, ...request }, at);
  if (result.ok) throw new Error('was let in');
  assert.is(at.rows.size, 0);
  return result;
}

const test = suite('login');

test('gives a token whose session is on record, and which leads back to the account', async () => {
  const at = world();
  const result = await login(
    { username: 'admin', password: 'right', description: 'laptop', requesterIP },
    at,
  );
  assert.ok(result.ok);
  assert.is(result.expire.getTime(), at.now + 6 * 3600 * 1000);
  const row = at.rows.get(result.sessionId);
  assert.equal(
    { ...row },
    {
      id: result.sessionId,
      user: 'admin',
      accessKeyName: '',
      scope: 'null',
      description: 'laptop',
      requesterIP,
      createdAt: at.now,
      updatedAt: at.now,
      expiresAt: result.expire.getTime(),
      deactivated: false,
    },
  );
  const found = await authenticate(result.token, requesterIP, at);
  assert.ok(found.ok);
  assert.is(found.subject.user, at.snapshot.users.get('admin'));
  assert.is(found.subject.scope, null);
  assert.not.ok(JSON.stringify([...at.rows]).includes(result.token), 'the token itself is not stored');
});

test('an access key has its own password; the name is split at the last dollar sign', async () => {
  const at = world();
  for (const [name, text] of [
    ['admin$key', 'key right'],
    ['admin$ref', 'ref right'],
  ] as const) {
    const found = await authenticate(await enter(at, name, text), requesterIP, at);
    assert.ok(found.ok);
    assert.is(found.subject.accessKeyName, name.split('$')[1]);
  }
});

test('a login name has at most one access key, behind the last dollar sign', () => {
  assert.equal(splitLoginName('admin'), { userName: 'admin', accessKeyName: '' });
  assert.equal(splitLoginName('a$b$c'), { userName: 'a$b', accessKeyName: 'c' });
  assert.equal(splitLoginName('a$'), { userName: 'a', accessKeyName: '' });
});

test('everything that is wrong looks the same to the client', async () => {
  const requests: [string, string, RegExp][] = [
    ['admin', 'wrong', /wrong password/],
    ['nobody', 'right', /no such user/],
    ['admin$key', 'right', /wrong password/],
    ['admin$none', 'right', /wrong password/],
    ['x$admin$key', 'key right', /no such user/],
    ['admin$', 'wrong', /wrong password/],
    ['off', 'right', /deactivated/],
    ['referring', 'right', /none is set/],
    ['nothing', 'right', /none is set/],
    ['__proto__', 'right', /no such user/],
    ['n'.repeat(1e6), 'right', /too long/],
    ['admin', 'p'.repeat(1e6), /too long/],
  ];
  for (const [username, text, reason] of requests) {
    const { status, message, reason: found } = await refused(world(), { username, password: text });
    assert.is(status, 401);
    assert.is(message, 'incorrect Username or Password');
    assert.match(found, reason, username.slice(0, 20));
  }
  const far = await refused(world(), { username: 'near', password: 'right', requesterIP: '11.0.0.1' });
  assert.is(far.message, 'incorrect Username or Password');
  assert.match(far.reason, /address/);
});

test('a request without a name or password, or of other types, is told so', async () => {
  for (const request of [
    {},
    { username: 'admin' },
    { username: 'admin', password: '' },
    { username: ['admin'], password: {} },
  ]) {
    assert.is((await refused(world(), request)).message, 'missing Username or Password');
  }
});

test('a scope limits the token; a bad one is refused before anything is checked', async () => {
  const at = world();
  const operationsScope = { elements: [{ type: 'collection', name: 'web', roles: ['backupUploader'] }] };
  const found = await authenticate(await enter(at, 'admin', 'right', { operationsScope }), requesterIP, at);
  assert.ok(found.ok);
  assert.equal(found.subject.scope, operationsScope);
  assert.equal(JSON.parse(found.subject.session.scope), operationsScope);
  const { status, code, message } = await refused(world(), {
    username: 'admin',
    password: 'right',
    operationsScope: { elements: [] },
  });
  assert.equal([status, code], [400, 'invalid-scope']);
  assert.match(message, /operationsScope\.elements/);
});

test('the same token twice is called a too short interval', async () => {
  const at = world();
  const fixed = at.tokens.sign(
    { ...admin, credential: at.tokens.credentialOf('admin', '', password) },
    at.now,
  );
  const stuck: World = { ...at, tokens: { ...at.tokens, sign: () => fixed } };
  await enter(stuck);
  const second = await login({ username: 'admin', password: 'right', requesterIP }, stuck);
  assert.ok(!second.ok);
  assert.equal([second.status, second.message], [500, 'too short interval between login attempts']);
});

test('a failure of the session store is passed on, not called a wrong password', async () => {
  const at = world();
  const broken: World = {
    ...at,
    sessions: { ...at.sessions, create: () => Promise.reject(new Error('away')) },
  };
  const outcome = await login({ username: 'admin', password: 'right', requesterIP }, broken).catch(
    (error) => error.message,
  );
  assert.is(outcome, 'away');
});

test('a token ends with its session, its account, its key, its password, its address and its time', async () => {
  const change: Record<
    string,
    [username: string, password: string, (at: World, id: string) => void, status?: number]
  > = {
    'no session': ['admin', 'right', (at) => at.rows.clear()],
    revoked: ['admin', 'right', (at, id) => at.rows.set(id, { ...row(at, id), deactivated: true })],
    'session expired': ['admin', 'right', (at, id) => at.rows.set(id, { ...row(at, id), expiresAt: at.now })],
    'session of another': ['admin', 'right', (at, id) => at.rows.set(id, { ...row(at, id), user: 'near' })],
    'session of another key': [
      'admin',
      'right',
      (at, id) => at.rows.set(id, { ...row(at, id), accessKeyName: 'key' }),
    ],
    'account gone': [
      'admin',
      'right',
      (at) => {
        at.snapshot = snapshotOf({});
      },
    ],
    'account deactivated': [
      'admin',
      'right',
      (at) => {
        at.snapshot = snapshotOf({ admin: { deactivated: true } });
      },
    ],
    'key gone': [
      'admin$key',
      'key right',
      (at) => {
        at.snapshot = snapshotOf({ admin: { password } });
      },
    ],
    'password changed': [
      'admin',
      'right',
      (at) => {
        at.snapshot = snapshotOf({ admin: { password: cheapPassword('another') } });
      },
    ],
    'password of the key changed': [
      'admin$ref',
      'ref right',
      (at) => {
        at.snapshot = snapshotOf(users, { 'keys/ref': cheapPassword('another') });
      },
    ],
    'password gone': [
      'admin$ref',
      'ref right',
      (at) => {
        at.snapshot = snapshotOf(users);
      },
    ],
    'address shut out': [
      'admin',
      'right',
      (at) => {
        at.snapshot = snapshotOf({ admin: { restrictByIP: ['10.0.0.2'] } });
      },
    ],
    'token expired': [
      'admin',
      'right',
      (at) => {
        at.now += 6 * 3600 * 1000;
      },
      401,
    ],
  };
  for (const [name, [username, text, alter, status = 403]] of Object.entries(change)) {
    const at = world();
    const token = await enter(at, username, text);
    assert.ok((await authenticate(token, requesterIP, at)).ok, name);
    alter(at, [...at.rows.keys()][0] ?? '');
    const result = await authenticate(token, requesterIP, at);
    assert.ok(!result.ok, name);
    assert.is(result.status, status, name);
    assert.not.ok(result.message.includes(token) || result.reason.includes(token));
  }
});

test('a reload of the configuration in which its password is the same does not end a token', async () => {
  const at = world();
  const tokens = [
    await enter(at),
    await enter(at, 'admin$key', 'key right'),
    await enter(at, 'admin$ref', 'ref right'),
  ];
  at.snapshot = snapshotOf(
    { ...users, admin: { ...users.admin, roles: [] }, near: { password: cheapPassword('another') } },
    { 'keys/ref': `${cheapPassword('ref right')}\n` },
  );
  for (const token of tokens) assert.ok((await authenticate(token, requesterIP, at)).ok);
});

test('a token that was forged with the right key still has no session', async () => {
  const at = world();
  const { token } = at.tokens.sign(
    { ...admin, credential: at.tokens.credentialOf('admin', '', password) },
    at.now,
  );
  const result = await authenticate(token, requesterIP, at);
  assert.ok(!result.ok);
  assert.is(result.status, 403);
});

function row(at: World, id: string) {
  const found = at.rows.get(id);
  if (!found) throw new Error('no session');
  return found;
}

test.run();
