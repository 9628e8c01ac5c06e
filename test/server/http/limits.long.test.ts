/** What a stranger can send, how the server stops, and what its log says. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dependencies } from '../../../src/server/http/server.ts';
import type { Settings } from '../../../src/server/http/settings.ts';
import { eventually } from '../../eventually.ts';
import { begin, call, underWay } from './client.ts';
import { ACCOUNTS, collection, PASSWORD } from './documents.ts';
import { openReplicas } from './in-process.ts';
import { sqliteAndFolder } from './sqlite-folder.ts';
import { SUITE_SETTINGS } from './suite.ts';
import { armoured, json } from './world.ts';

const test = suite('limits and stopping');
const closing: (() => Promise<void>)[] = [];
test.after(async () => {
  for (const close of closing) await close();
});

async function open(settings: Partial<Settings> = {}, more: Partial<Dependencies> = {}) {
  const target = await openReplicas(async () => [await sqliteAndFolder()], more)(
    [
      ...ACCOUNTS,
      collection('c'),
      collection('keyed'),
      collection('dangling', { healthSecretRef: { name: 'codes', entry: 'none' } }),
    ],
    { ...SUITE_SETTINGS, ...settings },
  );
  closing.push(target.close);
  const [url = ''] = target.urls;
  return { ...target, url, upload: `${url}/api/alpha/repository/collection/c/version` };
}

async function login(url: string, username = 'admin'): Promise<string> {
  const answer = await call('POST', `${url}/api/stable/auth/login`, json({ username, password: PASSWORD }));
  return (answer.json as { data: { token: string } }).data.token;
}

/** Limits count within a second or a minute of the clock: a test that runs across its end would begin anew. */
const now = Date.now();
const STOPPED: Partial<Dependencies> = { clock: () => now };

/** Writes to a bare connection and waits until the server closes it. */
function converse(url: string, ...pieces: string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let heard = '';
    socket.on('data', (data) => {
      heard += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(heard));
    for (const piece of pieces) socket.write(piece);
  });
}

test('rate limits: per address, 429 with the time to wait; trusted proxies tell the address', async () => {
  const { url } = await open(
    {
      rateLimits: { default: 2, auth: 2, collectionHealth: 2, serverHealth: 2 },
      trustedProxies: ['127.0.0.1'],
    },
    STOPPED,
  );
  const attempt = (from: string) => call('GET', `${url}/health`, { headers: { 'x-forwarded-for': from } });
  assert.equal([(await attempt('198.51.100.1')).status, (await attempt('198.51.100.1')).status], [200, 200]);
  const limited = await attempt('198.51.100.1');
  assert.is(limited.status, 429);
  assert.is((limited.json as { error: string }).error, 'too many requests, try again later');
  assert.ok(Number(limited.headers['retry-after']) <= 60);
  assert.is(
    (await attempt('203.0.113.9, 198.51.100.1')).status,
    429,
    'what the client itself wrote does not count',
  );
  assert.is((await attempt('198.51.100.2')).status, 200);
  const wrong = () => call('POST', `${url}/api/stable/auth/login`, json({ username: 'x', password: 'y' }));
  assert.equal([(await wrong()).status, (await wrong()).status, (await wrong()).status], [401, 401, 429]);
});

test('rate limits: a header of an untrusted client is not believed', async () => {
  const { url } = await open(
    { rateLimits: { default: 1, auth: 1, collectionHealth: 1, serverHealth: 1 } },
    STOPPED,
  );
  const attempt = (from: string) => call('GET', `${url}/health`, { headers: { 'x-forwarded-for': from } });
  assert.equal([(await attempt('198.51.100.1')).status, (await attempt('198.51.100.2')).status], [200, 429]);
});

test('slow clients: bodies and headers that do not come', async () => {
  const { url } = await open({ requestTimeoutMs: 300 });
  const body = await converse(
    url,
    'POST /api/stable/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  );
  assert.match(body, /^HTTP\/1.1 408 [\s\S]*Request took too long/);
  assert.match(await converse(url, 'NONSENSE\r\n\r\n'), /^HTTP\/1.1 400 /);
});

test('a refused upload is answered before its body was read, and its sender gets to read why', async () => {
  const { upload } = await open();
  const { outgoing, promise } = begin('POST', upload, {
    token: 'nonsense',
    headers: { 'content-length': '100000000' },
  });
  outgoing.write(Buffer.alloc(1_000_000));
  assert.is((await promise).status, 401);
  outgoing.destroy();
});

test('a health code that leads nowhere lets nobody in', async () => {
  const { url } = await open();
  for (const query of ['', '?code=', '?code=x']) {
    assert.is(
      (await call('GET', `${url}/api/stable/repository/collection/dangling/health${query}`)).status,
      403,
    );
  }
});

test('/metrics without a key is closed unless it was opened', async () => {
  assert.is((await call('GET', `${(await open({ healthCheckKey: '' })).url}/metrics`)).status, 403);
  const { url } = await open({ healthCheckKey: '', openMetrics: true });
  assert.is((await call('GET', `${url}/metrics`)).status, 200);
  // Nor does the open page tell what is wrong with the configuration.
  const ready = await call('GET', `${url}/ready`);
  assert.is(ready.status, 200, 'one mistake does not take the server out of service');
  assert.match(ready.bytes.toString(), 'ConfigurationProviderValidator=true');
  assert.not.match(ready.bytes.toString(), 'dangling');
});

test('precise statuses: the fault of the client is 4xx', async () => {
  const { url, upload } = await open({ preciseStatuses: true });
  const token = await login(url);
  assert.is((await call('POST', upload, { token, body: 'plain' })).status, 422);
  assert.is((await call('POST', upload, { token, body: Buffer.alloc(12 * 1024 ** 2) })).status, 413);
});

test('a database that is away: 503, and it works again when it is back', async () => {
  const { url, metadata, upload } = await open();
  const token = await login(url);
  assert.ok(metadata);
  const { find } = metadata.sessions;
  const { MetadataUnavailable } = await import('../../../src/server/metadata/metadata.ts');
  metadata.sessions.find = () => Promise.reject(new MetadataUnavailable('away'));
  const answer = await call('POST', upload, { token, body: armoured() });
  assert.is(answer.status, 503);
  assert.is(answer.headers['retry-after'], '5');
  metadata.sessions.find = find;
  assert.is((await call('POST', upload, { token, body: armoured() })).status, 200);
});

test('stopping: an upload under way is finished, nothing new is accepted', async () => {
  const target = await open({ uploadIdleTimeoutMs: 60_000, hangUpGraceMs: 0 });
  const token = await login(target.url);
  const { outgoing, promise } = await underWay(target.upload, { token });
  outgoing.write(armoured().slice(0, 30));
  let closed = false;
  const { server } = target;
  const stopping = server.close().then(() => {
    closed = true;
  });
  await sleep(100);
  assert.is(closed, false);
  await eventually('nothing new is accepted', () =>
    call('GET', `${target.url}/health`).then(
      () => false,
      () => true,
    ),
  );
  assert.is(closed, false);
  outgoing.end(armoured().slice(30));
  assert.is((await promise).status, 200);
  await stopping;
  assert.is(closed, true);
});

test('uploads that are too many are told when to come again, before they have sent anything', async () => {
  const { url, upload } = await open({ maxUploads: 1, uploadIdleTimeoutMs: 60_000, hangUpGraceMs: 0 });
  const token = await login(url);
  const { outgoing, promise } = await underWay(upload, { token });
  const other = upload.replace('/c/', '/keyed/');
  const headers = { expect: '100-continue' };
  const refused = await call('POST', other, { token, headers });
  assert.is(refused.status, 429);
  assert.is(refused.headers['retry-after'], '15');
  assert.is(refused.headers['x-backup-error'], 'rate-limited');
  assert.match(
    (refused.json as { error: string }).error,
    /the server takes no more uploads at a time than 1 \(--max-uploads/,
  );
  // Also one that does not ask before it sends.
  assert.is((await call('POST', other, { token, body: armoured() })).status, 429);
  outgoing.end(armoured());
  assert.is((await promise).status, 200);
  // Whatever becomes of an upload, its place is free again.
  for (const body of ['not encrypted', armoured(), ''])
    assert.is.not((await call('POST', other, { token, body })).status, 429);
  const broken = await underWay(other, { token });
  broken.outgoing.destroy();
  await broken.promise.catch(() => {});
  await eventually('the place of an upload that was broken off', async () => {
    return (await call('POST', other, { token, body: armoured() })).status === 200;
  });
});

test('a dump that pauses for longer than a download may is waited for', async () => {
  const { url, upload } = await open({ uploadIdleTimeoutMs: 60_000, idleTimeoutMs: 200 });
  const { outgoing, promise } = await underWay(upload, { token: await login(url) });
  outgoing.write(armoured().slice(0, 30));
  await sleep(800);
  outgoing.end(armoured().slice(30));
  assert.is((await promise).status, 200);
});

test('of a client that says nothing the system asks whether it is still there', async () => {
  const { url, upload } = await open();
  const { outgoing } = await underWay(upload, { token: await login(url) });
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  // proc(5): local address, other address, state (01 is established), queues, timer (02 is keep-alive).
  const probed = new RegExp(`^ *\\d+: \\w+:${port} \\S+ 01 \\S+ 02:`, 'm');
  await eventually('a timer', () =>
    ['tcp', 'tcp6'].some((name) => probed.test(readFileSync(`/proc/net/${name}`, 'utf8'))),
  );
  outgoing.destroy();
});

test('times that are longer than a timer can be are not over at once', async () => {
  const ms = 3000 * 3_600_000;
  const times = {
    ...{ uploadTimeoutMs: ms, downloadTimeoutMs: ms, storageTimeoutMs: ms },
    ...{ uploadIdleTimeoutMs: ms, idleTimeoutMs: ms },
  };
  const more = { storageHealthTimeoutMs: ms, shutdownTimeoutMs: ms, hangUpGraceMs: 0 };
  const { server, url, upload } = await open({ ...times, ...more });
  const token = await login(url);
  assert.is((await call('POST', upload, { token, body: armoured() })).status, 200);
  assert.is((await call('GET', `${upload}/latest`, { token })).bytes.toString(), armoured());
  assert.is((await call('GET', `${url}/ready?code=ready-code`)).status, 200);
  const { outgoing, promise } = await underWay(upload, { token });
  outgoing.write(armoured().slice(0, 30));
  const stopping = server.close();
  await sleep(200);
  outgoing.end(armoured().slice(30));
  assert.is((await promise).status, 200);
  await stopping;
});

test('stopping: a request on a connection that is open already is refused in our words', async () => {
  const { server, url } = await open();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let heard = '';
  socket.on('data', (data) => {
    heard += data;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('connect', resolve));
  // A connection in mid-request is not idle, so it is not closed.
  socket.write('GET /health HTTP/1.1\r\n');
  await sleep(200);
  const stopping = server.close();
  socket.write('Host: localhost\r\n\r\n');
  await Promise.all([stopping, closed]);
  assert.match(heard, /^HTTP\/1\.1 503 /);
  assert.match(heard, /x-backup-error: shutting-down/);
  assert.match(heard, /connection: close/i);
  assert.match(heard, /"error": "the server is shutting down"/);
});

test('stopping: not longer than it was told to wait, and what is broken off leaves nothing', async () => {
  const target = await open({ shutdownTimeoutMs: 200 });
  const token = await login(target.url);
  const { outgoing, promise } = await underWay(target.upload, { token });
  outgoing.write(armoured().slice(0, 30));
  await Promise.all([
    target.server.close(),
    promise.then(
      ({ status }) => assert.is(status, 503),
      () => {},
    ),
  ]);
  outgoing.destroy();
  assert.equal(await target.metadata?.versions.list('c'), []);
});

test('the log has every request, and no secret', async () => {
  let log = '';
  const stream = {
    write: (line: string) => {
      log += line;
    },
  };
  const { url, upload } = await open({}, { log: { level: 'trace', stream } });
  // Its password is the word `admin`, which must not be in the log; names of accounts are.
  const token = await login(url, 'manager');
  await call('GET', `${url}/api/stable/auth/whoami?token=${token}`);
  await call('GET', `${url}/ready?code=ready-code&userName=shown`);
  await call('GET', `${url}/ready`, { headers: { authorization: 'ready-code', cookie: `jwt=${token}` } });
  await call('POST', `${url}/api/stable/auth/login`, json({ username: 'admin', password: 'wrong-password' }));
  await call('POST', upload, { token, body: armoured() });
  await call('POST', `${upload}?token=${token}`, {
    body: 'x',
    headers: { authorization: `Basic ${PASSWORD}-secret` },
  });
  for (const secret of [token, 'ready-code', 'wrong-password', `"${PASSWORD}"`, `${PASSWORD}-secret`])
    assert.not.match(log, secret);
  assert.match(log, '?code=[hidden]&userName=shown');
  assert.match(log, 'version stored');
});

test.run();
