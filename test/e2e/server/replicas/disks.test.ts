/** The real program on a disk that is full: where it keeps versions, and where it keeps its database. */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folder, smallDisk } from '../engines/processes.ts';
import { Program } from './programs.ts';
import { documents, letGo, MIB, Repository, refused } from './repository.ts';

const configuration = documents('a', 'b', 'c', 'd');
const started: Program[] = [];

async function serve(...flags: string[]): Promise<{ program: Program; repository: Repository }> {
  const program = await Program.serve(configuration, [...flags, '--precise-statuses', '--log-level', 'warn']);
  started.push(program);
  return { program, repository: await Repository.at(program) };
}

/** Takes all the room there is. Returns how to give it back. */
function fill(disk: string): () => void {
  const fillers: string[] = [];
  for (const size of [MIB, 64 * 1024, 4096]) {
    for (let full = false; !full; ) {
      const filler = join(disk, `filler-${fillers.length}`);
      fillers.push(filler);
      try {
        writeFileSync(filler, Buffer.alloc(size));
      } catch {
        full = true;
      }
    }
  }
  return () => {
    for (const filler of fillers) rmSync(filler, { force: true });
  };
}

const test = suite('the real program on a full disk');
test.after(async () => {
  for (const program of started) await program.end();
});

test('uploads that find the disk full get 507 and leave nothing; what fits is stored at once', async () => {
  const disk = smallDisk(16 * MIB);
  const { program, repository } = await serve('--storage', disk.path, '--data-path', folder());
  const temporary = () => readdirSync(join(disk.path, '.tmp'));
  await repository.stored('a', randomBytes(4 * MIB));
  const before = await program.settled();
  for (let round = 0; round < 3; round++) {
    refused(await repository.upload('a', randomBytes(20 * MIB)), 507, 'storage-full');
    assert.equal(temporary(), []);
    await repository.stored('a');
  }
  // Together they do not fit; each is stored as a whole or refused as a whole.
  const answers = await Promise.all(
    ['b', 'c', 'd'].map((name) => repository.upload(name, randomBytes(6 * MIB))),
  );
  const refusals = answers.filter(({ status }) => status !== 200);
  assert.ok(refusals.length > 0);
  for (const refusal of refusals) refused(refusal, 507, 'storage-full');
  assert.equal(temporary(), []);
  const makeRoom = fill(disk.path);
  refused(await repository.upload('a', randomBytes(100_000)), 507, 'storage-full');
  await repository.nothingLost();
  assert.is((await repository.get('/health')).status, 200);
  makeRoom();
  await repository.stored('a', randomBytes(100_000));
  await letGo(program, before, 2);
  await repository.nothingLost();
  assert.is(await program.end('SIGTERM'), 0);
});

test('a database whose disk is full refuses uploads with 503, before and after the body, and keeps what it has', async () => {
  const disk = smallDisk(2 * MIB);
  const objects = join(folder(), 'objects');
  const database = `sqlite://${disk.path}/metadata.db`;
  const { program, repository } = await serve('--storage', objects, '--database', database);
  await repository.stored('a');
  const before = await program.settled();

  // It becomes full while the body is on its way.
  const { outgoing, promise } = await repository.underWay('b', randomBytes(300_000));
  let makeRoom = fill(disk.path);
  outgoing.end();
  refused(await promise, 503, 'cannot-register');

  // It is full before the upload begins.
  refused(await repository.upload('a'), 503, 'database-unavailable');
  await repository.nothingLost();
  assert.equal(await repository.listed('b'), []);
  makeRoom();
  console.log(`  free ${await repository.freeAgain('b')} ms after there was room again`);
  await repository.stored('a');

  // A restart on a full disk neither loses nor needs anything.
  makeRoom = fill(disk.path);
  await program.end('SIGKILL');
  makeRoom();
  const again = await serve('--storage', objects, '--database', database);
  again.repository.known.push(...repository.known);
  await again.repository.nothingLost();
  await again.repository.stored('b');
  await letGo(again.program, before, 2);
  await again.repository.nothingLost();
  assert.equal(readdirSync(join(objects, '.tmp')), []);
});

test.run();
