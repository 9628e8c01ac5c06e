/** What every engine of the storage must do, told once: each engine's test file runs all of it. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { ObjectNotFound, type ObjectStorage, StorageError } from '../../../src/server/storage/storage.ts';

export interface Engine {
  storage(): ObjectStorage;
  /** What unfinished uploads have left at present. */
  leftovers(): Promise<string[]>;
}

const MIB = 1024 * 1024;
const live = () => new AbortController().signal;

export const unique = (prefix = 'it') => `${prefix}/${randomUUID()}`;

/** A stream of these bytes, in pieces of at most so many. */
export function streamOf(bytes: Buffer, piece = 65_536): Readable {
  return Readable.from(
    (function* () {
      for (let start = 0; start < bytes.length; start += piece) yield bytes.subarray(start, start + piece);
    })(),
    { objectMode: false },
  );
}

export async function content(
  storage: ObjectStorage,
  key: string,
  range?: { start: number; end: number },
): Promise<Buffer> {
  return buffer(await storage.get(key, { ...(range && { range }), signal: live() }));
}

export async function keys(storage: ObjectStorage): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of storage.list()) found.push(key);
  return found;
}

export async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, Error);
    return error as Error;
  }
  return assert.unreachable('expected a failure') as never;
}

function same(a: Buffer, b: Buffer, message: string): void {
  const digest = (bytes: Buffer) => `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
  assert.is(digest(a), digest(b), message);
}

export function addBehaviour(test: Test, { storage, leftovers }: Engine): void {
  /** Nothing is visible under the key, and nothing is left of it elsewhere. */
  const isClean = async (key: string) => {
    assert.is(await storage().size(key), undefined);
    assert.instance(await failure(storage().get(key, { signal: live() })), ObjectNotFound);
    assert.not.ok((await keys(storage())).includes(key));
    assert.equal(await leftovers(), []);
  };

  for (const [name, bytes] of [
    ['nothing', 0],
    ['one byte', 1],
    ['one byte less than a part', 5 * MIB - 1],
    ['a part', 5 * MIB],
    ['one byte more than a part', 5 * MIB + 1],
    ['two parts', 10 * MIB],
    ['several parts', 23 * MIB + 17],
  ] as const) {
    test(`an object of ${name} comes back as it was`, async () => {
      const key = unique();
      const expected = randomBytes(bytes);
      assert.is(await storage().put(key, streamOf(expected), { signal: live() }), bytes);
      assert.is(await storage().size(key), bytes);
      same(await content(storage(), key), expected, name);
      assert.equal(await leftovers(), []);
      await storage().remove(key);
    });
  }

  test('pieces of any size arrive in order, also if the length was announced wrongly', async () => {
    const key = unique();
    const expected = randomBytes(6 * MIB);
    const pieces = function* () {
      yield '';
      for (let start = 0, size = 1; start < expected.length; start += size, size = (size * 7) % 300_007) {
        yield expected.subarray(start, start + size);
      }
    };
    await storage().put(key, Readable.from(pieces()), { signal: live(), expectedBytes: 100 });
    same(await content(storage(), key), expected, 'odd pieces');
  });

  test('a client that sends single bytes is served', async () => {
    const key = unique();
    const expected = randomBytes(20_000);
    await storage().put(key, streamOf(expected, 1), { signal: live() });
    same(await content(storage(), key), expected, 'single bytes');
  });

  test('text is stored as UTF-8', async () => {
    const key = unique();
    await storage().put(key, Readable.from(['größe', '\u{1f4be}']), { signal: live() });
    assert.is((await content(storage(), key)).toString(), 'größe\u{1f4be}');
  });

  test('ranges give exactly their bytes', async () => {
    const key = unique();
    const expected = randomBytes(300_000);
    await storage().put(key, streamOf(expected), { signal: live() });
    for (const [start, end] of [
      [0, 0],
      [0, 299_999],
      [299_999, 299_999],
      [65_535, 65_537],
      [100, 250_000],
    ] as const) {
      same(
        await content(storage(), key, { start, end }),
        expected.subarray(start, end + 1),
        `${start}-${end}`,
      );
    }
    same(await content(storage(), key, { start: 299_990, end: 999_999 }), expected.subarray(299_990), 'cut');
    for (const start of [300_000, 300_001]) {
      const error = await failure(storage().get(key, { range: { start, end: 400_000 }, signal: live() }));
      assert.instance(error, RangeError);
    }
  });

  test('what is not there is not found, and can be removed', async () => {
    await isClean(unique());
    await isClean(`${unique()}/deeper/still`);
    await storage().remove(unique());
    await storage().remove(`${unique()}/deeper/still`);
  });

  test('a removed object is gone', async () => {
    const key = unique();
    await storage().put(key, streamOf(randomBytes(10)), { signal: live() });
    await storage().remove(key);
    await isClean(key);
  });

  test('an object is never replaced', async () => {
    const key = unique();
    const expected = randomBytes(1000);
    await storage().put(key, streamOf(expected), { signal: live() });
    const error = await failure(storage().put(key, streamOf(randomBytes(2000)), { signal: live() }));
    assert.instance(error, StorageError);
    assert.match(error.message, /never replaces/);
    same(await content(storage(), key), expected, 'the first one');
    assert.equal(await leftovers(), []);
  });

  test('keys that lead elsewhere are refused, by every operation', async () => {
    for (const key of [
      ...[
        '',
        '/',
        '/etc/passwd',
        'a//b',
        'a/',
        '..',
        '../x',
        'a/../b',
        'a/..',
        '.',
        './a',
        '.tmp/x',
        '.hidden',
        'a/.b',
      ],
      ...['a\0b', 'a\nb', 'a\\..\\b', '\ud800', 'x'.repeat(256), 'a/'.repeat(600)],
    ]) {
      const source = streamOf(randomBytes(10));
      const works = [
        () => storage().put(key, source, { signal: live() }),
        () => storage().get(key, { signal: live() }),
        () => storage().size(key),
        () => storage().remove(key),
      ];
      for (const work of works) {
        const error = await failure(work());
        assert.instance(error, StorageError, JSON.stringify(key));
        assert.match(error.message, /refuses a key/);
      }
    }
  });

  test('keys with unusual but honest characters work', async () => {
    const folder = randomUUID();
    for (const name of [
      'a b',
      'ü💾',
      "o'brien & sons",
      '100%25',
      'a+b?c=d#e',
      'x..y',
      '-rf',
      '$(id)',
      'v1:2;3,4@5',
    ]) {
      const key = `${folder}/${name}.tar.gz`;
      await storage().put(key, Readable.from([name]), { signal: live() });
      assert.is((await content(storage(), key)).toString(), name);
    }
    assert.is((await keys(storage())).filter((key) => key.startsWith(folder)).length, 9);
  });

  for (const megabytes of [0, 1, 12]) {
    test(`a source that fails after ${megabytes} MiB leaves nothing, and its own error`, async () => {
      const key = unique();
      const failing = new Error('the disk of the sender burns');
      const source = Readable.from(
        (async function* () {
          for (let i = 0; i < megabytes; i++) yield randomBytes(MIB);
          await sleep(5);
          throw failing;
        })(),
        { objectMode: false },
      );
      assert.is(await failure(storage().put(key, source, { signal: live() })), failing);
      await isClean(key);
    });
  }

  test('a source that ends before its time leaves nothing', async () => {
    const key = unique();
    const source = new PassThrough();
    source.write(randomBytes(10_000));
    setTimeout(() => source.destroy(), 5);
    const error = await failure(storage().put(key, source, { signal: live() }));
    assert.is((error as NodeJS.ErrnoException).code, 'ERR_STREAM_PREMATURE_CLOSE');
    await isClean(key);
  });

  for (const megabytes of [0, 1, 12]) {
    test(`an abort after ${megabytes} MiB leaves nothing, although the source is silent`, async () => {
      const key = unique();
      const source = new PassThrough({ highWaterMark: 64 * MIB });
      const controller = new AbortController();
      if (megabytes > 0) source.write(randomBytes(megabytes * MIB));
      const put = storage().put(key, source, { signal: controller.signal });
      setTimeout(() => controller.abort(), 30);
      assert.instance(await failure(put), StorageError);
      assert.not.ok(source.destroyed, 'the source is its owner’s');
      await isClean(key);
      // Late errors have nobody to tell.
      source.destroy(new Error('late'));
      await sleep(1);
    });
  }

  test('an upload that was aborted before it began leaves nothing', async () => {
    const key = unique();
    const signal = AbortSignal.abort();
    assert.instance(await failure(storage().put(key, streamOf(randomBytes(10)), { signal })), StorageError);
    await isClean(key);
  });

  test('an object is invisible until it is complete', async () => {
    const key = unique();
    const source = new PassThrough();
    const put = storage().put(key, source, { signal: live() });
    source.write(randomBytes(11 * MIB));
    await sleep(50);
    assert.is(await storage().size(key), undefined);
    assert.not.ok((await keys(storage())).includes(key));
    source.end('x');
    assert.is(await put, 11 * MIB + 1);
    assert.is(await storage().size(key), 11 * MIB + 1);
  });

  test('eight uploads at once do not mix', async () => {
    const objects = Array.from({ length: 8 }, () => ({ key: unique(), bytes: randomBytes(6 * MIB + 3) }));
    await Promise.all(
      objects.map(({ key, bytes }) => storage().put(key, streamOf(bytes), { signal: live() })),
    );
    for (const { key, bytes } of objects) same(await content(storage(), key), bytes, key);
    for (const { key } of objects) await storage().remove(key);
  });

  test('a reader may stop early, or be aborted', async () => {
    const key = unique();
    await storage().put(key, streamOf(randomBytes(3 * MIB)), { signal: live() });
    const stopped = await storage().get(key, { signal: live() });
    for await (const _ of stopped) break;
    assert.ok(stopped.destroyed);

    const controller = new AbortController();
    const aborted = await storage().get(key, { signal: controller.signal });
    const error = failure(buffer(aborted));
    controller.abort();
    await error;
    assert.ok(aborted.destroyed);
  });

  test('all objects are listed, with the time they were written', async () => {
    const folder = randomUUID();
    const before = Date.now() - 2000;
    for (const name of ['a', 'b/c', 'b/d/e']) {
      await storage().put(`${folder}/${name}`, Readable.from([name]), { signal: live() });
    }
    await storage().check(5000);
    const found = [];
    for await (const entry of storage().list()) {
      assert.not.match(entry.key, /(^|\/)\./);
      if (entry.key.startsWith(folder)) found.push(entry);
    }
    assert.equal(
      found.map(({ key }) => key).sort(),
      ['a', 'b/c', 'b/d/e'].map((name) => `${folder}/${name}`),
    );
    for (const { writtenAt } of found) assert.ok(writtenAt > before && writtenAt < Date.now() + 2000);
  });

  test('a check leaves nothing behind', async () => {
    const before = (await keys(storage())).length;
    await storage().check(5000);
    assert.is((await keys(storage())).length, before);
    assert.equal(await leftovers(), []);
  });
}
