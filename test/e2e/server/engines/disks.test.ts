/** The embedded engines on real disks: full, read-only, and a process killed in the middle. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MetadataUnavailable } from '../../../../src/server/metadata/metadata.ts';
import { openMetadata } from '../../../../src/server/metadata/open-metadata.ts';
import { openStorage } from '../../../../src/server/storage/open-storage.ts';
import { StorageError } from '../../../../src/server/storage/storage.ts';
import { PATIENCE_MS } from '../../../eventually.ts';
import { leaseOn, unique, versionOf } from '../../../server/metadata/behaviour.ts';
import { failure, keys, streamOf } from '../../../server/storage/behaviour.ts';
import { folder, inChild, smallDisk } from './processes.ts';

const MIB = 1024 * 1024;
const live = () => new AbortController().signal;

const test = suite('embedded engines on a disk');

test('a full folder refuses an upload, keeps what it has, and takes the next when there is room', async () => {
  const disk = smallDisk(8 * MIB);
  const storage = await openStorage(disk.path);
  await storage.put('a/first', streamOf(Buffer.alloc(3 * MIB, 1)), { signal: live() });
  const source = streamOf(Buffer.alloc(20 * MIB, 2));
  const error = await failure(storage.put('a/second', source, { signal: live() }));
  assert.instance(error, StorageError);
  assert.is((error as StorageError).full, true);
  assert.match(error.message, /full/);
  assert.not.ok(source.destroyed);
  assert.equal(readdirSync(join(disk.path, '.tmp')), []);
  assert.equal(await keys(storage), ['a/first']);
  assert.is(await storage.put('a/third', streamOf(Buffer.alloc(4 * MIB, 3)), { signal: live() }), 4 * MIB);
});

test('several uploads that fill the disk together fail or succeed, each as a whole', async () => {
  const disk = smallDisk(16 * MIB);
  const storage = await openStorage(disk.path);
  const puts = Array.from({ length: 4 }, (_, i) =>
    storage.put(`a/${i}`, streamOf(Buffer.alloc(6 * MIB, i)), { signal: live() }),
  );
  const outcomes = await Promise.allSettled(puts);
  const stored = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [`a/${i}`] : []));
  assert.ok(stored.length < 4);
  assert.equal((await keys(storage)).sort(), stored);
  for (const key of stored) assert.is(await storage.size(key), 6 * MIB);
  assert.equal(readdirSync(join(disk.path, '.tmp')), []);
});

test('a read-only folder says so, and can still be read', async () => {
  const disk = smallDisk(8 * MIB);
  const storage = await openStorage(disk.path);
  await storage.put('a/first', Readable.from(['x']), { signal: live() });
  disk.readOnly();
  for (const work of [
    () => storage.put('a/second', Readable.from(['x']), { signal: live() }),
    () => storage.remove('a/first'),
    () => storage.check(PATIENCE_MS),
  ]) {
    assert.match((await failure(work())).message, /read-only/);
  }
  assert.is(await storage.size('a/first'), 1);
});

test('a database on a full disk says so, keeps what it has, and goes on when there is room', async () => {
  const disk = smallDisk(2 * MIB);
  const metadata = await openMetadata(`sqlite://${disk.path}/metadata.db`);
  await metadata.migrate();
  const collection = unique();
  const lease = await leaseOn(metadata, collection);
  await metadata.versions.register(versionOf(collection, 1), lease, 1);
  const filler = join(disk.path, 'filler');
  try {
    writeFileSync(filler, Buffer.alloc(2 * MIB));
  } catch {
    // As full as it can be.
  }
  let error: unknown;
  let number = 2;
  for (; error === undefined && number < 2000; number++) {
    error = await metadata.versions.register(versionOf(collection, number), lease, 1).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  }
  assert.instance(error, MetadataUnavailable);
  assert.match((error as Error).message, /full/);
  const kept = number - 2;
  assert.is((await metadata.versions.list(collection)).length, kept);
  rmSync(filler);
  await metadata.versions.register(versionOf(collection, kept + 1), lease, 1);
  assert.is((await metadata.versions.list(collection)).length, kept + 1);
  await metadata.close();
});

test('a database on a read-only disk says so', async () => {
  const disk = smallDisk(4 * MIB);
  const url = `sqlite://${disk.path}/metadata.db`;
  const metadata = await openMetadata(url);
  await metadata.migrate();
  await metadata.close();
  disk.readOnly();
  const error = await failure(openMetadata(url).then((opened) => opened.migrate()));
  assert.instance(error, MetadataUnavailable);
  assert.match(error.message, /read-only|cannot be opened/);
});

test('a server that is killed in the middle of an upload leaves nothing visible, and a sweep removes the rest', async () => {
  const root = folder();
  const { signal, stderr } = await inChild('put-forever.ts', [root, 'a/killed'], (printed) =>
    printed.includes('half'),
  );
  assert.is(signal, 'SIGKILL', stderr);
  const storage = await openStorage(root);
  assert.equal(await keys(storage), []);
  assert.is(await storage.size('a/killed'), undefined);
  assert.is(readdirSync(join(root, '.tmp')).length, 1);
  assert.is(await storage.sweep(Date.now() - 60_000), 0);
  assert.is(await storage.sweep(Date.now() + 1000), 1);
  assert.equal(readdirSync(join(root, '.tmp')), []);
});

test('eight uploads of 100 MB at once take little memory', async () => {
  const { code, stdout, stderr } = await inChild('put-many.ts', [folder(), '8', '100']);
  assert.is(code, 0, stderr);
  const { before, after, rate } = JSON.parse(stdout);
  console.log(`  folder: ${rate} MB/s in 8 uploads, memory ${before} MiB before, ${after} MiB at its peak`);
  // Eight pairs of blocks, and what Node.js has not collected yet.
  assert.ok(after - before < 150, `${after - before} MiB more than before`);
});

test.run();
