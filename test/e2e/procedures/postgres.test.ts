import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loudly } from '../loudly.ts';
import { awkwardPassword, occupy, psql, type Server, startPostgres } from './databases.ts';
import { refuse, run, shells, succeed } from './scripts.ts';

const test = suite('postgres');
const password = awkwardPassword;
/** A name that libpq would take for a connection string, were it an argument. */
const db = `a pp'"=$x`;
const quotedDb = `"a pp'""=$x"`;
let server: Server;
let params: Record<string, string>;

const sql = (statements: string, inDb = db) => psql({ port: server.port, password, db: inDb }, statements);

const content = () =>
  sql(`SELECT count(*), md5(string_agg(v, ',' ORDER BY id)) FROM "o'dd"."Items";
    SELECT nextval('"o''dd"."Items_id_seq"') > 0; SELECT * FROM totals; SELECT convert_from(lo_get(4711), 'UTF8');
    SELECT has_schema_privilege('reader', 'public', 'USAGE'), has_table_privilege('reader', 'totals', 'SELECT')`);

function fill(): void {
  sql(`DROP SCHEMA IF EXISTS "o'dd" CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
    GRANT USAGE ON SCHEMA public TO PUBLIC; CREATE SCHEMA "o'dd";
    CREATE TABLE "o'dd"."Items" (id serial PRIMARY KEY, v text);
    INSERT INTO "o'dd"."Items" (v) SELECT repeat(md5(i::text), 40) FROM generate_series(1, 2000) i;
    INSERT INTO "o'dd"."Items" (v) VALUES (E'COMMIT;\\n\\\\.\\n-- verified'), ('ünïcödé'), (NULL);
    CREATE VIEW totals AS SELECT count(*) AS n FROM "o'dd"."Items"; GRANT SELECT ON totals TO reader;
    SELECT lo_unlink(oid) FROM pg_largeobject_metadata; SELECT lo_from_bytea(4711, 'large object');`);
}

test.before(
  loudly(async () => {
    server = await startPostgres(password);
    params = { hostname: '127.0.0.1', port: String(server.port), password, db };
    sql(`CREATE DATABASE ${quotedDb}`, 'postgres');
    sql('CREATE ROLE reader');
  }),
);
test.after(() => server?.stop());

for (const shell of shells) {
  test(`one database: a load brings back what a dump held (${shell})`, async () => {
    fill();
    const before = content();
    const dump = await succeed({ procedure: 'postgres', operation: 'backup', params, shell });
    assert.is(dump.subarray(0, 5).toString(), 'PGDMP');

    sql(`DELETE FROM "o'dd"."Items" WHERE id % 2 = 0; SELECT lo_put(4711, 0, 'LARGE')`);
    await succeed({ procedure: 'postgres', operation: 'restore', params, shell, input: dump });
    assert.is(content(), before);
  });

  test(`one database: what a migration added is in the way unless its schema is dropped (${shell})`, async () => {
    fill();
    const before = content();
    const dump = await succeed({ procedure: 'postgres', operation: 'backup', params, shell });
    sql(
      `DELETE FROM "o'dd"."Items"; CREATE TABLE more (item int REFERENCES "o'dd"."Items"); INSERT INTO more VALUES (NULL)`,
    );
    const changed = content();

    const refused = await refuse({ procedure: 'postgres', operation: 'restore', params, shell, input: dump });
    assert.match(refused.stderr, /other objects depend on it/);
    assert.match(refused.stderr, /set dropSchemas/);
    assert.is(content(), changed, 'a failed load changes nothing');

    const dropping = { ...params, dropSchemas: "public, o'dd" };
    await succeed({ procedure: 'postgres', operation: 'restore', params: dropping, shell, input: dump });
    assert.is(content(), before);
    assert.is(sql("SELECT to_regclass('more') IS NULL"), 't');
  });

  test(`one database: nothing is committed before the stream has ended (${shell})`, async () => {
    fill();
    const dump = await succeed({ procedure: 'postgres', operation: 'backup', params, shell });
    sql(`DELETE FROM "o'dd"."Items" WHERE id % 2 = 0`);
    const changed = content();

    // The complete dump is there, but the client has not yet said that it is authentic.
    const killed = await run({
      procedure: 'postgres',
      operation: 'restore',
      params,
      shell,
      input: dump,
      beforeEnd: async () => {
        await sleep(1500);
        return 'kill';
      },
    });
    assert.is(killed.signal, 'SIGKILL');
    assert.is(content(), changed);

    const half = dump.subarray(0, Math.floor(dump.length / 2));
    const torn = await refuse({ procedure: 'postgres', operation: 'restore', params, shell, input: half });
    assert.match(torn.stderr, /rolled back/);
    assert.is(content(), changed);
  });

  test(`cluster: roles, databases and content come back on a server that is in use (${shell})`, async () => {
    fill();
    const before = content();
    const cluster = { hostname: '127.0.0.1', port: String(server.port), password };
    sql(`ALTER DATABASE ${quotedDb} OWNER TO postgres; DROP ROLE IF EXISTS app;
      CREATE ROLE app LOGIN PASSWORD 'first'; ALTER DATABASE ${quotedDb} OWNER TO app`);
    const dump = await succeed({ procedure: 'postgres', operation: 'backup', params: cluster, shell });

    sql(`ALTER DATABASE ${quotedDb} OWNER TO postgres; ALTER ROLE app NOLOGIN; DELETE FROM "o'dd"."Items"`);
    const sessionEnds = await occupy({ port: server.port, password, db });
    await succeed({ procedure: 'postgres', operation: 'restore', params: cluster, shell, input: dump });
    await sessionEnds();
    assert.is(content(), before);
    assert.is(
      sql(`SELECT rolcanlogin, pg_get_userbyid(datdba) FROM pg_roles, pg_database
      WHERE rolname = 'app' AND datname = current_database()`),
      't|app',
    );

    // A new server, where the superuser has another password than in the dump.
    const other = await startPostgres('another one');
    try {
      const there = { hostname: '127.0.0.1', port: String(other.port), password: 'another one' };
      await succeed({ procedure: 'postgres', operation: 'restore', params: there, shell, input: dump });
      const account = { port: other.port, password: 'another one', db };
      assert.is(psql(account, `SELECT count(*) FROM "o'dd"."Items"`), '2003');
    } finally {
      await other.stop();
    }
  });
}

test('cluster: an incomplete dump is refused before anything is touched', async () => {
  fill();
  const cluster = { hostname: '127.0.0.1', port: String(server.port), password };
  const before = content();
  const dump = await succeed({ procedure: 'postgres', operation: 'backup', params: cluster });
  const half = dump.subarray(0, dump.length - 200);
  const refused = await refuse({ procedure: 'postgres', operation: 'restore', params: cluster, input: half });
  assert.match(refused.stderr, /no complete dump/);
  assert.is(content(), before);
});

test('a dump that does not fit the configuration is refused, and the message says what to set', async () => {
  fill();
  const cluster = { hostname: '127.0.0.1', port: String(server.port), password };
  const one = await succeed({ procedure: 'postgres', operation: 'backup', params });
  const all = await succeed({ procedure: 'postgres', operation: 'backup', params: cluster });
  const before = content();
  const first = await refuse({ procedure: 'postgres', operation: 'restore', params: cluster, input: one });
  assert.match(first.stderr, /Set the parameter db/);
  const second = await refuse({ procedure: 'postgres', operation: 'restore', params, input: all });
  assert.match(second.stderr, /remove the parameter db/);
  assert.is(content(), before);
});

test('owners: skip loads a dump whose roles do not exist', async () => {
  fill();
  sql('CREATE ROLE gone; ALTER VIEW totals OWNER TO gone');
  const dump = await succeed({ procedure: 'postgres', operation: 'backup', params });
  sql('ALTER VIEW totals OWNER TO postgres; DROP ROLE gone');
  const refused = await refuse({ procedure: 'postgres', operation: 'restore', params, input: dump });
  assert.match(refused.stderr, /set owners to skip/);
  await succeed({
    procedure: 'postgres',
    operation: 'restore',
    params: { ...params, owners: 'skip' },
    input: dump,
  });
  assert.is(sql("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'totals'"), 'postgres');
});

test('a wrong password fails with nothing that looks like a dump', async () => {
  for (const shell of shells) {
    for (const wrong of [
      { ...params, password: 'wrong' },
      { ...params, password: 'wrong', db: '' },
    ]) {
      const refused = await refuse({ procedure: 'postgres', operation: 'backup', params: wrong, shell });
      assert.is(refused.stdout.length, 0);
      assert.match(refused.stderr, /password authentication failed/);
    }
  }
});

test.run();
