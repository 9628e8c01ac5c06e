/** Uploads when something fails: what is left, what is told, and that nothing is rotated for an upload that is not there. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LeaseLost, type Metadata, MetadataUnavailable } from '../../../src/server/metadata/metadata.ts';
import { StorageError } from '../../../src/server/storage/storage.ts';
import type { VersionDependencies } from '../../../src/server/versions/dependencies.ts';
import { checkVersions } from '../../../src/server/versions/integrity.ts';
import { Refused } from '../../../src/server/versions/refusals.ts';
import { Sweeper } from '../../../src/server/versions/sweeper.ts';
import { type Uploaded, upload } from '../../../src/server/versions/upload.ts';
import type { UploadBody, UploadRequest } from '../../../src/server/versions/upload-request.ts';
import { inTime } from '../../eventually.ts';
import { liveHeapBytes } from '../../live-memory.ts';
import { collection } from '../http/documents.ts';
import { configurationOf } from '../http/in-process.ts';
import { sqliteAndFolder } from '../http/sqlite-folder.ts';

const HOUR = 3_600_000;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

interface Place extends VersionDependencies {
  keys(): Promise<string[]>;
}

async function place(): Promise<Place> {
  const { metadata, storage } = await sqliteAndFolder();
  return {
    metadata,
    storage,
    clock: Date.now,
    log: quiet,
    leaseMs: 10_000,
    storageTimeoutMs: 10_000,
    keys: async () => {
      const keys: string[] = [];
      for await (const { key } of storage.list()) keys.push(key);
      return keys;
    },
  };
}

/** With a lease that has to be renewed soon, by `renew`. */
function renewing(here: Place, renew: () => Promise<boolean>): Place {
  const leases = { ...here.metadata.leases, renew };
  return { ...here, leaseMs: 60, metadata: { ...here.metadata, leases } };
}

const snapshot = configurationOf([collection('c', { maxBackupsCount: 1, allowUnencrypted: true })]).current();

function put(
  dependencies: VersionDependencies,
  content: Readable | string = 'content',
  signal = new AbortController().signal,
  more: Partial<UploadRequest> = {},
): Promise<Uploaded> {
  const stream = typeof content === 'string' ? Readable.from([Buffer.from(content)]) : content;
  return upload(
    {
      collectionId: 'c',
      snapshot,
      user: 'u',
      sessionId: 's',
      may: () => true,
      collectionNow: () => snapshot.collections.get('c'),
      open: async () => bodyOf(stream),
      signal,
      ...more,
    },
    dependencies,
  );
}

function bodyOf(content: Readable, length?: number): UploadBody {
  return {
    content,
    length,
    delimited: true,
    contentEncoding: '',
    digest: () => undefined,
    stillThere: async () => true,
  };
}

async function refusal(work: Promise<unknown>): Promise<Refused> {
  try {
    await work;
  } catch (error) {
    return error as Refused;
  }
  return assert.unreachable('it was not refused') as never;
}

/** The dependencies with another `register`. */
function registering(dependencies: Place, register: Metadata['versions']['register']): VersionDependencies {
  const { metadata } = dependencies;
  return { ...dependencies, metadata: { ...metadata, versions: { ...metadata.versions, register } } };
}

const test = suite('uploads that fail');
// Nothing here holds a socket, and timers of the server do not keep a process alive.
let alive: NodeJS.Timeout;
test.before(() => {
  alive = setInterval(() => {}, 1000);
});
test.after(() => clearInterval(alive));

test('a row that cannot be committed: the object goes, nothing is rotated, the next upload works', async () => {
  const here = await place();
  await put(here);
  for (const error of [new Error('constraint'), new LeaseLost('lost')]) {
    const failed = await refusal(put(registering(here, () => Promise.reject(error))));
    assert.is(failed.code, error instanceof LeaseLost ? 'lease-lost' : 'cannot-register');
    assert.equal(
      (await here.metadata.versions.list('c')).map(({ versionNumber }) => versionNumber),
      [1],
    );
    assert.is((await here.keys()).length, 1);
  }
  assert.is((await put(here)).version.versionNumber, 2);
});

test('a commit whose answer was lost: the version is there if its row is, and its object is never taken away', async () => {
  const here = await place();
  const committed = registering(here, async (...args) => {
    await here.metadata.versions.register(...args);
    throw new MetadataUnavailable('the connection broke');
  });
  assert.is((await put(committed)).version.versionNumber, 1);
  const unknown = registering(here, () => Promise.reject(new MetadataUnavailable('the connection broke')));
  assert.is((await refusal(put(unknown))).code, 'cannot-register');
  assert.is((await here.keys()).length, 2, 'the object stays for the sweeper to judge');
});

test('a commit of which nothing is known is not called refused, whatever else went wrong meanwhile', async () => {
  const here = await place();
  const stop = new AbortController();
  const versions = {
    ...here.metadata.versions,
    register: async (...args: Parameters<Metadata['versions']['register']>) => {
      await here.metadata.versions.register(...args);
      stop.abort(new Refused('shutting-down', 'the server is shutting down'));
      throw new MetadataUnavailable('the connection broke');
    },
    find: () => Promise.reject(new MetadataUnavailable('the connection broke')),
  };
  const away = { ...here, metadata: { ...here.metadata, versions } };
  assert.is((await refusal(put(away, 'content', stop.signal))).code, 'cannot-register');
  // The lease is lost while the database is asked what became of the commit.
  const leases = {
    ...here.metadata.leases,
    renew: async (...args: Parameters<typeof renew>) => !asked && renew(...args),
  };
  const { renew } = here.metadata.leases;
  let asked = false;
  const find = async () => {
    asked = true;
    await sleep(500);
    throw new MetadataUnavailable('the connection broke');
  };
  const slow = {
    ...away,
    leaseMs: 600,
    metadata: { ...here.metadata, leases, versions: { ...versions, find } },
  };
  assert.is((await refusal(put(slow))).code, 'cannot-register');
  assert.is((await here.metadata.versions.list('c')).length, 2);
});

test('a storage that fails, is full or hangs; a source that breaks; a server that stops', async () => {
  const here = await place();
  const failing = (error: Error) => ({
    ...here,
    storage: { put: () => Promise.reject(error), remove: async () => {} } as never,
  });
  assert.is((await refusal(put(failing(new StorageError('broken'))))).code, 'storage-failed');
  assert.is((await refusal(put(failing(new StorageError('full', { full: true }))))).code, 'storage-full');
  const endless = () => new Readable({ read() {} });
  assert.is((await refusal(put({ ...here, storageTimeoutMs: 50 }, endless()))).code, 'storage-timeout');
  const breaking = endless();
  setTimeout(() => breaking.destroy(new Error('reset')), 20);
  assert.is((await refusal(put(here, breaking))).code, 'cancelled');
  const gone = endless();
  gone.destroy();
  assert.is((await refusal(put(here, gone))).code, 'cancelled');
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Refused('shutting-down', 'the server is shutting down')), 20);
  assert.is((await refusal(put(here, endless(), stop.signal))).code, 'shutting-down');
  assert.equal(await here.keys(), []);
  assert.is((await put(here)).version.versionNumber, 1);
});

test('a lease that another replica took over: the upload stops', async () => {
  const here = await place();
  const stolen = renewing(here, async () => false);
  assert.is((await refusal(put(stolen, new Readable({ read() {} })))).code, 'lease-lost');
  const silent = renewing(here, () => Promise.reject(new MetadataUnavailable('away')));
  assert.is((await refusal(put(silent, new Readable({ read() {} })))).code, 'lease-lost');
  assert.equal(await here.keys(), []);
});

test('a body that does not begin: the upload is given up, whatever ends it', async () => {
  const here = await place();
  const stolen = renewing(here, async () => false);
  const stop = new AbortController();
  const heard: boolean[] = [];
  /** Fails late, when nobody waits for it any more: that must not end the process. */
  const open = (signal: AbortSignal) =>
    new Promise<UploadBody>((_, reject) => {
      const end = () => {
        heard.push(true);
        setTimeout(() => reject(new Error('the client hung up')), 10);
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
      setTimeout(() => stop.abort(new Refused('idle', 'Request took too long')), 50);
    });
  const { signal } = new AbortController();
  for (const [code, its, dependencies] of [
    ['idle', stop.signal, here],
    ['lease-lost', signal, stolen],
    ['storage-timeout', signal, { ...here, storageTimeoutMs: 50 }],
  ] as const) {
    const given = await refusal(inTime(5000, put(dependencies, '', its, { open })));
    assert.is(given.code, code);
    assert.is((await put(here)).version.filesize, 7, 'the next one can come at once');
  }
  assert.equal(heard, [true, true, true], 'who reads the form is told as well');
  await sleep(50);
});

test('a storage learns how long the content is, or may become', async () => {
  const here = await place();
  const told: object[] = [];
  const telling = {
    ...here,
    storage: {
      put: (key: string, source: Readable, options: { signal: AbortSignal }) => {
        const { signal: _, ...lengths } = options;
        told.push(lengths);
        return here.storage.put(key, source, options);
      },
      remove: async () => {},
    } as never,
  };
  await put(telling);
  const known = bodyOf(Readable.from([Buffer.from('content')]), 7);
  await put(telling, '', new AbortController().signal, { open: async () => known });
  const mostBytes = 20 * 1024 ** 2;
  assert.equal(told, [{ mostBytes }, { mostBytes, expectedBytes: 7 }]);
});

test('a limit of more time than a timer can have is not one of no time', async () => {
  const here = await place();
  assert.is((await put({ ...here, storageTimeoutMs: 1000 * HOUR })).version.versionNumber, 1);
});

test('rotation that fails does not undo the upload', async () => {
  const here = await place();
  await put(here);
  const versions = { ...here.metadata.versions, softDelete: () => Promise.reject(new Error('no')) };
  const { version, rotated } = await put({ ...here, metadata: { ...here.metadata, versions } });
  assert.is(version.versionNumber, 2);
  assert.equal(rotated, []);
  assert.is((await put(here)).rotated.length, 2, 'the next one makes up for it');
});

test('the sweeper removes what is not needed, and never what a lost database could have known', async () => {
  const here = await place();
  let now = Date.now();
  const later = { ...here, clock: () => now };
  const settings = { intervalMs: HOUR, leftoverAgeMs: HOUR, orphanAgeMs: HOUR, alone: true };
  const { signal } = new AbortController();
  const store = (key: string) => here.storage.put(key, Readable.from([Buffer.from('x')]), { signal });
  // Older than every version: a database that was made anew would look just the same.
  await store('c/1-0123456789ab-of-a-lost-database');
  await sleep(20);
  await put(here);
  await store('c/9-0123456789ab-of-a-newer-database');
  await store('other/1-0123456789ab-of-an-unknown-collection');
  await store('c/not-ours');
  await put(here);
  const sweeper = new Sweeper(later, settings);
  assert.equal(
    await sweeper.sweep(true),
    { objects: 1, leftovers: 0, orphans: 0, sessions: 0 },
    'the rotated version',
  );
  // A file system may round the time of writing down to its clock's last tick; on a tie the sweeper keeps.
  await sleep(50);
  await store('c/2-0123456789ab-orphan');
  assert.is((await sweeper.sweep(false))?.orphans, 0, 'too young');
  // Rotation leaves only a version that is newer than the orphan.
  await put(here);
  now += 3 * HOUR;
  assert.is((await sweeper.sweep(false))?.orphans, 1);
  assert.equal((await here.keys()).filter((key) => /orphan|lost|newer|unknown|not-ours/.test(key)).sort(), [
    'c/1-0123456789ab-of-a-lost-database',
    'c/9-0123456789ab-of-a-newer-database',
    'c/not-ours',
    'other/1-0123456789ab-of-an-unknown-collection',
  ]);
  const busy = await here.metadata.leases.acquire('sweep', 10_000);
  assert.is(await sweeper.sweep(false), undefined, 'another replica is at it');
  if (busy) await here.metadata.leases.release(busy);
});

test('a sweeper that removes versions for years holds on to nothing of it', async () => {
  const here = await place();
  const storage = { remove: async () => {} } as never;
  const versions = { ...here.metadata.versions, removed: async () => {} };
  const settings = { intervalMs: HOUR, leftoverAgeMs: HOUR, orphanAgeMs: HOUR, alone: true };
  const sweeper = new Sweeper({ ...here, storage, metadata: { ...here.metadata, versions } }, settings);
  const { version } = await put(here);
  const remove = async (times: number) => {
    for (let count = 0; count < times; count++) {
      sweeper.remove([version]);
      await new Promise(setImmediate);
    }
  };
  await remove(1000);
  const before = liveHeapBytes();
  await remove(20_000);
  const more = liveHeapBytes() - before;
  assert.ok(more < 1_000_000, `${more} bytes more`);
  await sweeper.stop();
});

test('check tells intact, damaged and missing versions apart', async () => {
  const here = await place();
  const one = (await put(here)).version;
  const states = async () => {
    const found: string[] = [];
    for await (const { state } of checkVersions(here, { signal: new AbortController().signal }))
      found.push(state);
    return found;
  };
  assert.equal(await states(), ['intact']);
  await here.storage.remove(one.objectKey);
  assert.equal(await states(), ['missing']);
  await here.storage.put(one.objectKey, Readable.from([Buffer.from('c0ntent')]), {
    signal: new AbortController().signal,
  });
  assert.equal(await states(), ['damaged']);
});

test('check does not miss what was deleted while it ran', async () => {
  const here = await place();
  const roomy = configurationOf([collection('c', { maxBackupsCount: 9, allowUnencrypted: true })]).current();
  const { signal } = new AbortController();
  const more = { collectionNow: () => roomy.collections.get('c') };
  for (const content of ['one', 'two', 'three']) await put(here, content, signal, more);
  for (const only of [{}, { collectionId: 'c' }]) {
    const checking = checkVersions(here, { ...only, signal });
    const first = (await checking.next()).value;
    assert.is(first?.state, 'intact');
    // What was listed already, and rotated away before its turn came.
    const next = (await here.metadata.versions.list('c'))[1];
    assert.ok(next);
    await here.metadata.versions.softDelete([next.id], Date.now());
    await here.storage.remove(next.objectKey);
    const found: number[] = [];
    for await (const { version, state } of checking) {
      assert.is(state, 'intact');
      found.push(version.versionNumber);
    }
    assert.not.ok(found.includes(next.versionNumber));
  }
});

test.run();
