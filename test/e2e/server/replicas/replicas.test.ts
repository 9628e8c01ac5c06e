/** What two replicas share, and what becomes of the work of one that died or fell asleep. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pathOf } from '../../../../src/wire/routes.ts';
import { eventually } from '../../../eventually.ts';
import { call } from '../../../server/http/client.ts';
import { type Bucket, newBucket, newDatabase } from './engines.ts';
import { Program } from './programs.ts';
import { documents, MIB, Repository, refused } from './repository.ts';

/** Of replicas that are to lose it; the others have the usual half a minute. */
const LEASE_MS = 2500;
const SHORT = { leaseMs: LEASE_MS };
const UNLIMITED = { default: 0, auth: 0, collectionHealth: 0, serverHealth: 0 };
const configuration = documents('raced', 'shared', 'killed', 'asleep', 'late', 'crowded');

let bucket: Bucket;
let engines: { database: string; storage: string };
let first: Program;
let second: Program;
let repository: Repository;
const started: Program[] = [];

async function replica(settings: object = {}): Promise<Program> {
  const program = await Program.replica(configuration, {
    ...engines,
    settings: {
      rateLimits: UNLIMITED,
      hangUpGraceMs: 50,
      preciseStatuses: true,
      ...settings,
    },
  });
  started.push(program);
  return program;
}

const test = suite('replicas on PostgreSQL and S3');
test.before(async () => {
  const [database, made] = await Promise.all([newDatabase(), newBucket()]);
  bucket = made;
  engines = { database, storage: bucket.url() };
  [first, second] = await Promise.all([replica(), replica()]);
  repository = await Repository.at(first);
});
test.after(async () => {
  for (const program of started) await program.end();
});

test('of uploads to one collection on both replicas at once one is stored, and the other refused', async () => {
  for (let round = 0; round < 5; round++) {
    // Both are in mid-body, so that neither can have ended before the other began.
    const bodies = [first, second].map(() => randomBytes(2000));
    const uploads = [first, second].map(({ address }) => repository.begin('raced', {}, address));
    for (const [index, { outgoing }] of uploads.entries())
      outgoing.write(bodies[index]?.subarray(0, 1000) ?? '');
    const loser = await Promise.race(uploads.map(({ promise }, index) => promise.then(() => index)));
    for (const [index, { outgoing }] of uploads.entries()) outgoing.end(bodies[index]?.subarray(1000) ?? '');
    const answers = await Promise.all(uploads.map(({ promise }) => promise));
    for (const [index, answer] of answers.entries()) {
      if (index === loser) refused(answer, 409, 'parallel-upload');
      else {
        assert.is(answer.status, 200, answer.bytes.toString());
        repository.remember('raced', answer, bodies[index] ?? Buffer.alloc(0));
      }
    }
  }
  assert.equal(
    repository.known.map(({ version }) => version),
    Array.from({ length: 5 }, (_, index) => index + 1),
  );
  await repository.nothingLost();
});

test('forty uploads to one collection on both replicas get forty numbers, none twice', async () => {
  const clients = Array.from({ length: 4 }, async (_, client) => {
    for (let stored = 0; stored < 10; ) {
      const { address } = [first, second][(client + stored) % 2] ?? first;
      const answer = await repository.upload('crowded', randomBytes(500), address);
      if (answer.status === 200) stored++;
      else {
        refused(answer, 409, 'parallel-upload');
        await sleep(5);
      }
    }
  });
  await Promise.all(clients);
  const numbers = repository.known.filter(({ collectionId }) => collectionId === 'crowded');
  assert.equal(
    numbers.map(({ version }) => version).sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
  assert.equal(
    (await repository.listed('crowded', second.address)).length,
    40,
    'both replicas list the same versions',
  );
});

test('what one replica stored the other gives at once', async () => {
  const body = randomBytes(6 * MIB);
  const version = await repository.stored('shared', body, first.address);
  const answer = await repository.get(repository.downloadPath('shared', version), second.address);
  assert.ok(answer.bytes.equals(body));
});

test('a session that one replica made is valid on the other, listed there, and can be ended there', async () => {
  const token = await repository.login(first.address);
  const whoami = (address: string) => call('GET', `${address}${pathOf('whoami', {})}`, { token });
  assert.is((await whoami(second.address)).status, 200);
  const sessions = async (address: string) =>
    (
      (await repository.get(pathOf('tokens', {}), address)).json as {
        data: { grantedAccesses: { id: string; deactivated: boolean }[] };
      }
    ).data.grantedAccesses;
  assert.equal(await sessions(first.address), await sessions(second.address));
  const ended = await call('DELETE', `${second.address}${pathOf('logout', {})}`, { token });
  assert.is(ended.status, 200, ended.bytes.toString());
  for (const { address } of [first, second]) assert.is((await whoami(address)).status, 403);
});

test('a limit is one limit, however many replicas are asked', async () => {
  const rateLimits = { ...UNLIMITED, serverHealth: 4 };
  const limited = await Promise.all([replica({ rateLimits }), replica({ rateLimits })]);
  // A minute that is about to end would begin counting anew.
  const rest = 60_000 - (Date.now() % 60_000);
  if (rest < 10_000) await sleep(rest + 100);
  const admitted: boolean[] = [];
  for (let count = 0; count < 8; count++) {
    const answer = await call('GET', `${limited[count % 2]?.address}${pathOf('ready', {})}`);
    admitted.push(answer.status !== 429);
    if (answer.status === 429) assert.ok(Number(answer.headers['retry-after']) > 0);
  }
  assert.equal(admitted, [true, true, true, true, false, false, false, false]);
  for (const program of limited) await program.end();
});

test('a replica that is killed in mid-upload blocks its collection no longer than its lease', async () => {
  const doomed = await replica(SHORT);
  await repository.stored('killed', randomBytes(1000), doomed.address);
  const { promise } = await repository.underWay('killed', randomBytes(12 * MIB), doomed.address);
  await eventually('parts are with S3', async () => (await bucket.leftovers()).length > 0);
  refused(await repository.upload('killed', randomBytes(1000), second.address), 409, 'parallel-upload');
  const killedAt = performance.now();
  await doomed.end('SIGKILL');
  await promise.then(
    () => assert.unreachable('a dead replica answered'),
    () => {},
  );
  let blocked = 0;
  await eventually('the other replica takes over', async () => {
    const asked = performance.now() - killedAt;
    const answer = await repository.upload('killed', randomBytes(1000), second.address);
    if (answer.status === 200) return true;
    refused(answer, 409, 'parallel-upload');
    blocked = asked;
    return false;
  });
  // Of the last request that was refused, when it was sent: what a busy machine takes for the rest does not count.
  assert.ok(blocked < LEASE_MS + 1000, `blocked for ${blocked} ms`);
  console.log(`  taken over ${Math.round(blocked)} ms after the kill, lease ${LEASE_MS} ms`);
  assert.equal(await repository.listed('killed'), [1, 2]);
  // The parts are older than any upload that such settings allow.
  const sweeping = await replica({ uploadTimeoutMs: 100, storageTimeoutMs: 100 });
  await eventually('the parts are swept', async () => (await bucket.leftovers()).length === 0);
  await sweeping.end('SIGTERM');
});

for (const [collectionId, taken] of [
  ['asleep', true],
  ['late', false],
] as const) {
  const then = taken ? 'and somebody else has stored a version' : 'with nobody else about';
  test(`a replica that slept longer than its lease, ${then}, stores nothing of its own`, async () => {
    const sleeper = await replica(SHORT);
    await repository.stored(collectionId, randomBytes(1000), sleeper.address);
    const body = randomBytes(6 * MIB);
    const part = body.subarray(0, body.length - 1000);
    const { outgoing, promise } = await repository.underWay(collectionId, part, sleeper.address);
    await eventually('parts are with S3', async () => (await bucket.leftovers()).length > 0);
    sleeper.signal('SIGSTOP');
    // It wakes to a body that is complete: nothing but the lease is between it and the commit.
    outgoing.end(body.subarray(body.length - 1000));
    await sleep(LEASE_MS + 200);
    if (taken) await repository.stored(collectionId, randomBytes(1000), first.address);
    sleeper.signal('SIGCONT');
    refused(await promise, 409, 'lease-lost');
    assert.equal(await repository.listed(collectionId), taken ? [1, 2] : [1]);
    assert.equal(await bucket.leftovers(), [], 'its parts are gone');
    await repository.stored(collectionId, randomBytes(1000), sleeper.address);
    await sleeper.end('SIGTERM');
  });
}

test('after all of this every acknowledged version is there, on both replicas', async () => {
  for (const { address } of [first, second]) {
    repository.address = address;
    // The order of two clients' answers is not that of their versions.
    repository.known.sort((a, b) => a.version - b.version);
    await repository.nothingLost();
  }
});

test('replicas stop gracefully when they are asked to', async () => {
  for (const program of [first, second]) assert.is(await program.end('SIGTERM'), 0, program.output);
});

test.run();
