/** The real program while its S3 answers 500, hangs or cuts connections. */
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { begin } from '../../../server/http/client.ts';
import { answering, BadLine, type Behaviour, cut, silent } from '../engines/bad-line.ts';
import { type Bucket, newBucket, newDatabase } from './engines.ts';
import { type Held, Program } from './programs.ts';
import { documents, letGo, MIB, Repository, refused, write } from './repository.ts';

const STORAGE_TIMEOUT_S = 5;
const IDLE_S = 2;
/** What a busy machine may take besides: less, together with the limits here, than the 30 s after which the S3 client gives up by itself. */
const BUSY_MS = 20_000;
const SIZE = 16 * MIB;

let bucket: Bucket;
let line: BadLine;
let program: Program;
let repository: Repository;
let before: Held;
let stored: number;

/** Bad to uploads of parts only, so that giving up can be seen to tidy up. */
function forParts({ request }: Behaviour): Behaviour {
  const spoiled = new WeakSet<object>();
  return {
    request: (bytes, connection) => {
      if (/^PUT \S+partNumber=/.test(bytes.toString('latin1', 0, 300))) spoiled.add(connection);
      return spoiled.has(connection) && request ? request(bytes, connection) : bytes;
    },
  };
}

const test = suite('an S3 that fails, at the real program');
test.before(async () => {
  bucket = await newBucket();
  line = await BadLine.to(bucket.port);
  program = await Program.serve(documents('up', 'down'), [
    ...['--database', await newDatabase(), '--storage', bucket.url(line.port)],
    ...['--storage-io-timeout', `${STORAGE_TIMEOUT_S}s`, '--idle-timeout', `${IDLE_S}s`],
    ...['--storage-health-timeout', '5s', '--precise-statuses', '--log-level', 'warn'],
  ]);
  repository = await Repository.at(program);
  stored = await repository.stored('down', randomBytes(SIZE));
  await repository.stored('up', randomBytes(6 * MIB));
  before = await program.settled();
});
test.before.each(() => {
  line.behaviour = {};
});
test.after(async () => {
  await program?.end();
  line?.close();
});

for (const [what, bad, status, code, tidy] of [
  ['answers 500 to parts', forParts(answering(500, 'InternalError')), 503, 'storage-failed', true],
  ['answers 500 to everything', answering(500, 'InternalError'), 503, 'storage-failed', false],
  ['cuts connections of parts', forParts(cut), 503, 'storage-failed', true],
  ['is full', forParts(answering(507, 'XMinioStorageFull')), 507, 'storage-full', true],
  ['says nothing to parts', forParts(silent), 504, 'storage-timeout', true],
  ['says nothing at all', silent, 504, 'storage-timeout', false],
] as const) {
  test(`an S3 that ${what} in mid-upload: ${status}, and the next upload works at once`, async () => {
    const { outgoing, promise } = await repository.underWay('up', randomBytes(MIB));
    line.behaviour = bad;
    const failedAt = performance.now();
    await write(outgoing, randomBytes(11 * MIB));
    outgoing.end();
    refused(await promise, status, code);
    const took = performance.now() - failedAt;
    console.log(`  ${what}: ${status} after ${Math.round(took)} ms`);
    assert.ok(took < STORAGE_TIMEOUT_S * 1000 + BUSY_MS, `took ${Math.round(took)} ms`);
    if (tidy) assert.equal(await bucket.leftovers(), []);
    line.behaviour = {};
    line.cutAll();
    await repository.stored('up', randomBytes(6 * MIB));
    await letGo(program, before, 6);
  });
}

/** Reads a download until the line goes bad after the first bytes of it; resolves to what came, or the error. */
async function download(bad: Behaviour, cutNow = false): Promise<Buffer | Error> {
  let spoiled = false;
  let received = 0;
  line.behaviour = {
    response: (bytes) => {
      received += bytes.length;
      if (received > 2 * MIB && !spoiled) {
        spoiled = true;
        line.behaviour = bad;
        return cutNow ? undefined : Buffer.alloc(0);
      }
      return bytes;
    },
  };
  const url = `${repository.address}${repository.downloadPath('down', stored)}`;
  const { outgoing, promise } = begin('GET', url, { token: repository.token });
  outgoing.end();
  return promise.then(
    ({ bytes }) => bytes,
    (error: Error) => error,
  );
}

test('an S3 that cuts a download once is asked for the rest, and the client gets all of it', async () => {
  const received = await download({}, true);
  assert.instance(received, Buffer);
  assert.is((received as Buffer).length, SIZE);
});

for (const [what, bad] of [
  ['answers 500', answering(500, 'InternalError')],
  ['cuts every connection', cut],
  ['hangs', { request: silent.request, response: silent.response } as Behaviour],
] as const) {
  test(`an S3 that ${what} in mid-download: the client's connection breaks, in time`, async () => {
    const started = performance.now();
    assert.instance(await download(bad, what !== 'hangs'), Error);
    const took = performance.now() - started;
    console.log(`  ${what}: broken off after ${Math.round(took)} ms`);
    assert.ok(took < IDLE_S * 1000 + BUSY_MS, `took ${Math.round(took)} ms`);
    line.behaviour = {};
    line.cutAll();
    await letGo(program, before, 6);
  });
}

test('an S3 that fails before a download begins: a clean refusal', async () => {
  line.behaviour = answering(500, 'InternalError');
  refused(await repository.get(repository.downloadPath('down', stored)), 503, 'cannot-read');
  assert.is((await repository.get('/ready')).status, 500);
});

test('an S3 that hangs before a download begins: refused in time, too', async () => {
  line.behaviour = silent;
  const started = performance.now();
  refused(await repository.get(repository.downloadPath('down', stored)), 503, 'cannot-read');
  const took = performance.now() - started;
  assert.ok(took < STORAGE_TIMEOUT_S * 1000 + BUSY_MS, `took ${Math.round(took)} ms`);
});

test('at the end everything acknowledged is there, nothing else, and nothing is held', async () => {
  line.cutAll();
  await repository.nothingLost();
  await letGo(program, before, 6);
  const { memoryMiB } = program.held();
  console.log(`  memory ${before.memoryMiB} MiB before, ${memoryMiB} MiB after`);
  assert.ok(memoryMiB < before.memoryMiB + 100, `${before.memoryMiB} MiB became ${memoryMiB} MiB`);
  assert.is(await program.end('SIGTERM'), 0, program.output);
});

test.run();
