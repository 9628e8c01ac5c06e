import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { check, folder, open, podUser } from './machine.ts';
import { refuse, run, succeed } from './scripts.ts';

const test = suite('sqlite');

let volume = '';
let path = '';
let params: Record<string, string>;
const sql = (statements: string) =>
  check('sqlite3', ['-batch', path], { input: statements, user: podUser }).trim();
const content = () => sql('SELECT id, hex(v) FROM items ORDER BY id');

test.before.each(() => {
  volume = folder(podUser);
  // A name that is special to URIs, to sqlite3's own commands and to shells.
  path = join(volume, `it's a "100%" $db?x=1#y.db`);
  params = { claim: 'app-data', path };
  sql(`CREATE TABLE items (id integer PRIMARY KEY, v blob);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO items SELECT i, randomblob(40) FROM n;
    INSERT INTO items (v) VALUES (x'00ff0a')`);
});

const backup = () => succeed({ procedure: 'sqlite', operation: 'backup', params });
const restore = (input: Buffer) => succeed({ procedure: 'sqlite', operation: 'restore', params, input });
const refuseRestore = (input: Buffer) => refuse({ procedure: 'sqlite', operation: 'restore', params, input });

for (const mode of ['DELETE', 'WAL']) {
  test(`a load brings back what a copy held, while the application has the database open (${mode})`, async () => {
    sql(`PRAGMA journal_mode=${mode}`);
    const application = open('sqlite3', ['-batch', path], podUser);
    await application.ask("INSERT INTO items (v) VALUES (x'0102'); SELECT count(*) FROM items;");
    const before = content();
    const dump = await backup();
    assert.is(dump.subarray(0, 15).toString(), 'SQLite format 3');

    sql('DELETE FROM items WHERE id < 4000; CREATE TABLE migrated (id int)');
    await restore(dump);
    assert.is(content(), before);
    assert.is(sql("SELECT count(*) FROM sqlite_schema WHERE name = 'migrated'"), '0');
    assert.is(
      await application.ask('SELECT count(*) FROM items;'),
      '5002',
      'the open connection sees it, too',
    );
    application.close();
    assert.is(sql('PRAGMA integrity_check'), 'ok');
    assert.equal(
      readdirSync(volume).filter((name) => name.includes('restore')),
      [],
    );
  });
}

test('a copy includes what is still in the write-ahead log only', async () => {
  sql('PRAGMA journal_mode=WAL');
  const application = open('sqlite3', ['-batch', path], podUser);
  await application.ask(
    "PRAGMA wal_autocheckpoint=0; INSERT INTO items (id, v) VALUES (9999, x'aa'); SELECT 1;",
  );
  assert.ok(statSync(`${path}-wal`).size > 0);
  const dump = await backup();
  application.close();
  sql('DELETE FROM items');
  await restore(dump);
  assert.match(content(), /9999\|AA/);
});

test('a database is restored where there is none, and where the file is destroyed', async () => {
  const before = content();
  const dump = await backup();
  check('rm', [path]);
  await restore(dump);
  assert.is(content(), before);

  check('dd', ['if=/dev/zero', `of=${path}`, 'bs=4096', 'count=3', 'conv=notrunc'], { user: podUser });
  await restore(dump);
  assert.is(content(), before);
  assert.is(
    readdirSync(volume).filter((name) => name.includes('.damaged-')).length,
    1,
    'the old file is kept',
  );
});

test('nothing is touched before the stream has ended', async () => {
  const input = await backup();
  sql('DELETE FROM items WHERE id = 1');
  const changed = content();
  const killed = await run({
    ...{ procedure: 'sqlite', operation: 'restore', params, input },
    beforeEnd: async () => {
      await sleep(500);
      return 'kill';
    },
  });
  assert.is(killed.signal, 'SIGKILL');
  assert.is(content(), changed);

  const torn = await refuseRestore(input.subarray(0, input.length / 2));
  assert.match(torn.stderr, /this backup is damaged/);
  const other = await refuseRestore(Buffer.from('PGDMP'));
  assert.match(other.stderr, /no SQLite database/);
  assert.is(content(), changed);
});

test('a locked database is left as it was', async () => {
  const input = await backup();
  sql('DELETE FROM items WHERE id = 1');
  const application = open('sqlite3', ['-batch', path], podUser);
  await application.ask('BEGIN; DELETE FROM items WHERE id = 2; SELECT 1;');
  const started = run({ procedure: 'sqlite', operation: 'restore', params, input });
  await sleep(500);
  await application.ask('ROLLBACK; SELECT 1;');
  assert.is((await started).code, 0, 'it waits until the lock is free');
  application.close();
});

test('a damaged or missing database is not backed up', async () => {
  check('dd', ['if=/dev/urandom', `of=${path}`, 'bs=4096', 'seek=2', 'count=3', 'conv=notrunc'], {
    user: podUser,
  });
  const damaged = await refuse({ procedure: 'sqlite', operation: 'backup', params });
  assert.is(damaged.stdout.length, 0);
  assert.match(damaged.stderr, /the database is damaged/);

  const missing = join(volume, 'missing.db');
  const refused = await refuse({
    procedure: 'sqlite',
    operation: 'backup',
    params: { ...params, path: missing },
  });
  assert.match(refused.stderr, /there is no file .*missing\.db/);
  assert.not.ok(existsSync(missing));
});

test.run();
