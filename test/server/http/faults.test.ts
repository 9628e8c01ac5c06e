/** The original's messages about what goes wrong behind the API, which the suite cannot bring about from outside. */
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Collection } from '../../../src/server/configuration/configuration.ts';
import { safeUrl } from '../../../src/server/http/logging.ts';
import { AlreadyExists, MetadataUnavailable } from '../../../src/server/metadata/metadata.ts';
import { StorageError } from '../../../src/server/storage/storage.ts';
import { Inspection } from '../../../src/server/versions/inspection.ts';
import { eventually } from '../../eventually.ts';
import { begin, call, underWay } from './client.ts';
import { ACCOUNTS, collection, PASSWORD } from './documents.ts';
import { configurationOf, type InProcess, openReplicas } from './in-process.ts';
import { sqliteAndFolder } from './sqlite-folder.ts';
import { armoured, json, refused, tokenRefused } from './world.ts';

const STREAM = 'cannot upload version. cannot upload file, cannot copy stream, error: ';
const test = suite('faults behind the API');
const documents = [
  ...ACCOUNTS,
  ...['c', 'keyed', 'strategy', 'limits', 'late'].map((name) => collection(name)),
  collection('kept', { maxBackupsCount: 1 }),
];
const configuration = configurationOf(documents);
const repairs: (() => unknown)[] = [];
let target: InProcess;
/** The address of another server over the same engines, which gives up on a storage that takes longer than half a second. */
let impatient: string;
let token = '';

const path = (id: string, address = target.urls[0]) =>
  `${address}/api/stable/repository/collection/${id}/version`;
const upload = (id = 'c') => call('POST', path(id), { token, body: armoured() });
const logIn = () =>
  call('POST', `${target.urls[0]}/api/stable/auth/login`, json({ username: 'admin', password: PASSWORD }));

/** Lets a method fail until the end of the test. */
function replace<Owner extends object>(owner: Owner, name: keyof Owner, method: unknown): void {
  const before = owner[name];
  owner[name] = method as never;
  repairs.push(() => {
    owner[name] = before;
  });
}

test.before(async () => {
  const settings = {
    rateLimits: { default: 0, auth: 0, collectionHealth: 0, serverHealth: 0 },
    openMetrics: true,
    // Nobody waits for it but a client that does not hang up.
    hangUpGraceMs: 30_000,
  };
  const openWith = openReplicas(async () => [await sqliteAndFolder()], { alone: true, configuration });
  target = await openWith(documents, settings);
  impatient = await target.beside({ ...settings, storageTimeoutMs: 500 });
  token = ((await logIn()).json as { data: { token: string } }).data.token;
});
test.after.each(() => {
  for (const repair of repairs.splice(0).reverse()) repair();
});
test.after(async () => {
  await target?.close();
});

test('the number of the version cannot be had', async () => {
  replace(target.metadata.versions, 'nextNumber', async () => {
    throw new MetadataUnavailable('down');
  });
  refused(await upload(), 500, 'cannot increment version. The database does not answer', 'cannot-increment');
});

test('a rotation strategy, or limits, that nobody understands', async () => {
  // The schema lets neither pass: only a provider with a fault of its own could.
  for (const [id, odd] of [
    ['strategy', { strategyName: 'unheard-of' }],
    ['limits', { maxOneVersionSize: 'much' }],
  ] as const) {
    const collections = configuration.current().collections as Map<string, Collection>;
    const before = collections.get(id) as Collection;
    collections.set(id, { id, spec: { ...before.spec, ...odd } as never });
    repairs.push(() => collections.set(id, before));
  }
  const strategy = 'internal error while trying to create rotation strategy. Check server logs';
  refused(await upload('strategy'), 500, strategy, 'rotation-unknown');
  const answer = await upload('limits');
  assert.is(answer.status, 500);
  assert.match((answer.json as { error: string }).error, /^cannot construct validators /);
});

test('a configuration that changes while an upload runs: rotation keeps what shall be kept by its end', async () => {
  const collections = configuration.current().collections as Map<string, Collection>;
  const before = collections.get('kept') as Collection;
  repairs.push(() => collections.set('kept', before));
  const stored = async () =>
    (await target.metadata.versions.list('kept')).map(({ versionNumber }) => versionNumber);
  const during = async (change: () => void) => {
    const headers = { 'content-length': String(armoured().length) };
    const { outgoing, promise } = await underWay(path('kept'), { token, headers });
    change();
    outgoing.end(armoured());
    assert.is((await promise).status, 200);
  };
  await upload('kept');
  await during(() => collections.set('kept', { ...before, spec: { ...before.spec, maxBackupsCount: 3 } }));
  assert.equal(await stored(), [1, 2], 'more shall stay than when it began');
  collections.set('kept', before);
  await during(() => collections.delete('kept'));
  assert.equal(await stored(), [1, 2, 3], 'nobody says any more what shall go');
  collections.set('kept', before);
  await during(() => {});
  assert.equal(await stored(), [4]);
});

test('versions cannot be listed', async () => {
  replace(target.metadata.versions, 'list', async () => {
    throw new MetadataUnavailable('down');
  });
  const message = 'cannot list versions, listing error. Check server logs';
  refused(await call('GET', path('c'), { token }), 500, message, 'cannot-list');
});

test('the storage fails, or says that it has written something else', async () => {
  replace(target.storage, 'put', async () => {
    throw new StorageError('s3.example.org said no');
  });
  refused(await upload(), 500, `${STREAM}storage error`, 'storage-failed');
  replace(target.storage, 'put', async (_key: string, content: AsyncIterable<unknown>) => {
    for await (const _ of content);
    return 1;
  });
  refused(await upload(), 500, `${STREAM}storage error`, 'storage-failed');
});

test('the storage is full', async () => {
  replace(target.storage, 'put', async () => {
    throw new StorageError('ENOSPC', { full: true });
  });
  refused(await upload(), 507, `${STREAM}storage error: there is no space left`, 'storage-full');
});

test('the version cannot be registered: nothing is there, nothing is removed', async () => {
  const before = await target.metadata.versions.list('c');
  replace(target.metadata.versions, 'register', async () => {
    throw new Error('a constraint');
  });
  const message = 'the uploaded version could not be registered. Check server logs';
  refused(await upload(), 500, message, 'cannot-register');
  assert.equal(await target.metadata.versions.list('c'), before);
});

test('a digest that is none', async () => {
  const headers = { 'repr-digest': 'sha-256=:x:' };
  const answer = await call('POST', path('c'), { token, body: armoured(), headers });
  assert.is(answer.status, 400);
  assert.match((answer.json as { error: string }).error, /^Repr-Digest cannot be read: /);
});

test('the client that breaks off, in words', async () => {
  const content = new PassThrough();
  const inspection = new Inspection(content, { mostBytes: 1000, allowUnencrypted: false });
  content.write(armoured().slice(0, 30));
  setImmediate(() => content.destroy());
  const error = await buffer(inspection).then(
    () => new Error('it was taken for complete'),
    (reason: Error) => reason,
  );
  assert.is(error.message, `${STREAM}upload was cancelled`);
});

test('the storage hangs', async () => {
  replace(
    target.storage,
    'put',
    (_key: string, content: { resume(): void }, { signal }: { signal: AbortSignal }) => {
      content.resume();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
  );
  const reason = 'context deadline exceeded, probably hit a Storage I/O timeout or Request timeout';
  refused(
    await call('POST', path('c', impatient), { token, body: armoured() }),
    500,
    `${STREAM}${reason}`,
    'storage-timeout',
  );
});

test('clients that hang up: nobody reads the answer, the figures tell', async () => {
  const inMiddle = await underWay(path('late'), { token });
  inMiddle.outgoing.write(armoured().slice(0, 20));
  await sleep(150);
  inMiddle.outgoing.destroy();
  await failureOf('cancelled');
  // "upload cancelled by client after the body was written": within the grace.
  const atEnd = begin('POST', path('late'), { token, headers: { 'transfer-encoding': 'chunked' } });
  atEnd.outgoing.end(armoured());
  await sleep(100);
  atEnd.outgoing.destroy();
  await failureOf('cancelled-late');
  assert.is((await upload('late')).status, 200);
});

test('the same token twice', async () => {
  replace(target.metadata.sessions, 'create', async () => {
    throw new AlreadyExists('there is one');
  });
  const answer = await logIn();
  assert.is(answer.status, 500);
  assert.is((answer.json as { error: string }).error, 'too short interval between login attempts');
});

test('forms that are none: a mistake of the client', async () => {
  const url = `${target.urls[0]}/api/stable/auth/login`;
  for (const type of ['multipart/form-data', 'multipart/form-data; boundary=b']) {
    const answer = await call('POST', url, { body: 'x', headers: { 'content-type': type } });
    assert.is(answer.status, 400, type);
  }
  const form = '--b\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n1\r\n--b--\r\n';
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  assert.is((await call('POST', url, { body: form, headers })).status, 400);
  tokenRefused(await call('POST', url, { body: '--b--\r\n', headers }), 401, 'missing Username or Password');
});

test('names that lead out, or mean something to the language, lead nowhere', async () => {
  for (const id of ['..%2f..%2fetc', 'c%2f..%2fkeyed', 'c%00', '__proto__', 'constructor', 'C']) {
    refused(await call('GET', path(id), { token }), 404, 'cannot find specified collection');
    const user = `${target.urls[0]}/api/stable/auth/user/${id}`;
    assert.is((await call('GET', user, { token })).status, 404, id);
  }
});

test('the log holds no token, wherever in the address it stands', () => {
  const [, claims] = token.split('.');
  for (const url of [`/whoami?token=${token}`, `/user/${token}`, `/logout?sessionId=${token}&userName=a`])
    assert.not.ok(safeUrl(url).includes(claims ?? '-'), url);
  assert.is(safeUrl('/logout?sessionId=abc'), '/logout?sessionId=abc');
});

test('methods that a page does not have, whatever their body', async () => {
  for (const method of ['TRACE', 'PATCH', 'PUT']) {
    const body =
      method === 'TRACE' ? {} : { body: 'x', headers: { 'content-type': 'application/octet-stream' } };
    const answer = await call(method, path('c'), { token, ...body });
    assert.is(answer.status, 405, method);
    assert.match(answer.headers.allow ?? '', /POST/);
  }
});

async function failureOf(reason: string): Promise<void> {
  const line = `backup_repository_upload_failures_total{collection="late",reason="${reason}"} 1`;
  await eventually(`an upload that failed with ${reason}`, async () =>
    (await call('GET', `${target.urls[0]}/metrics`)).bytes.includes(line),
  );
}

test.run();
