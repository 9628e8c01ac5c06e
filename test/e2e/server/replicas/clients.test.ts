/** Clients that stop sending, stop reading or hang up: what they get, and that nothing of them stays with the server. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../../eventually.ts';
import { begin } from '../../../server/http/client.ts';
import { folder } from '../engines/processes.ts';
import { type Held, Program } from './programs.ts';
import { documents, letGo, MIB, Repository, refused, write } from './repository.ts';

/** Longer than it takes to begin all that a test does at once. */
const IDLE_MS = 4000;
const AT_ONCE = 20;
const names = Array.from({ length: AT_ONCE }, (_, index) => `many-${index}`);

let program: Program;
let repository: Repository;
let objects: string;
let before: Held;
let large: { path: string; size: number };

const temporary = () => readdirSync(join(objects, '.tmp'));

const test = suite('clients that break off, at the real program');
test.before(async () => {
  objects = join(folder(), 'objects');
  const flags = [
    ...['--storage', objects, '--hang-up-grace', '0s'],
    ...['upload-idle', 'idle'].flatMap((what) => [`--${what}-timeout`, `${IDLE_MS / 1000}s`]),
    ...['--log-level', 'warn', '--precise-statuses'],
  ];
  program = await Program.serve(documents('small', 'large', 'mixed', ...names), flags);
  repository = await Repository.at(program);
  const size = 32 * MIB;
  large = {
    size,
    path: repository.downloadPath('large', await repository.stored('large', randomBytes(size))),
  };
  await repository.stored('small');
  before = await program.settled();
});
test.after(async () => {
  await program.end();
});
test.after.each(async () => {
  await letGo(program, before);
  assert.equal(temporary(), []);
});

/** Begins to receive the large version and leaves it to the caller to go on. */
function beginDownload(): Promise<IncomingMessage> {
  const { outgoing } = begin('GET', `${repository.address}${large.path}`, { token: repository.token });
  outgoing.end();
  return new Promise((resolve, reject) => {
    outgoing.removeAllListeners('response');
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
}

test('twenty clients that stop sending in mid-body get 408 in time, and the next uploads work at once', async () => {
  const talking = new Set<NodeJS.Timeout>();
  const uploads = await Promise.all(
    names.map(async (name) => {
      const upload = await repository.underWay(name, randomBytes(300_000));
      // Until all of them are under way, however long that takes.
      talking.add(setInterval(() => upload.outgoing.write('x'), IDLE_MS / 10));
      return upload;
    }),
  );
  await eventually('all of them are being written', () => temporary().length === AT_ONCE);
  for (const each of talking) clearInterval(each);
  const silentSince = performance.now();
  for (const { promise } of uploads) refused(await promise, 408, 'idle');
  const took = performance.now() - silentSince;
  // The next limit that could end them is that of the whole upload, which is hours.
  assert.ok(took < 10 * IDLE_MS, `took ${took} ms`);
  for (const name of names) await repository.stored(name);
  for (const { outgoing } of uploads) outgoing.destroy();
});

test('a client that sends a little now and then is not taken for silent', async () => {
  const { outgoing, promise } = repository.begin('mixed');
  const body = randomBytes(6000);
  for (let at = 0; at < body.length; at += 1000) {
    await write(outgoing, body.subarray(at, at + 1000));
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 5));
  }
  outgoing.end();
  const answer = await promise;
  assert.is(answer.status, 200, answer.bytes.toString());
  repository.remember('mixed', answer, body);
});

test('twenty clients that hang up in mid-body leave nothing, twice over', async () => {
  for (let round = 0; round < 2; round++) {
    const uploads = await Promise.all(names.map((name) => repository.underWay(name, randomBytes(300_000))));
    for (const { outgoing } of uploads) outgoing.destroy();
    await eventually('temporary files are gone', () => temporary().length === 0);
  }
  for (const name of names) await repository.stored(name);
});

test('a client that stops reading a download is given up, and cannot take what it has for the whole', async () => {
  const downloads = await Promise.all(Array.from({ length: 8 }, beginDownload));
  for (const download of downloads) download.on('error', () => {}).pause();
  const held = program.held();
  const told = `${JSON.stringify(held)} is not 16 more than ${JSON.stringify(before)}`;
  assert.ok(held.files >= before.files + 16, told);
  const since = performance.now();
  await eventually('given up', () => program.held().files <= before.files, 50, 10 * IDLE_MS);
  const took = Math.round(performance.now() - since);
  console.log(`  eight stalled downloads given up after ${took} ms, idle timeout ${IDLE_MS} ms`);
  for (const download of downloads) {
    download.resume();
    await eventually('the rest of the line has been read', () => download.closed);
    assert.not.ok(download.complete);
  }
});

test('clients that hang up in mid-download leave nothing', async () => {
  for (let round = 0; round < 2; round++) {
    const downloads = await Promise.all(Array.from({ length: AT_ONCE }, beginDownload));
    for (const download of downloads) download.on('error', () => {}).destroy();
    await letGo(program, before);
  }
});

test('memory stays within bounds, nothing is lost, and the server stops as if nothing had been', async () => {
  const { memoryMiB } = program.held();
  console.log(`  memory ${before.memoryMiB} MiB before, ${memoryMiB} MiB after`);
  assert.ok(memoryMiB < before.memoryMiB + 80, `${before.memoryMiB} MiB became ${memoryMiB} MiB`);
  await repository.nothingLost();
  assert.not.match(program.output, /"level":[56]0/);
});

test.run();
