/**
 * Both procedures run against MariaDB: Debian has no MySQL server, and its programs "mysql" and "mysqldump" are
 * MariaDB's. So the mysql scripts are tested with a client and a server of which they use only what both have.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loudly } from '../loudly.ts';
import { awkwardPassword, mysql, type Server, startMariadb } from './databases.ts';
import { folder } from './machine.ts';
import { refuse, run, type Shell, succeed } from './scripts.ts';

const password = awkwardPassword;
/** Looks like an option and like shell; mysqldump itself cannot take quotes in a name. */
const db = '-a pp;$x';
const quotedDb = `\`${db}\``;

for (const [procedure, shell] of [
  ['mariadb', 'dash'],
  ['mysql', 'busybox'],
] as [string, Shell][]) {
  const test = suite(`${procedure} (MariaDB server, ${shell})`);
  let server: Server;
  let cluster: Record<string, string>;
  let params: Record<string, string>;

  const sql = (statements: string, inDb = db) => mysql({ port: server.port, password, db: inDb }, statements);
  const content = () =>
    sql(`SELECT id, hex(v), hex(b) FROM items ORDER BY id; SELECT * FROM totals; CALL greet(); SHOW TABLES;
      SELECT event_name FROM information_schema.events; SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = database()`);

  function fill(): void {
    sql(`DROP DATABASE IF EXISTS ${quotedDb}; CREATE DATABASE ${quotedDb} CHARACTER SET latin1`, '');
    sql(`CREATE TABLE items (id int auto_increment PRIMARY KEY, v text CHARACTER SET utf8mb4, b blob) ENGINE=InnoDB;
      INSERT INTO items (v, b) VALUES ('it''s \\\\ "q"\\r\\n-- Dump', x'00ff0a0d1a'), ('ünï \u{1F600}', NULL),
        ('\\nCREATE DEFINER=\`a\`@\`b\` PROCEDURE', '');
      CREATE VIEW totals AS SELECT count(*) AS n FROM items;
      CREATE TRIGGER stamp BEFORE INSERT ON items FOR EACH ROW SET NEW.v = concat(NEW.v, '!');
      CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM items WHERE id < 0;
      DELIMITER ;;
      CREATE PROCEDURE greet() BEGIN SELECT 'hello'; END;;
      DELIMITER ;`);
  }

  test.before(
    loudly(async () => {
      server = await startMariadb(password);
      cluster = { hostname: '127.0.0.1', port: String(server.port), password };
      params = { ...cluster, db };
    }),
  );
  test.after(() => server?.stop());

  const backup = (options = params) => succeed({ procedure, operation: 'backup', params: options, shell });
  const restore = (input: Buffer, options = params) =>
    succeed({ procedure, operation: 'restore', params: options, shell, input });
  const refuseRestore = (input: Buffer, options = params) =>
    refuse({ procedure, operation: 'restore', params: options, shell, input });

  test('one database: a load brings back what a dump held', async () => {
    fill();
    const before = content();
    const dump = await backup();
    sql(`DELETE FROM items; DROP VIEW totals; DROP PROCEDURE greet; DROP EVENT nightly; DROP TRIGGER stamp`);
    await restore(dump);
    assert.is(content(), before);
  });

  test('recreate removes what the dump does not know, and keeps the character set', async () => {
    fill();
    const before = content();
    const dump = await backup();
    sql('CREATE TABLE migrated (id int)');
    await restore(dump);
    assert.match(content(), /migrated/);
    await restore(dump, { ...params, recreate: 'true' });
    assert.is(content(), before);
    assert.is(sql('SELECT @@character_set_database'), 'latin1');
  });

  test('definers: strip loads what belongs to an account that does not exist', async () => {
    fill();
    sql(`CREATE OR REPLACE USER old@localhost; GRANT ALL ON ${quotedDb}.* TO old@localhost; DROP VIEW totals; DROP TRIGGER stamp; DROP PROCEDURE greet; DROP EVENT nightly;
      CREATE DEFINER=old@localhost VIEW totals AS SELECT 3 AS n;
      CREATE DEFINER=old@localhost TRIGGER stamp BEFORE INSERT ON items FOR EACH ROW SET NEW.v = concat(NEW.v, '!');
      CREATE DEFINER=old@localhost EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM items WHERE id < 0;
      CREATE DEFINER=old@localhost PROCEDURE greet() SELECT 'hello'`);
    const before = content();
    const dump = await backup();
    sql(`DROP USER old@localhost; CREATE OR REPLACE USER app@127.0.0.1 IDENTIFIED BY 'app password';
      GRANT ALL ON ${quotedDb}.* TO app@127.0.0.1`);
    const asApp = { ...params, user: 'app', password: 'app password' };
    const refused = await refuseRestore(dump, asApp);
    assert.match(refused.stderr, /set definers to strip/);
    await restore(dump, { ...asApp, definers: 'strip' });
    assert.is(content(), before);
    assert.is(
      sql(`SELECT DISTINCT definer FROM (SELECT definer FROM information_schema.views WHERE table_schema = database()
        UNION ALL SELECT definer FROM information_schema.triggers WHERE trigger_schema = database()
        UNION ALL SELECT definer FROM information_schema.routines WHERE routine_schema = database()
        UNION ALL SELECT definer FROM information_schema.events WHERE event_schema = database()) AS all_of_them`),
      'app@127.0.0.1',
    );
  });

  test('nothing is touched before the stream has ended', async () => {
    fill();
    const dump = await backup();
    sql('DELETE FROM items WHERE id = 1');
    const changed = content();
    const killed = await run({
      ...{ procedure, operation: 'restore', params, shell, input: dump },
      beforeEnd: async () => {
        await sleep(700);
        return 'kill';
      },
    });
    assert.is(killed.signal, 'SIGKILL');
    assert.is(content(), changed);

    const torn = await refuseRestore(dump.subarray(0, dump.length - 100));
    assert.match(torn.stderr, /no complete dump/);
    assert.is(content(), changed);
  });

  test('a dump cannot run programs', async () => {
    fill();
    const trace = `${folder()}/trace`;
    // Dumps of older versions do not ask for the client's sandbox.
    const dump = (await backup()).toString('latin1').replace(/^.*enable the sandbox mode.*\n/, '');
    const spoilt = dump.replace('-- Dump completed', `\\! touch ${trace}\n-- Dump completed`);
    await refuseRestore(Buffer.from(spoilt, 'latin1'));
    assert.not.ok(existsSync(trace));
  });

  test('all databases: content and accounts come back', async () => {
    fill();
    const before = content();
    sql("CREATE OR REPLACE USER kept@127.0.0.1 IDENTIFIED BY 'kept'");
    const dump = await backup(cluster);
    sql(`DROP DATABASE ${quotedDb}; DROP USER kept@127.0.0.1`, '');
    await restore(dump, cluster);
    assert.is(content(), before);
    assert.is(mysql({ port: server.port, user: 'kept', password: 'kept' }, 'SELECT 1'), '1');

    const wrong = await refuseRestore(dump);
    assert.match(wrong.stderr, /Remove the parameter db/);
    const alsoWrong = await refuseRestore(await backup(), cluster);
    assert.match(alsoWrong.stderr, /Set the parameter db/);
  });

  test('a wrong password fails with nothing that looks like a dump', async () => {
    fill();
    const wrong = { ...params, password: 'wrong' };
    const refused = await refuse({ procedure, operation: 'backup', params: wrong, shell });
    assert.match(refused.stderr, /Access denied/);
    assert.not.match(refused.stdout.toString(), /Dump completed/);
    const before = content();
    const input = await backup();
    await refuse({ procedure, operation: 'restore', params: wrong, shell, input });
    assert.is(content(), before);
  });

  test.run();
}
