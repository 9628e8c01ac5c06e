/** The metadata on a real PostgreSQL: what every engine does, and what only a database over a network can do wrong. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LeaseLost, type Metadata, MetadataUnavailable } from '../../../../src/server/metadata/metadata.ts';
import { type MetadataOptions, openMetadata } from '../../../../src/server/metadata/open-metadata.ts';
import { eventually, inTime, PATIENCE_MS } from '../../../eventually.ts';
import { addBehaviour, leaseOn, unique, versionOf } from '../../../server/metadata/behaviour.ts';
import { BadLine, silent } from './bad-line.ts';
import { Postgres } from './processes.ts';

let server: Postgres;
let pair: readonly [Metadata, Metadata];
const opened: Metadata[] = [];

async function open(url: string, options: MetadataOptions = {}): Promise<Metadata> {
  const metadata = await openMetadata(url, options);
  opened.push(metadata);
  return metadata;
}

async function unavailable(work: Promise<unknown>, within: number): Promise<MetadataUnavailable> {
  const failed = work.then(
    () => assert.unreachable('expected MetadataUnavailable'),
    (thrown: unknown) => thrown,
  );
  const error = await inTime(within, failed);
  assert.instance(error, MetadataUnavailable);
  assert.not.match(inspect(error), /p@ss|p%40ss/);
  return error as MetadataUnavailable;
}

const test = suite('metadata on PostgreSQL');
test.before(async () => {
  server = await Postgres.create();
  pair = [await open(server.url()), await open(server.url())];
  await pair[0].migrate();
});
test.after(async () => {
  for (const metadata of opened) await metadata.close();
  await server.stop();
});

test('several replicas set up an empty database at once', async () => {
  server.sql('create database fresh');
  const replicas = await Promise.all(Array.from({ length: 5 }, () => open(server.url('fresh'))));
  await Promise.all(replicas.map((replica) => replica.migrate()));
  assert.is(await replicas[0]?.versions.nextNumber('a'), 1);
  assert.is(server.sql('select count(*) from schema_migrations', 'fresh'), '5');
});

addBehaviour(test, { replicas: () => pair, sharedCounters: true });

test('counters cost no flush, versions do', () => {
  assert.is(server.sql("select relpersistence from pg_class where relname = 'counters'"), 'u');
  assert.is(server.sql("select relpersistence from pg_class where relname = 'versions'"), 'p');
  assert.is(server.sql('show synchronous_commit'), 'on');
});

test('leases go by the database’s clock', async () => {
  const [a] = pair;
  const wrong = await open(server.url(), { clock: () => 0 });
  const lease = await leaseOn(wrong, unique());
  assert.is(await a.leases.acquire(lease.name, 1000), undefined);
});

test('whoever takes over a lease finds every version of its predecessor, and none comes later', async () => {
  const [a, b] = pair;
  let [committed, lost] = [0, 0];
  // As long as the machine takes, so that it is now too short and now long enough.
  let leaseMs = 12;
  for (let round = 0; round < 60; round++) {
    const collection = unique('race');
    const lease = await leaseOn(a, collection, leaseMs);
    const number = await a.versions.nextNumber(collection);
    const slow = sleep(Math.random() * leaseMs * 1.2)
      .then(() => a.versions.register(versionOf(collection, number), lease, 1))
      .then(() => {
        committed++;
        leaseMs /= 1.2;
      })
      .catch((error: unknown) => {
        assert.instance(error, LeaseLost);
        lost++;
        leaseMs *= 1.2;
      });
    let next = await b.leases.acquire(collection, 60_000);
    for (; !next; next = await b.leases.acquire(collection, 60_000)) await sleep(1);
    const seen = await b.versions.list(collection);
    await b.versions.register(versionOf(collection, seen.length + 1), next, 2);
    await slow;
    assert.is((await a.versions.list(collection)).length, seen.length + 1);
  }
  assert.ok(committed > 0 && lost > 0, `${committed} committed, ${lost} lost: the race was none`);
});

test('a takeover waits for a registration that is being committed', async () => {
  const [a, b] = pair;
  const collection = unique('race');
  // A trigger makes the registration slow enough to let its lease run out in the middle.
  server.sql(
    'create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(2.5); return new; end $$',
  );
  server.sql('create trigger dawdle before insert on versions for each row execute function dawdle()');
  try {
    const lease = await leaseOn(a, collection, 1000);
    const registering = a.versions.register(versionOf(collection, 1), lease, 1);
    await sleep(1100);
    const next = await b.leases.acquire(collection, 60_000);
    assert.ok(next, 'it was not there to be taken');
    assert.is((await b.versions.list(collection)).length, 1);
    await registering;
  } finally {
    server.sql('drop trigger dawdle on versions');
  }
});

test('a commit whose answer is lost counts, once', async () => {
  const line = await BadLine.to(server.port);
  const metadata = await open(server.url('postgres', line.port));
  const collection = unique();
  const lease = await leaseOn(metadata, collection);
  let committing = false;
  let losses = 0;
  line.behaviour = {
    request: (bytes) => {
      committing = bytes.includes('commit');
      return bytes;
    },
    response: (bytes) => {
      if (!committing || losses > 0) return bytes;
      losses++;
      return undefined;
    },
  };
  const version = versionOf(collection, 1);
  assert.is((await metadata.versions.register(version, lease, 1)).id, version.id);
  assert.is(losses, 1);
  assert.is((await metadata.versions.list(collection)).length, 1);
  line.close();
});

test('sessions that are ended again and again disturb only for moments', async () => {
  const [a] = pair;
  const collection = unique();
  const lease = await leaseOn(a, collection, 60_000);
  const killing = (async () => {
    for (let i = 0; i < 15; i++) {
      server.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'backup-repository'",
      );
      await sleep(10);
    }
  })();
  let registered = 0;
  for (let number = 1; number <= 60; number++) {
    const version = versionOf(collection, number);
    try {
      await a.versions.register(version, lease, 1);
      registered++;
    } catch (error) {
      assert.instance(error, MetadataUnavailable);
      number--;
    }
    assert.ok(registered <= 60);
  }
  await killing;
  assert.equal(
    (await a.versions.list(collection)).map((version) => version.versionNumber),
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
});

test('a database that stops is reported at once, and used again when it is back', async () => {
  const [a, b] = pair;
  const collection = unique();
  const lease = await leaseOn(a, collection, 60_000);
  await a.versions.register(versionOf(collection, 1), lease, 1);
  const busy = Promise.allSettled(Array.from({ length: 8 }, () => b.versions.list(collection)));
  await server.stop();
  await busy;
  for (const work of [
    () => a.versions.list(collection),
    () => a.versions.register(versionOf(collection, 2), lease, 1),
    () => b.leases.acquire(unique(), 1000),
    () => b.counters.hit('k', 1000, 1),
    () => b.ping(500),
  ]) {
    const { message } = await unavailable(work(), 1500);
    assert.match(message, /no connection to the database/);
  }
  await server.start();
  await b.ping(PATIENCE_MS);
  assert.is((await a.versions.list(collection)).length, 1);
  await a.versions.register(versionOf(collection, 2), lease, 1);
  assert.is(await b.counters.hit(unique(), 1000, 1), 1);
});

test('a database that falls silent is reported in bounded time, and its connections are not used again', async () => {
  const line = await BadLine.to(server.port);
  const metadata = await open(server.url('postgres', line.port), {
    statementTimeoutMs: 300,
    connectTimeoutMs: 300,
  });
  const answers = () =>
    metadata.versions.list('a').then(
      (versions) => versions.length === 0,
      () => false,
    );
  await eventually('an answer', answers);
  line.behaviour = silent;
  await unavailable(metadata.versions.list('a'), 1500);
  await unavailable(metadata.versions.list('a'), 1500);
  const { message } = await unavailable(metadata.ping(100), 250);
  assert.match(message, /within 100 ms/);
  line.behaviour = {};
  await eventually('an answer', answers);
  line.close();
});

test('a statement that waits too long is ended', async () => {
  const metadata = await open(server.url(), { statementTimeoutMs: 300 });
  const name = unique();
  await leaseOn(pair[0], name);
  const blocker = unique();
  // A session that holds the row until it is ended.
  const blocking = (async () => {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: server.url(), application_name: blocker });
    client.on('error', () => {});
    await client.connect();
    await client.query('begin');
    await client.query('select * from leases where name = $1 for update', [name]);
    return client;
  })();
  const client = await blocking;
  await unavailable(metadata.leases.acquire(name, 1000), 2000);
  await client.query('rollback');
  await client.end();
  await eventually('an answer', () =>
    metadata.leases.acquire(name, 1000).then(
      (lease) => lease === undefined,
      () => false,
    ),
  );
});

test('says what is wrong with the account or the database, without the password', async () => {
  const wrong = await open(server.url().replace(encodeURIComponent(server.password), 'hunter2'));
  const refused = await unavailable(wrong.versions.list('a'), 2000);
  assert.match(refused.message, /refuses the user or its password/);
  assert.not.match(inspect(refused), /hunter2/);
  const missing = await unavailable((await open(server.url('nowhere'))).versions.list('a'), 2000);
  assert.match(missing.message, /no database of that name/);
});

test('says that the database is read-only', async () => {
  server.sql('create database frozen');
  const metadata = await open(server.url('frozen'));
  await metadata.migrate();
  server.sql('alter database frozen set default_transaction_read_only = on');
  const frozen = await open(server.url('frozen'));
  assert.match((await unavailable(frozen.leases.acquire('a', 1000), 2000)).message, /read-only/);
  assert.equal(await frozen.versions.list('a'), []);
});

test.run();
