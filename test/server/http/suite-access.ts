/** Logging in, tokens and sessions. */
import { createHash } from 'node:crypto';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LoginData, WhoamiData } from '../../../src/wire/messages.ts';
import { PASSWORD } from './documents.ts';
import { dataOf, json, refused, tokenRefused, type World } from './world.ts';

const DENIED = "you don't have permission to access this resource";

export function accessTests(test: Test, world: World): void {
  const scoped = world.collection('scoped');

  test('login: a token, its session id, when it ends, in the original envelope', async () => {
    const answer = await world.ask('login', {}, json({ username: 'admin', password: PASSWORD }));
    const data = dataOf<LoginData>(answer);
    assert.is(data.msg, 'Use this sessionId to revoke this token anytime');
    assert.is(data.sessionId, createHash('sha256').update(data.token).digest('hex'));
    const hours = (Date.parse(data.expire) - Date.now()) / 3_600_000;
    assert.ok(hours > 5.9 && hours <= 6, `${hours}`);
    assert.match(answer.bytes.toString(), /^\{\n {4}"status": true,\n {4}"data": \{\n {8}"token": "/);
  });

  test('login: forms are understood', async () => {
    const form = {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `username=admin&password=${PASSWORD}`,
    };
    assert.ok(dataOf<LoginData>(await world.ask('login', {}, form)).token);
    const part = (name: string, value: string) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const body = `${part('username', 'admin')}${part('password', PASSWORD)}--b--\r\n`;
    const multipart = { headers: { 'content-type': 'multipart/form-data; boundary=b' }, body };
    assert.ok(dataOf<LoginData>(await world.ask('login', {}, multipart)).token);
  });

  test('login: what is missing or wrong', async () => {
    for (const body of [{}, { username: 'admin' }, { password: PASSWORD }, { username: '', password: '' }]) {
      tokenRefused(await world.ask('login', {}, json(body)), 401, 'missing Username or Password');
    }
    tokenRefused(await world.ask('login'), 401, 'missing Username or Password');
    const wrong = [
      ['admin', 'wrong'],
      ['nobody', PASSWORD],
      ['gone', PASSWORD],
      ['elsewhere', PASSWORD],
      ['machine$other', PASSWORD],
    ];
    for (const [username, password] of wrong) {
      tokenRefused(
        await world.ask('login', {}, json({ username, password })),
        401,
        'incorrect Username or Password',
      );
    }
    assert.is((await world.ask('login', {}, { ...json({}), body: '{' })).status, 400);
    assert.is((await world.ask('login', {}, { ...json({}), body: '['.repeat(1000) })).status, 400);
    assert.is((await world.ask('login', {}, { ...json({}), body: `"${'x'.repeat(70_000)}"` })).status, 413);
    assert.is(
      (await world.ask('login', {}, { body: 'x', headers: { 'content-type': 'text/csv' } })).status,
      415,
    );
    assert.is(
      (
        await world.ask(
          'login',
          {},
          json({ username: 'admin', password: PASSWORD, operationsScope: { elements: [] } }),
        )
      ).status,
      400,
    );
  });

  test('tokens: sent as header, parameter or cookie; refused in a shape of their own', async () => {
    const token = await world.token();
    assert.is((await world.ask('whoami', {}, { token })).status, 200);
    assert.is((await world.ask('whoami', {}, { query: `?token=${token}` })).status, 200);
    assert.is((await world.ask('whoami', {}, { headers: { cookie: `a=b; jwt=${token}` } })).status, 200);
    tokenRefused(await world.ask('whoami'), 401, 'auth header is empty');
    tokenRefused(await world.ask('whoami', {}, { token: 'nonsense' }), 401, 'token is invalid');
    const [head, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ login: 'admin', accessKeyName: '' })).toString('base64url');
    assert.is((await world.ask('whoami', {}, { token: `${head}.${forged}.${signature}` })).status, 401);
  });

  test('whoami and profiles', async () => {
    const data = dataOf<WhoamiData>(await world.ask('whoami', {}, { as: 'manager' }));
    assert.is(data.email, 'manager@example.org');
    assert.equal(data.permissions, ['collectionManager']);
    assert.equal(Object.keys(data.grantedAccess), [
      'CreatedAt',
      'UpdatedAt',
      'DeletedAt',
      'id',
      'expiresAt',
      'deactivated',
      'description',
      'requesterIP',
      'user',
      'accessKeyName',
    ]);
    assert.is(data.grantedAccess.id, data.sessionId);
    const profile = await world.ask('userProfile', { userName: 'manager' }, { as: 'admin' });
    assert.equal(dataOf(profile), { email: 'manager@example.org', permissions: ['collectionManager'] });
    assert.is((await world.ask('userProfile', { userName: 'stranger' }, { as: 'stranger' })).status, 200);
    for (const userName of ['admin', 'nobody']) {
      refused(
        await world.ask('userProfile', { userName }, { as: 'stranger' }),
        403,
        'no permissions to view that user account',
      );
    }
    const absent = await world.ask('userProfile', { userName: 'nobody' }, { as: 'admin' });
    assert.is(absent.status, 404);
    assert.match((absent.json as { error: string }).error, /^IsError retrieving user: /);
  });

  test('sessions: listed newest first, to their owner and administrators', async () => {
    await world.token('stranger');
    const list = async (as: string, query = '') =>
      dataOf<{ grantedAccesses: { user: string; CreatedAt: string }[] }>(
        await world.ask('tokens', {}, { as, query }),
      ).grantedAccesses;
    assert.ok((await list('stranger')).every(({ user }) => user === 'stranger'));
    const times = (await list('admin', '?userName=admin')).map(({ CreatedAt }) => CreatedAt);
    assert.equal(times, [...times].sort().reverse());
    assert.ok((await list('admin', '?userName=stranger')).length > 0);
    refused(
      await world.ask('tokens', {}, { as: 'stranger', query: '?userName=admin' }),
      403,
      'no permissions to act as other user',
    );
  });

  test('control characters: no session or account has one in its name, and no description keeps one', async () => {
    for (const character of ['%00', 'a%00b', '%0a', '%7f']) {
      const asked = { as: 'admin', query: `?sessionId=${character}` };
      assert.is((await world.ask('logout', {}, asked)).status, 400, character);
      assert.is(
        (await world.ask('tokens', {}, { as: 'admin', query: `?userName=${character}` })).status,
        400,
      );
    }
    assert.is((await world.ask('userProfile', { userName: 'a\u0000' }, { as: 'admin' })).status, 404);
    const credentials = { username: 'stranger', password: PASSWORD };
    const token = dataOf<LoginData>(
      await world.ask('login', {}, json({ ...credentials, description: 'a\u0000b\nc' })),
    ).token;
    const { grantedAccess } = dataOf<WhoamiData>(await world.ask('whoami', {}, { token }));
    assert.is(grantedAccess.description, 'a b c');
    const odd = await world.ask('login', {}, json({ ...credentials, username: 'stranger\u0000' }));
    tokenRefused(odd, 401, 'incorrect Username or Password');
  });

  test('logout: one ends its own session, an administrator any', async () => {
    const own = await world.newToken('stranger');
    const id = createHash('sha256').update(own).digest('hex');
    assert.equal(dataOf(await world.ask('logout', {}, { token: own })), {
      message: 'JWT was revoked',
      sessionId: id,
    });
    tokenRefused(await world.ask('whoami', {}, { token: own }), 403, DENIED);

    const other = await world.newToken('uploader');
    const query = `?sessionId=${createHash('sha256').update(other).digest('hex')}`;
    refused(
      await world.ask('logout', {}, { as: 'stranger', query }),
      403,
      "you don't have permissions to revoke session of other user",
    );
    assert.is((await world.ask('logout', {}, { as: 'admin', query })).status, 200);
    tokenRefused(await world.ask('whoami', {}, { token: other }), 403, DENIED);
    refused(
      await world.ask('logout', {}, { as: 'admin', query: '?sessionId=unknown' }),
      404,
      'specified session identifier is not valid, cannot find GrantedAccess of specified id',
    );
  });

  test('refresh: a new token that works, with the same limits (the original refused it)', async () => {
    const scope = { elements: [{ type: 'collection', name: scoped, roles: ['backupUploader'] }] };
    const old = await world.newToken('admin', scope);
    const answer = await world.ask('refreshToken', {}, { token: old });
    const { code, token } = answer.json as { code: number; token: string };
    assert.is(code, 200);
    assert.is((await world.ask('whoami', {}, { token })).status, 200);
    tokenRefused(await world.ask('whoami', {}, { token: old }), 403, DENIED);
    assert.is((await world.ask('upload', { collectionId: scoped }, { token, body: 'x' })).status, 500);
    assert.is(
      (await world.ask('download', { collectionId: scoped, version: 'latest' }, { token })).status,
      403,
    );
    assert.is((await world.ask('tokens', {}, { token })).status, 403);
  });
}
