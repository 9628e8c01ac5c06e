/** What becomes of tokens when passwords change in the configuration, over HTTP and with files that are really changed. */
import { createHmac } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokens, sessionIdOf } from '../../../src/server/access/token.ts';
import { pathOf } from '../../../src/wire/routes.ts';
import { cheapPassword } from '../access/accounts.ts';
import { folder, removeFolders, secret, user } from '../configuration/folders.ts';
import { call } from './client.ts';
import { openReplicas } from './in-process.ts';
import { sqliteAndFolder } from './sqlite-folder.ts';
import { SUITE_SETTINGS } from './suite.ts';
import { json, tokenRefused } from './world.ts';

const DENIED = "you don't have permission to access this resource";
const passwords = (text: string) => secret('passwords', `machine: "${cheapPassword(text)}"`);

const test = suite('passwords that change');
const closing: (() => Promise<void>)[] = [];
test.after(async () => {
  for (const close of closing) await close();
  await removeFolders();
});

async function open() {
  const key = 'a key that is long enough for everybody';
  const files = folder({
    'admin.yaml': user('admin', `roles: [systemAdmin], password: ${cheapPassword('old')}`),
    'machine.yaml': user(
      'machine',
      'accessKeys: [{name: key, passwordFromRef: {name: passwords, entry: machine}}]',
    ),
    'passwords.yaml': passwords('old'),
  });
  const configuration = files.provider({ debounceMs: 1e6, pollMs: 1e6 });
  await configuration.start();
  const { urls, metadata, close } = await openReplicas(async () => [await sqliteAndFolder()], {
    configuration,
    tokens: createTokens({ key }),
  })([], SUITE_SETTINGS);
  closing.push(close);
  const [url = ''] = urls;
  const ask = (route: 'whoami' | 'refreshToken', token: string) =>
    call('GET', `${url}${pathOf(route)}`, { token });
  return {
    ask,
    metadata,
    key,
    change: async (file: string, text: string | undefined) => {
      if (text === undefined) files.remove(file);
      else files.write(file, text);
      await configuration.refresh();
    },
    login: async (username: string, password: string) => {
      const answer = await call('POST', `${url}${pathOf('login')}`, json({ username, password }));
      assert.is(answer.status, 200, answer.bytes.toString());
      return (answer.json as { data: { token: string } }).data.token;
    },
    refresh: async (token: string) => {
      const answer = await ask('refreshToken', token);
      assert.is(answer.status, 200, answer.bytes.toString());
      return (answer.json as { token: string }).token;
    },
  };
}

test('a token ends with the password that it was given for, however often it was refreshed', async () => {
  const { ask, change, login, refresh } = await open();
  const plain = await login('admin', 'old');
  const refreshed = await refresh(await refresh(await login('admin', 'old')));
  const other = await login('machine$key', 'old');
  await change('admin.yaml', user('admin', `roles: [systemAdmin], password: ${cheapPassword('new')}`));
  for (const token of [plain, refreshed]) {
    tokenRefused(await ask('whoami', token), 403, DENIED);
    tokenRefused(await ask('refreshToken', token), 403, DENIED);
  }
  assert.is((await ask('whoami', other)).status, 200, 'nobody else has to log in again');
  assert.is((await ask('whoami', await login('admin', 'new'))).status, 200);
});

test('a new password of an access key ends the tokens of that key', async () => {
  const { ask, change, login, refresh } = await open();
  const admin = await login('admin', 'old');
  const token = await refresh(await login('machine$key', 'old'));
  await change('passwords.yaml', passwords('new'));
  tokenRefused(await ask('whoami', token), 403, DENIED);
  assert.is((await ask('whoami', admin)).status, 200);
});

test('passwords that stay the same keep their tokens, whatever else changes', async () => {
  const { ask, change, login } = await open();
  const tokens = [await login('admin', 'old'), await login('machine$key', 'old')];
  await change(
    'admin.yaml',
    user('admin', `roles: [], email: new@example.org, password: ${cheapPassword('old')}`),
  );
  await change('passwords.yaml', secret('passwords', `other: x, machine: "${cheapPassword('old')}\\n"`));
  for (const token of tokens) assert.is((await ask('whoami', token)).status, 200);
});

test('a Secret that cannot be read changes nothing; while it is gone its tokens wait', async () => {
  const { ask, change, login } = await open();
  const token = await login('machine$key', 'old');
  await change('passwords.yaml', 'half of a file: [');
  assert.is((await ask('whoami', token)).status, 200, 'the last good state');
  await change('passwords.yaml', undefined);
  tokenRefused(await ask('whoami', token), 403, DENIED);
  await change('passwords.yaml', passwords('old'));
  assert.is((await ask('whoami', token)).status, 200, 'it was the same password after all');
});

test('a token of a release that bound it to no password is good until it expires, and cannot be refreshed', async () => {
  const { ask, change, key, metadata } = await open();
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { login: 'admin', accessKeyName: '', operationsScope: 'bnVsbA==', rand: '1' };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ...claims, exp: now + 60, orig_iat: now })}`;
  const token = `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  await metadata.sessions.create({
    ...{ id: sessionIdOf(token), user: 'admin', accessKeyName: '', scope: 'null', description: '' },
    ...{ requesterIP: '127.0.0.1', createdAt: now * 1000, updatedAt: now * 1000 },
    ...{ expiresAt: (now + 60) * 1000, deactivated: false },
  });
  assert.is((await ask('whoami', token)).status, 200);
  tokenRefused(
    await ask('refreshToken', token),
    401,
    'the token was given out by an older release, log in again',
  );
  await change('admin.yaml', user('admin', `password: ${cheapPassword('new')}`));
  assert.is((await ask('whoami', token)).status, 200);
});

test.run();
