/** The client against the server of this project. */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RepositoryOptions } from '../../../src/client/http/repository.ts';
import type { Settings } from '../../../src/server/http/settings.ts';
import { eventually } from '../../eventually.ts';
import { call } from '../../server/http/client.ts';
import { ACCOUNTS, collection, HEALTH_CODE, PASSWORD } from '../../server/http/documents.ts';
import { type InProcess, openReplicas } from '../../server/http/in-process.ts';
import { sqliteAndFolder } from '../../server/http/sqlite-folder.ts';
import { bytes, collect, content, failureOf, repositoryAt } from './world.ts';

const test = suite('client against our server');

const NO_LIMITS: Partial<Settings> = {
  rateLimits: { default: 0, auth: 0, collectionHealth: 0, serverHealth: 0 },
};
/** Silence after which the impatient server gives up. */
const IDLE_MS = 1000;
const plain = { allowUnencrypted: true, maxOneVersionSize: '50M', maxCollectionSize: '500M' };
const DOCUMENTS = [
  ...ACCOUNTS,
  collection('plain', plain),
  collection('several', plain),
  collection('broken', plain),
  collection('small', { ...plain, maxOneVersionSize: '300K', maxCollectionSize: '3M' }),
  collection('sealed'),
  collection('closed', { windows: [{ from: '0 0 1 1 *', duration: '1s' }] }),
  collection('well', { healthSecretRef: { name: 'codes', entry: 'health' } }),
  collection('ledger', plain),
];

let server: InProcess;
/** The address of another server over the same engines. */
let impatient: string;
const as = (username: string, more: Partial<RepositoryOptions> = {}) =>
  repositoryAt(server.urls[0] ?? '', {
    credentials: { kind: 'password', username, password: PASSWORD },
    ...more,
  });

test.before(async () => {
  server = await openReplicas(async () => [await sqliteAndFolder()])(DOCUMENTS, NO_LIMITS);
  impatient = await server.beside({ ...NO_LIMITS, uploadIdleTimeoutMs: IDLE_MS, idleTimeoutMs: IDLE_MS });
});
test.after(() => server.close());

test('what is uploaded comes back, with its digest, length, name and encoding', async () => {
  const repository = as('machine');
  const data = bytes(1_000_000);
  const sent = await repository.upload('plain', content(data.subarray(0, 5), data.subarray(5)), {
    contentEncoding: 'zstd',
  });
  const sha256 = createHash('sha256').update(data).digest('hex');
  assert.is(sent.bytes, data.length);
  assert.is(sent.sha256, sha256);
  assert.is(sent.version.sha256, sha256);

  const got = await repository.download('plain', 'latest');
  assert.equal(
    [got.versionNumber, got.size, got.contentEncoding, got.filename],
    [sent.version.versionNumber, data.length, 'zstd', sent.version.filename],
  );
  assert.ok((await collect(got.content)).equals(data));
  const again = await repository.download('plain', `v${sent.version.versionNumber}`);
  assert.ok((await collect(again.content)).equals(data));
  await repository.close();
});

test('content that is lent arrives as it was when it was given, in small pieces, large ones, and slow ones', async () => {
  const repository = as('machine');
  const data = bytes(9_000_000);
  const lent = Buffer.alloc(1_000_000);
  async function* lending(): AsyncGenerator<Buffer> {
    const sizes = [10, 70_000, 3, 900_000, 40_000, 20_000, 1_000_000, 5];
    for (let at = 0, turn = 0; at < data.length; turn++) {
      const taken = data.copy(lent, 0, at, at + (sizes[turn % sizes.length] ?? 1));
      yield lent.subarray(0, taken);
      lent.fill(0xee);
      // Longer than the client waits before it sends what it has.
      if (turn === 3) await sleep(400);
      at += taken;
    }
  }
  const { version } = await repository.upload('plain', lending(), { contentEncoding: '' });
  const got = await repository.download('plain', String(version.versionNumber));
  assert.ok((await collect(got.content)).equals(data));
  await repository.close();
});

test('a server that takes no more uploads is asked again, and gets all of the content', async () => {
  const busy = await server.beside({ ...NO_LIMITS, maxUploads: 1 });
  const credentials = { kind: 'password', username: 'machine', password: PASSWORD } as const;
  const first = repositoryAt(busy, { credentials });
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<Buffer> {
    yield bytes(100_000);
    begun.resolve();
    await finish.promise;
    yield bytes(10);
  }
  const going = first.upload('plain', slow(), { contentEncoding: '' });
  await begun.promise;
  const waits: number[] = [];
  const second = repositoryAt(busy, {
    credentials,
    sleep: async (ms) => {
      waits.push(ms);
      if (waits.length < 3) return;
      finish.resolve();
      await going;
    },
  });
  const data = bytes(300_000);
  const { version } = await second.upload('ledger', content(data), { contentEncoding: '' });
  assert.is(waits.length, 3);
  assert.ok(
    waits.every((ms) => ms >= 15_000 && ms < 20_000),
    `${waits}`,
  );
  assert.is(version.sha256, createHash('sha256').update(data).digest('hex'));
  await second.close();
  await first.close();
});

test('versions come oldest first, collections and the own account are told', async () => {
  const repository = as('machine');
  for (const text of ['one', 'two', 'three']) {
    await repository.upload('several', content(Buffer.from(text)), { contentEncoding: '' });
  }
  assert.equal(
    (await repository.versions('several')).map(({ versionNumber, filesize }) => [versionNumber, filesize]),
    [
      [1, 3],
      [2, 3],
      [3, 5],
    ],
  );
  assert.is((await repository.collections()).find(({ id }) => id === 'several')?.versions, 3);
  assert.is((await repository.whoami()).email, 'machine@example.org');
  const { contentEncoding } = await repository.download('several', '3');
  assert.is(contentEncoding, '');
  await repository.close();
});

test('content that fails leaves no version, and its own error comes out', async () => {
  const repository = as('machine');
  const oops = new Error('the dump failed');
  const pieces = content(bytes(200_000), bytes(200_000), () => sleep(50), oops);
  try {
    await repository.upload('broken', pieces, { contentEncoding: '' });
    assert.unreachable();
  } catch (error) {
    assert.is(error, oops);
  }
  await sleep(100);
  assert.equal(await repository.versions('broken'), []);
  await repository.close();
});

test('a signal stops an upload with its own reason, and leaves no version', async () => {
  const stop = new AbortController();
  const repository = as('machine', { signal: stop.signal });
  const reason = new Error('stopped by the user');
  const endless = content(
    bytes(100_000),
    async () => stop.abort(reason),
    () => sleep(30),
    bytes(100_000),
  );
  try {
    await repository.upload('broken', endless, { contentEncoding: '' });
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  }
  assert.ok(endless.state.stopped);
  await repository.close();
  const other = as('machine');
  assert.equal(await other.versions('broken'), []);
  await other.close();
});

test('one session serves all requests, is limited as asked, and ends with the client', async () => {
  const repository = as('machine');
  repository.limitTo({ elements: [{ type: 'collection', name: 'plain', roles: ['backupDownloader'] }] });
  const { token } = await repository.login();
  assert.is((await repository.whoami()).sessionId, createHash('sha256').update(token).digest('hex'));
  const refused = await failureOf(
    repository.upload('plain', content(Buffer.from('x')), { contentEncoding: '' }),
  );
  assert.is(refused.code, 'not-authorized');
  assert.match(
    refused.message,
    /upload to the collection "plain" at http:\/\/127\.0\.0\.1:\d+: not authorized/,
  );
  assert.match(refused.hint, /backupUploader/);

  const borrow = () => repositoryAt(server.urls[0] ?? '', { credentials: { kind: 'token', token } });
  const borrowed = borrow();
  await borrowed.whoami();
  await borrowed.close();
  // A token that was given is not ours to revoke.
  await repository.whoami();
  await repository.close();
  const late = borrow();
  const failure = await failureOf(late.whoami());
  assert.is(failure.code, 'not-authenticated');
  assert.match(failure.message, /token is not accepted/);
  await late.close();
  // Nobody logs in any more once it is closed.
  assert.match((await failureOf(repository.login())).message, /the session has ended/);
  assert.is((await failureOf(repository.whoami())).code, 'interrupted');
});

test('a session that ended meanwhile is opened again, also for an upload', async () => {
  const repository = as('machine');
  const revoke = async () => {
    const { token } = await repository.login();
    await call('DELETE', `${server.urls[0]}/api/stable/auth/logout`, { token });
  };
  await revoke();
  assert.is((await repository.whoami()).email, 'machine@example.org');
  await revoke();
  const data = bytes(300_000);
  await repository.upload('plain', content(data), { contentEncoding: '' });
  await revoke();
  assert.ok((await collect((await repository.download('plain', 'latest')).content)).equals(data));
  await repository.close();
});

test('refusals say what to do', async () => {
  const cases: [string, string, string, RegExp][] = [
    ['machine', 'nowhere', 'unknown-version', /"nowhere".*cannot find specified collection/],
    ['stranger', 'plain', 'not-authorized', /not authorized to upload/],
    ['machine', 'closed', 'not-authorized', /uploadsAnytime/],
    ['machine', 'sealed', 'refused', /GPG header/],
  ];
  for (const [user, id, code, words] of cases) {
    const repository = as(user);
    const pieces = content(bytes(100_000), bytes(100_000));
    const failure = await failureOf(repository.upload(id, pieces, { contentEncoding: '' }));
    assert.is(failure.code, code, id);
    assert.match(`${failure.message} ${failure.hint}`, words);
    assert.ok(pieces.state.stopped, id);
    await repository.close();
  }
});

test('a version that grows too large is stopped in the middle, with both sizes', async () => {
  const repository = as('machine');
  const pieces = content(...Array.from({ length: 200 }, () => bytes(64 * 1024)));
  const failure = await failureOf(repository.upload('small', pieces, { contentEncoding: '' }));
  assert.is(failure.code, 'refused');
  assert.match(failure.message, /Uploaded \d+ bytes, allowed to upload only \d+ bytes/);
  assert.match(failure.hint, /maxOneVersionSize/);
  assert.ok(pieces.state.stopped);
  await repository.close();
});

test('two uploads at once: the second is refused before its content is asked for more', async () => {
  const repository = as('machine');
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { leases } = server.metadata;
  const { acquire } = leases;
  const granted = new Promise<void>((resolve) => {
    leases.acquire = async (...args) => {
      const lease = await acquire(...args);
      resolve();
      return lease;
    };
  });
  const first = repository.upload(
    'plain',
    content(bytes(70_000), () => held, bytes(10)),
    { contentEncoding: '' },
  );
  await granted;
  leases.acquire = acquire;
  const pieces = content(bytes(70_000), bytes(70_000), bytes(70_000));
  const failure = await failureOf(repository.upload('plain', pieces, { contentEncoding: '' }));
  release();
  assert.is((await first).bytes, 70_010);
  assert.is(failure.code, 'refused');
  assert.match(failure.hint, /other upload/);
  assert.is(pieces.state.given, 1);
  await repository.close();
});

test('a dump that thinks longer than any timeout of ours is not silence', async () => {
  const patient = as('machine');
  const { token } = await patient.login();
  const repository = as('machine', { credentials: { kind: 'token', token }, idleTimeoutMs: 2000 });
  const sent = await repository.upload(
    'plain',
    content(bytes(10), () => sleep(2500), bytes(10)),
    {
      contentEncoding: '',
    },
  );
  assert.is(sent.bytes, 20);
  await repository.close();
  await patient.close();
});

test('a consumer that is slower than the server allows gets everything nevertheless', async () => {
  const repository = as('machine');
  const data = bytes(24_000_000);
  await repository.upload('plain', content(data), { contentEncoding: '' });
  await repository.close();
  const hurried = as('machine', { url: impatient });
  const got = await hurried.download('plain', 'latest');
  const pieces: Buffer[] = [];
  for await (const piece of got.content) {
    if (pieces.push(piece) === 3) await sleep(2.5 * IDLE_MS);
  }
  assert.ok(Buffer.concat(pieces).equals(data));
  assert.match(hurried.warnings.join(), /taking it up again/);
  await hurried.close();
});

test('a download that is not wanted any more is closed', async () => {
  const repository = as('machine');
  await repository.upload('plain', content(bytes(24_000_000)), { contentEncoding: '' });
  const connections = () =>
    new Promise<number>((resolve) => server.server.server.getConnections((_error, count) => resolve(count)));
  await sleep(50);
  const before = await connections();
  for (const read of [true, false]) {
    const got = await repository.download('plain', 'latest');
    if (read) await got.content.next();
    await got.content.return(undefined);
  }
  await eventually('the end of both connections', async () => (await connections()) <= before);
  await repository.close();
});

test('versions that are not there, and versions that cannot be', async () => {
  const repository = as('machine');
  const missing = await failureOf(repository.download('plain', '99'));
  assert.is(missing.code, 'unknown-version');
  assert.match(missing.message, /version 99 of the collection "plain"/);
  for (const version of ['0', 'vv1', '../3', '']) {
    assert.is((await failureOf(repository.download('plain', version))).code, 'usage', version);
  }
  await repository.close();
});

test('wrong passwords', async () => {
  const repository = repositoryAt(server.urls[0] ?? '', {
    credentials: { kind: 'password', username: 'machine', password: 'admin-password' },
  });
  const failure = await failureOf(repository.whoami());
  assert.is(failure.code, 'not-authenticated');
  assert.match(failure.message, /log in as "machine".*incorrect Username or Password/);
  await repository.close();
});

test('health, with and without its code, needs no session', async () => {
  const repository = repositoryAt(server.urls[0] ?? '');
  const { healthy, checks } = await repository.health('well', HEALTH_CODE);
  assert.is(healthy, false);
  assert.ok(checks.some(({ name, status }) => name === 'VersionsExistValidator' && !status));
  assert.is((await failureOf(repository.health('well', 'very-secret-code'))).code, 'not-authorized');
  assert.is((await failureOf(repository.health('nowhere'))).code, 'unknown-version');
  await repository.close();
});

test('the ledger: claimed once, renewed, finished, then done', async () => {
  const repository = as('machine');
  const key = { namespace: 'ns', name: 'restore', runId: randomUUID(), holder: 'a' };
  const claim = { operation: 'restore', leaseSeconds: 30 } as const;
  assert.is((await repository.claim('ledger', key, claim)).outcome, 'claimed');
  assert.is((await repository.claim('ledger', { ...key, holder: 'b' }, claim)).outcome, 'running');
  await repository.renew('ledger', key, 30);
  assert.is(
    (await failureOf(repository.renew('ledger', { ...key, holder: 'b' }, 30))).code,
    'action-refused',
  );
  await repository.finish('ledger', key, { state: 'done', versionNumber: 3 });
  assert.is((await repository.claim('ledger', { ...key, holder: 'b' }, claim)).outcome, 'done');
  await repository.close();
});

test.run();
