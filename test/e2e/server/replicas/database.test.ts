/** The real program while its PostgreSQL goes away and comes back. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pathOf } from '../../../../src/wire/routes.ts';
import { type Answer, begin } from '../../../server/http/client.ts';
import { folder, type Postgres } from '../engines/processes.ts';
import { newDatabase, thePostgres } from './engines.ts';
import { type Held, Program } from './programs.ts';
import { documents, letGo, MIB, Repository, refused, write } from './repository.ts';

/** Refusals must come at once: not after the time that a connection may take, which is five seconds. */
const PROMPT_MS = 4500;

let database: Postgres;
let program: Program;
let repository: Repository;
let before: Held;

async function promptly(work: Promise<Answer>): Promise<Answer> {
  const started = performance.now();
  const answer = await work;
  const took = performance.now() - started;
  assert.ok(took < PROMPT_MS, `took ${Math.round(took)} ms`);
  return answer;
}

const test = suite('a database that goes away and comes back, at the real program');
test.before(async () => {
  database = await thePostgres();
  program = await Program.serve(documents('before', 'during', 'through', 'after', 'read'), [
    ...['--database', await newDatabase(), '--storage', join(folder(), 'objects')],
    ...['--precise-statuses', '--log-level', 'warn'],
  ]);
  repository = await Repository.at(program);
  for (const name of ['before', 'during', 'through', 'after']) await repository.stored(name);
  await repository.stored('read', randomBytes(24 * MIB));
  before = await program.settled();
});
test.after(async () => {
  await program?.end();
});

test('away before an upload: everything that needs it is refused with 503 and told to come again', async () => {
  await database.stop();
  for (const answer of [
    await promptly(repository.upload('before')),
    await promptly(repository.get(repository.downloadPath('read', 1))),
    await promptly(repository.get(pathOf('versions', { collectionId: 'read' }))),
  ]) {
    refused(answer, 503, 'database-unavailable');
    assert.ok(Number(answer.headers['retry-after']) > 0);
  }
  assert.is((await repository.get('/health')).status, 200, 'the process itself is well');
  assert.is((await promptly(repository.get('/ready'))).status, 500);
  await database.start();
  await repository.stored('before');
});

test('away and back while the body comes: the upload never notices', async () => {
  const body = randomBytes(2 * MIB);
  const { outgoing, promise } = await repository.underWay('through', body.subarray(0, MIB));
  await database.stop();
  await write(outgoing, body.subarray(MIB, MIB + 1000));
  await database.start();
  outgoing.end(body.subarray(MIB + 1000));
  const answer = await promise;
  assert.is(answer.status, 200, answer.bytes.toString());
  repository.remember('through', answer, body);
});

test('away at the end of the body: the upload is refused, and its collection free as soon as the database is back', async () => {
  const { outgoing, promise } = await repository.underWay('during', randomBytes(MIB));
  await database.stop();
  outgoing.end();
  refused(await promptly(promise), 503, 'cannot-register');
  await database.start();
  console.log(`  free ${await repository.freeAgain('during')} ms after the database was back`);
});

test('away while a download runs: it goes on to its end', async () => {
  const [known] = repository.known.filter(({ collectionId }) => collectionId === 'read');
  assert.ok(known);
  const path = repository.downloadPath('read', known.version);
  const { outgoing, promise } = begin('GET', `${repository.address}${path}`, { token: repository.token });
  outgoing.end();
  await new Promise((resolve) => outgoing.prependOnceListener('response', resolve));
  await database.stop();
  const answer = await promise;
  assert.is(answer.bytes.length, 24 * MIB);
  await database.start();
});

test('away right after the answer: what was acknowledged is there', async () => {
  await repository.stored('after');
  await database.stop();
  await database.start();
  assert.is((await repository.listed('after')).length, 2);
});

test('at the end everything acknowledged is there, nothing else, and nothing is held', async () => {
  await repository.nothingLost();
  // Connections to the database, which stay for a while.
  await letGo(program, before, 10);
  const { memoryMiB } = program.held();
  assert.ok(memoryMiB < before.memoryMiB + 80, `${before.memoryMiB} MiB became ${memoryMiB} MiB`);
  assert.is(await program.end('SIGTERM'), 0, program.output);
});

test.run();
