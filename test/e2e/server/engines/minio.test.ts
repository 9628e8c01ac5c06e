/** The storage on a real S3 server: what every engine does, and what only a server over a network can do wrong. */
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openStorage, type StorageOptions } from '../../../../src/server/storage/open-storage.ts';
import { type ObjectStorage, StorageError } from '../../../../src/server/storage/storage.ts';
import { eventually, inTime, PATIENCE_MS } from '../../../eventually.ts';
import { freePort } from '../../../free-port.ts';
import { addBehaviour, content, failure, keys, streamOf, unique } from '../../../server/storage/behaviour.ts';
import { answering, BadLine, type Behaviour, cut, silent } from './bad-line.ts';
import { inChild, Minio, smallDisk } from './processes.ts';

const MIB = 1024 * 1024;
const live = () => new AbortController().signal;
/** Impatient, so that these tests are quick. */
const IMPATIENT: StorageOptions = { connectTimeoutMs: 300, idleTimeoutMs: 300, attempts: 2 };
/** For a server that does answer, on however busy a machine. */
const PATIENT: StorageOptions = { connectTimeoutMs: 20_000, idleTimeoutMs: 20_000 };

let server: Minio;
let raw: S3Client;
let line: BadLine;
let storage: ObjectStorage;
let behindLine: ObjectStorage;
let patient: ObjectStorage;

const url = (port: number, bucket = 'backups', more = '&prefix=site') =>
  `s3://${bucket}?endpoint=127.0.0.1:${port}&disableSSL=true&s3ForcePathStyle=true&region=eu-central-1${more}`;

function client(port: number): S3Client {
  return new S3Client({ endpoint: `http://127.0.0.1:${port}`, region: 'eu-central-1', forcePathStyle: true });
}

async function leftovers(): Promise<string[]> {
  // MinIO lists all only without a prefix.
  const { Uploads = [] } = await raw.send(new ListMultipartUploadsCommand({ Bucket: 'backups' }));
  return Uploads.map(({ Key = '' }) => Key);
}

/** It fails as a storage does, in bounded time, and says nothing that is secret. */
async function storageError(work: Promise<unknown>, within: number): Promise<StorageError> {
  const error = await inTime(within, failure(work));
  assert.instance(error, StorageError);
  const shown = inspect(error, { depth: 10 });
  for (const secret of [server.secretKey, server.accessKey, 'wrong-secret']) assert.not.match(shown, secret);
  return error as StorageError;
}

const environment = { ...process.env };
const test = suite('storage on MinIO');
test.before(async () => {
  server = await Minio.create();
  process.env.AWS_ACCESS_KEY_ID = server.accessKey;
  process.env.AWS_SECRET_ACCESS_KEY = server.secretKey;
  raw = client(server.port);
  await raw.send(new CreateBucketCommand({ Bucket: 'backups' }));
  line = await BadLine.to(server.port);
  storage = await openStorage(url(server.port));
  behindLine = await openStorage(url(line.port), IMPATIENT);
  patient = await openStorage(url(line.port), { ...PATIENT, attempts: 6 });
});
test.before.each(() => {
  line.behaviour = {};
});
test.after(async () => {
  line.close();
  for (const opened of [storage, behindLine, patient]) await opened.close();
  raw.destroy();
  await server.stop();
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
    if (environment[name] === undefined) delete process.env[name];
    else process.env[name] = environment[name];
  }
});

addBehaviour(test, { storage: () => storage, leftovers });

test('an upload that is aborted while S3 tells its name leaves nothing', async () => {
  const controller = new AbortController();
  line.behaviour = {
    response: (bytes) => {
      if (bytes.includes('InitiateMultipartUploadResult')) controller.abort();
      return bytes;
    },
  };
  const source = new PassThrough({ highWaterMark: 64 * MIB });
  source.write(randomBytes(12 * MIB));
  await storageError(patient.put(unique(), source, { signal: controller.signal }), PATIENCE_MS);
  assert.ok(controller.signal.aborted);
  assert.equal(await leftovers(), []);
});

test('only what is below the prefix is the server’s', async () => {
  await raw.send(new PutObjectCommand({ Bucket: 'backups', Key: 'foreign/object', Body: 'x' }));
  await raw.send(new CreateMultipartUploadCommand({ Bucket: 'backups', Key: 'foreign/upload' }));
  await raw.send(new CreateMultipartUploadCommand({ Bucket: 'backups', Key: 'site/ours/upload' }));
  assert.not.ok((await keys(storage)).some((key) => key.includes('foreign')));
  assert.is(await storage.sweep(Date.now() - 60_000), 0);
  assert.is(await storage.sweep(Date.now() + 60_000), 1);
  assert.equal(await leftovers(), ['foreign/upload']);
  const all = await openStorage(url(server.port, 'backups', ''));
  assert.ok((await keys(all)).includes('foreign/object'));
  assert.is(await all.sweep(Date.now() + 60_000), 1);
  await all.close();
});

test('probes that a dead server left are swept, and are no objects', async () => {
  await raw.send(new PutObjectCommand({ Bucket: 'backups', Key: 'site/.check/old', Body: 'x' }));
  assert.not.ok((await keys(storage)).some((key) => key.includes('check')));
  assert.is(await storage.sweep(Date.now() + 60_000), 1);
});

test('more objects than one page are listed', async () => {
  const folder = unique('many');
  const names = Array.from({ length: 1005 }, (_, i) => `${folder}/${i}`);
  for (let start = 0; start < names.length; start += 50) {
    const page = names.slice(start, start + 50);
    await Promise.all(
      page.map((name) =>
        raw.send(new PutObjectCommand({ Bucket: 'backups', Key: `site/${name}`, Body: 'x' })),
      ),
    );
  }
  const found = (await keys(storage)).filter((key) => key.startsWith(folder));
  assert.is(new Set(found).size, names.length);
});

test('a server that is killed in the middle of an upload leaves nothing visible, and a sweep removes the rest', async () => {
  const key = unique('killed');
  const { signal, stderr } = await inChild('put-forever.ts', [url(server.port), key], (printed) =>
    printed.includes('half'),
  );
  assert.is(signal, 'SIGKILL', stderr);
  assert.is(await storage.size(key), undefined);
  assert.equal(await leftovers(), [`site/${key}`]);
  assert.is(await storage.sweep(Date.now() + 60_000), 1);
  assert.equal(await leftovers(), []);
});

const troubles: [string, Behaviour, RegExp][] = [
  ['is silent', silent, /did not answer in time|did not establish/],
  ['cuts every connection', cut, /connection to S3 failed/],
  ['answers 500', answering(500, 'InternalError'), /HTTP status 500/],
  ['answers 503', answering(503, 'SlowDown'), /fewer requests/],
  ['answers 403', answering(403, 'AccessDenied'), /denies access/],
];

for (const [name, behaviour, message] of troubles) {
  test(`an S3 that ${name} is reported in bounded time`, async () => {
    const key = unique('trouble');
    await storage.put(key, Readable.from(['x']), { signal: live() });
    line.behaviour = behaviour;
    for (const work of [
      () => behindLine.put(unique(), streamOf(randomBytes(10)), { signal: live() }),
      () => behindLine.get(key, { signal: live() }),
      () => behindLine.remove(key),
      () => keys(behindLine),
      () => behindLine.sweep(0),
    ]) {
      const error = await storageError(work(), 4000);
      assert.match(error.message, message, inspect(error));
    }
    const { message: late } = await storageError(behindLine.check(250), 400);
    assert.ok(late.length > 0);
    line.behaviour = {};
    await eventually('it works again', () =>
      behindLine.check(1000).then(
        () => true,
        () => false,
      ),
    );
  });

  test(`an S3 that ${name} in the middle of an upload ends it, and nothing is visible`, async () => {
    const key = unique('trouble');
    const source = new PassThrough();
    const put = storageError(behindLine.put(key, source, { signal: live() }), 8000);
    source.write(randomBytes(6 * MIB));
    await sleep(150);
    line.behaviour = behaviour;
    line.cutAll();
    source.write(randomBytes(8 * MIB));
    // The source says nothing more: a failed part alone must end the upload.
    await put;
    assert.not.ok(source.destroyed);
    line.behaviour = {};
    assert.is(await storage.size(key), undefined);
    await storage.sweep(Date.now() + 60_000);
    assert.equal(await leftovers(), []);
  });
}

test('an S3 that is not there is reported', async () => {
  const nobody = await openStorage(url(await freePort()), IMPATIENT);
  assert.match((await storageError(nobody.check(2000), 3000)).message, /refuses the connection/);
  const nowhere = await openStorage('s3://b?endpoint=s3.invalid&region=x', IMPATIENT);
  assert.match((await storageError(nowhere.check(3000), 4000)).message, /cannot be found|did not answer/);
});

test('an S3 that fails now and then loses nothing', async () => {
  const key = unique('flaky');
  const expected = randomBytes(33 * MIB);
  let requests = 0;
  line.behaviour = {
    request: (bytes, connection) => {
      const first = /^(PUT|POST|GET|HEAD|DELETE) /.test(bytes.subarray(0, 8).toString('latin1'));
      // Every third request is lost in one way or another.
      if (!first || ++requests % 3 !== 0) return bytes;
      if (requests % 2 === 0) return undefined;
      return answering(500, 'InternalError').request?.(bytes, connection);
    },
  };
  assert.is(await patient.put(key, streamOf(expected), { signal: live() }), expected.length);
  line.behaviour = {};
  assert.ok((await content(storage, key)).equals(expected));
  assert.equal(await leftovers(), []);
});

test('an upload whose last answer is lost is complete', async () => {
  for (const size of [12 * MIB, 1000]) {
    const key = unique('lost-answer');
    const expected = randomBytes(size);
    let [completing, losses] = [false, 0];
    line.behaviour = {
      request: (bytes) => {
        const start = bytes.subarray(0, 2000).toString('latin1');
        if (/^(POST|PUT|HEAD|GET|DELETE) /.test(start)) {
          completing = size > MIB ? /^POST .*uploadId=/.test(start) : start.startsWith('PUT ');
        }
        return bytes;
      },
      response: (bytes) => {
        if (!completing || losses > 0) return bytes;
        losses++;
        return undefined;
      },
    };
    assert.is(await patient.put(key, streamOf(expected), { signal: live() }), size);
    assert.is(losses, 1);
    assert.ok((await content(storage, key)).equals(expected));
    assert.equal(await leftovers(), []);
  }
});

test('a download that is cut again and again goes on where it was', async () => {
  const key = unique('cut');
  const expected = randomBytes(20 * MIB);
  await storage.put(key, streamOf(expected), { signal: live() });
  let cuts = 0;
  line.behaviour = {
    response: (bytes, connection) => {
      if (connection.received < 3 * MIB) return bytes;
      cuts++;
      return undefined;
    },
  };
  assert.ok((await content(patient, key)).equals(expected));
  assert.ok(cuts >= 6, `cut ${cuts} times`);
  const range = { start: 5, end: 12 * MIB };
  assert.ok((await content(patient, key, range)).equals(expected.subarray(5, 12 * MIB + 1)));
});

test('a download that brings nothing more fails', async () => {
  const key = unique('cut');
  await storage.put(key, streamOf(randomBytes(8 * MIB)), { signal: live() });
  const stream = await patient.get(key, { signal: live() });
  line.behaviour = { request: () => undefined, response: () => undefined };
  await storageError(buffer(stream), PATIENCE_MS);
});

test('a reader may be slower than S3 has patience', async () => {
  const key = unique('slow');
  const expected = randomBytes(16 * MIB);
  await storage.put(key, streamOf(expected), { signal: live() });
  const hash = createHash('sha256');
  let pauses = 0;
  let read = 0;
  const idleTimeoutMs = 1000;
  const hasty = await openStorage(url(line.port), { connectTimeoutMs: 20_000, idleTimeoutMs, attempts: 6 });
  for await (const chunk of await hasty.get(key, { signal: live() })) {
    hash.update(chunk);
    read += chunk.length;
    if (read > (pauses + 1) * 5 * MIB) {
      pauses++;
      await sleep(2 * idleTimeoutMs);
    }
  }
  assert.is(pauses, 3);
  assert.is(hash.digest('hex'), createHash('sha256').update(expected).digest('hex'));
  await hasty.close();
});

test('a full S3 is told from a failing one', async () => {
  line.behaviour = answering(507, 'XMinioStorageFull');
  const error = await storageError(
    behindLine.put(unique(), streamOf(randomBytes(10)), { signal: live() }),
    4000,
  );
  assert.is(error.full, true);
  const disk = smallDisk(30 * MIB);
  const small = await Minio.create(disk.path);
  const smallClient = client(small.port);
  await smallClient.send(new CreateBucketCommand({ Bucket: 'backups' }));
  const tiny = await openStorage(url(small.port));
  const key = unique();
  const full = await storageError(
    tiny.put(key, streamOf(randomBytes(64 * MIB)), { signal: live() }),
    PATIENCE_MS,
  );
  // What MinIO calls it depends on where it noticed.
  assert.match(full.message, /full|failed/);
  assert.is(await tiny.size(key), undefined);
  smallClient.destroy();
  await tiny.close();
  await small.stop();
});

test('says what is wrong with the bucket or the credentials', async () => {
  const missing = await openStorage(url(server.port, 'no-such-bucket'));
  assert.match((await storageError(missing.check(30_000), 31_000)).message, /no bucket of that name/);
  process.env.AWS_SECRET_ACCESS_KEY = 'wrong-secret';
  const wrongSecret = await openStorage(url(server.port));
  assert.match((await storageError(wrongSecret.check(30_000), 31_000)).message, /AWS_SECRET_ACCESS_KEY/);
  process.env.AWS_ACCESS_KEY_ID = 'nobody';
  const wrongKey = await openStorage(url(server.port));
  assert.match((await storageError(wrongKey.check(30_000), 31_000)).message, /does not know the access key/);
  process.env.AWS_ACCESS_KEY_ID = server.accessKey;
  process.env.AWS_SECRET_ACCESS_KEY = server.secretKey;
});

test('eight uploads of 100 MB at once take little memory', async () => {
  const { code, stdout, stderr } = await inChild('put-many.ts', [url(server.port), '8', '100']);
  assert.is(code, 0, stderr);
  const { before, after, rate } = JSON.parse(stdout);
  console.log(`  S3: ${rate} MB/s in 8 uploads, memory ${before} MiB before, ${after} MiB at its peak`);
  // Ten parts of 5 MiB, eight pairs of blocks, and what Node.js has not collected yet.
  assert.ok(after - before < 200, `${after - before} MiB more than before`);
});

test('uploads of very large versions take the memory that docs/deploy.md says', async () => {
  // Parts of 114 MiB: each upload has one of them, and never two.
  const { code, stdout, stderr } = await inChild('put-many.ts', [url(server.port), '2', '900', '1000']);
  assert.is(code, 0, stderr);
  const { before, after, rate } = JSON.parse(stdout);
  console.log(`  S3: ${rate} MB/s in 2 uploads, memory ${before} MiB before, ${after} MiB at its peak`);
  assert.ok(after - before < 2 * 114 + 150, `${after - before} MiB more than before`);
});

test.run();
