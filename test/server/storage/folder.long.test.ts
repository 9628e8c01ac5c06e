/** The storage in a folder: what every engine does, and what is the folder's own. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/api/problem.ts';
import { openStorage } from '../../../src/server/storage/open-storage.ts';
import { type ObjectStorage, StorageError } from '../../../src/server/storage/storage.ts';
import { addBehaviour, content, failure, keys, unique } from './behaviour.ts';

const folder = mkdtempSync(join(tmpdir(), 'storage-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const root = join(folder, 'made by/the storage');
const signal = new AbortController().signal;
let storage: ObjectStorage;

const test = suite('storage in a folder');
test.before(async () => {
  storage = await openStorage(`${pathToFileURL(root)}?create_dir=true&metadata=skip`);
});
addBehaviour(test, { storage: () => storage, leftovers: async () => readdirSync(join(root, '.tmp')) });

test('files and folders are for their owner alone, whatever the process allows others', async () => {
  const before = process.umask(0);
  try {
    const key = 'private/of/ours';
    await storage.put(key, Readable.from(['x']), { signal });
    assert.is(statSync(join(root, key)).mode & 0o777, 0o600);
    for (const path of ['', '.tmp', 'private', 'private/of'])
      assert.is(statSync(join(root, path)).mode & 0o777, 0o700);
  } finally {
    process.umask(before);
  }
});

test('keys are paths below the folder', async () => {
  await storage.put('iwa-ait/iwa-ait-32.tar.gz', Readable.from(['x']), { signal });
  assert.is(statSync(join(root, 'iwa-ait/iwa-ait-32.tar.gz')).size, 1);
});

test('a folder that the original has written can be read', async () => {
  mkdirSync(join(root, 'old'));
  writeFileSync(join(root, 'old/backup-1.tar.gz'), 'dump');
  assert.is((await content(storage, 'old/backup-1.tar.gz')).toString(), 'dump');
  assert.ok((await keys(storage)).includes('old/backup-1.tar.gz'));
});

test('sweeping removes what is older, and only from among the unfinished', async () => {
  const old = join(root, '.tmp/old');
  const young = join(root, '.tmp/young');
  for (const path of [old, young]) writeFileSync(path, 'half');
  utimesSync(old, 1000, 1000);
  const key = unique();
  await storage.put(key, Readable.from(['x']), { signal });
  utimesSync(join(root, key), 1000, 1000);
  assert.is(await storage.sweep(2_000_000), 1);
  assert.equal(readdirSync(join(root, '.tmp')), ['young']);
  assert.is(await storage.sweep(Date.now() + 1000), 1);
  assert.is(await storage.size(key), 1);
});

test('a folder is no object, nor is what stands in the way of one', async () => {
  await storage.put('way/to', Readable.from(['x']), { signal });
  assert.is(await storage.size('way'), undefined);
  assert.is(await storage.size('way/to/go'), undefined);
  const error = await failure(storage.put('way/to/go', Readable.from(['x']), { signal }));
  assert.instance(error, StorageError);
  assert.equal(readdirSync(join(root, '.tmp')), []);
});

test('a folder that somebody tidied away is made again', async () => {
  const key = unique('tidy');
  await storage.put(key, Readable.from(['x']), { signal });
  rmSync(join(root, 'tidy'), { recursive: true });
  const next = unique('tidy');
  const first = await storage.put(next, Readable.from(['x']), { signal }).catch((error: unknown) => error);
  // At most one upload pays for it.
  if (first instanceof Error) await storage.put(next, Readable.from(['x']), { signal });
  assert.is(await storage.size(next), 1);
});

test('says that the folder is gone', async () => {
  const path = join(folder, 'gone');
  const gone = await openStorage(path);
  rmSync(path, { recursive: true });
  const works = [
    () => gone.check(1000),
    () => gone.put('a', Readable.from(['x']), { signal }),
    () => gone.sweep(0),
    () => keys(gone),
  ];
  for (const work of works) {
    const error = await failure(work());
    assert.instance(error, StorageError);
    assert.match(error.message, /gone/);
  }
});

test('refuses folders that cannot be used', async () => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  for (const url of [
    join(folder, 'file'),
    join(folder, 'dangling'),
    '/proc/nothing',
    '/dev/null/folder',
    'file://host/folder',
  ]) {
    assert.instance(await failure(openStorage(url)), UserError, url);
  }
});

test('refuses storages of other kinds, and says which there are', async () => {
  for (const url of ['gs://bucket', 'azblob://container', 'mem://', '']) {
    const error = await failure(openStorage(url));
    assert.instance(error, UserError, url);
    assert.match(error.message, /s3:\/\/bucket/);
  }
});

test('says that it may not write', async () => {
  const path = join(folder, 'forbidden');
  const forbidden = await openStorage(path);
  chmodSync(join(path, '.tmp'), 0o500);
  const error = await forbidden.check(1000).catch((thrown: unknown) => thrown);
  // root may all the same.
  if (process.getuid?.() !== 0) assert.match((error as Error).message, /may not write/);
  chmodSync(join(path, '.tmp'), 0o700);
});

test.run();
