/** The metadata on SQLite: what every engine does, on a file and in memory, and what is SQLite's own. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/api/problem.ts';
import { type Metadata, MetadataUnavailable } from '../../../src/server/metadata/metadata.ts';
import { type MetadataOptions, openMetadata } from '../../../src/server/metadata/open-metadata.ts';
import { eventually } from '../../eventually.ts';
import { addBehaviour, leaseOn, unique, versionOf } from './behaviour.ts';

const folder = mkdtempSync(join(tmpdir(), 'metadata-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const opened: Metadata[] = [];

async function open(url: string, options: MetadataOptions = {}): Promise<Metadata> {
  const metadata = await openMetadata(url, options);
  opened.push(metadata);
  await metadata.migrate();
  return metadata;
}

async function closeAll(): Promise<void> {
  for (const metadata of opened.splice(0)) await metadata.close();
}

const memory = suite('metadata on SQLite in memory');
let single: Metadata;
memory.before(async () => {
  single = await open('sqlite::memory:');
});
addBehaviour(memory, { replicas: () => [single, single], sharedCounters: false });

memory('leases go by the clock that was given', async () => {
  let now = 1000;
  const metadata = await open('sqlite::memory:', { clock: () => now });
  const lease = await leaseOn(metadata, 'a', 3_600_000);
  now += 3_599_999;
  assert.is(await metadata.leases.acquire('a', 1), undefined);
  now += 1;
  assert.ok(await metadata.leases.acquire('a', 1));
  assert.is(await metadata.leases.renew(lease, 1), false);
});

memory('rows are the same where Node.js cannot give them as arrays', async () => {
  const { setReturnArrays } = StatementSync.prototype;
  const rows: unknown[] = [];
  try {
    for (const method of [setReturnArrays, undefined]) {
      Object.assign(StatementSync.prototype, { setReturnArrays: method });
      const metadata = await open('sqlite::memory:', { clock: () => 1000 });
      const lease = await leaseOn(metadata, 'a', 60_000);
      await metadata.versions.register(versionOf('a', 1, { id: 'one', objectKey: 'a/1' }), lease, 1000);
      rows.push(await metadata.versions.list('a'));
    }
  } finally {
    Object.assign(StatementSync.prototype, { setReturnArrays });
  }
  assert.is((rows[0] as unknown[]).length, 1);
  assert.equal(rows[1], rows[0]);
});
memory.after(closeAll);
memory.run();

const file = suite('metadata on SQLite in a file');
let pair: readonly [Metadata, Metadata];
const path = join(folder, 'new/folder/of ours/metadata.db');
file.before(async () => {
  pair = await Promise.all([open(`sqlite://${path}`), open(`sqlite://${path}`)]);
});
addBehaviour(file, { replicas: () => pair, sharedCounters: false });

file('the file and its folder are for their owner alone', () => {
  for (const name of [path, `${path}-wal`, `${path}-shm`])
    assert.is(statSync(name).mode & 0o777, 0o600, name);
  assert.is(statSync(join(path, '..')).mode & 0o777, 0o700);
});

file('what was committed is there after opening again; counters are not', async () => {
  const url = `sqlite://${join(folder, 'again.db')}`;
  const first = await openMetadata(url);
  await first.migrate();
  await first.versions.register(versionOf('c', 1), await leaseOn(first, 'c'), 5);
  await first.counters.hit('k', 1000, 0);
  await first.close();
  const second = await open(url);
  assert.is((await second.versions.latest('c'))?.versionNumber, 1);
  assert.is(await second.counters.hit('k', 1000, 0), 1);
});

file('what was committed survives the death of the process', async () => {
  const url = `sqlite://${join(folder, 'killed.db')}`;
  const program = `
    const { openMetadata } = await import(${JSON.stringify(import.meta.resolve('../../../src/server/metadata/open-metadata.ts'))});
    const metadata = await openMetadata(${JSON.stringify(url)});
    await metadata.migrate();
    const lease = await metadata.leases.acquire('c', 60000);
    await metadata.versions.register(${JSON.stringify(versionOf('c', 1))}, lease, 5);
    process.kill(process.pid, 'SIGKILL');`;
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  assert.is(signal, 'SIGKILL', stderr);
  const metadata = await open(url);
  assert.is((await metadata.versions.list('c')).length, 1);
  // The dead process's lease holds until it runs out.
  assert.is(await metadata.leases.acquire('c', 1000), undefined);
});

file('flushes every commit to the disk', async () => {
  // Seen from inside: a connection's setting cannot be read from another one.
  const { openSqlite } = await import('../../../src/server/metadata/sqlite-engine.ts');
  const { sql } = await import('kysely');
  const engine = await openSqlite(join(folder, 'settings.db'), { clock: Date.now });
  const read = async (name: string) =>
    Object.values((await sql.raw(`pragma ${name}`).execute(engine.db)).rows[0] as object)[0];
  assert.is(await read('synchronous'), 2);
  assert.is(await read('journal_mode'), 'wal');
  assert.is(await read('foreign_keys'), 1);
  await engine.close();
});

file('waits for another process that writes, without stopping this one', async () => {
  const [a] = pair;
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  let over = false;
  const waiting = a.leases.acquire(unique(), 1000).finally(() => {
    over = true;
  });
  await sleep(150);
  await eventually('this process goes on meanwhile', () => ticks > 5);
  clearInterval(timer);
  assert.not.ok(over, 'it did not wait');
  other.exec('commit');
  other.close();
  assert.ok(await waiting);
});

file('says that a file is no database, or damaged, or a folder', async () => {
  writeFileSync(
    join(folder, 'text.db'),
    'This is a text that is long enough to be mistaken for something.'.repeat(20),
  );
  mkdirSync(join(folder, 'folder.db'));
  for (const [name, expected] of [
    ['text.db', /not an SQLite database/],
    ['folder.db', /folder|cannot be opened/],
    ['text.db/below.db', /passes through a file/],
  ] as const) {
    const error = await openMetadata(`sqlite://${join(folder, name)}`).catch((thrown: unknown) => thrown);
    assert.instance(error, MetadataUnavailable, name);
    assert.match((error as Error).message, expected);
  }
});

file('says that a newer release has set the database up', async () => {
  const url = `sqlite://${join(folder, 'newer.db')}`;
  const metadata = await open(url);
  const other = new DatabaseSync(join(folder, 'newer.db'));
  other.exec("insert into schema_migrations (name, timestamp) values ('999-future', '2030-01-01')");
  other.close();
  const error = await metadata.migrate().catch((thrown: unknown) => thrown);
  assert.instance(error, UserError);
  assert.match((error as Error).message, /newer release/);
});

file('answers a ping, and says when it was closed', async () => {
  const metadata = await openMetadata('sqlite::memory:');
  await metadata.ping(1000);
  await metadata.close();
  const error = await metadata.ping(1000).catch((thrown: unknown) => thrown);
  assert.instance(error, Error);
});

file('refuses URLs that cannot work, and repeats no password', async () => {
  for (const url of [
    '',
    '/var/lib/metadata.db',
    'mysql://root:hunter2@host/db',
    'sqlite:',
    'sqlite://host/metadata.db',
    'sqlite:///folder/',
    'postgres://user:hunter2@host:port/db',
  ]) {
    const error = await openMetadata(url).catch((thrown: unknown) => thrown);
    assert.instance(error, UserError, url);
    assert.not.match(`${(error as Error).message} ${(error as Error).cause}`, /hunter2/);
  }
});

file.after(closeAll);
file.run();
