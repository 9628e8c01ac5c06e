/** A real PostgreSQL with databases that are alike: what was backed up, and what has become of it since. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../../eventually.ts';
import { psql, type Server, startPostgres } from '../../procedures/databases.ts';
import { find } from '../../procedures/machine.ts';
import { newSecret } from './server.ts';

const ROWS = 24_000;

/** Half of it is hashes, so that it stays some mebibytes when it is compressed. */
const FILL = `CREATE TABLE items (id int PRIMARY KEY, state text NOT NULL, v text NOT NULL);
  INSERT INTO items SELECT i, 'as backed up', md5(i::text) || md5((i * 7)::text) || sha256(i::text::bytea)::text
    FROM generate_series(1, ${ROWS}) i;
  CREATE INDEX items_by_v ON items (v);
  CREATE TABLE orders (id serial PRIMARY KEY, item int REFERENCES items);
  INSERT INTO orders (item) SELECT i FROM generate_series(1, ${ROWS}, 7) i;
  CREATE VIEW totals AS SELECT state, count(*) AS n FROM items GROUP BY state;`;
const CHANGE = `UPDATE items SET state = 'changed since' WHERE id % 3 = 0; DELETE FROM orders WHERE id % 2 = 0;
  CREATE TABLE IF NOT EXISTS later (note text); INSERT INTO later VALUES ('not in the backup');`;
const CHECKSUM = `SELECT md5(string_agg(i::text, ',' ORDER BY id)) FROM items i;
  SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o; SELECT sum(n) FROM totals;
  SELECT string_agg(relname || relkind::text, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace;
  SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1;`;

export class Databases {
  readonly password = newSecret();
  #server: Server | undefined;

  static async start(names: readonly string[]): Promise<Databases> {
    const databases = new Databases();
    databases.#server = await startPostgres(databases.password);
    databases.sql('original', 'SELECT 1', 'CREATE DATABASE original');
    databases.sql('original', FILL);
    for (const name of names) databases.create(name);
    return databases;
  }

  stop(): Promise<void> {
    return this.#server?.stop() ?? Promise.resolve();
  }

  /** (Re-)creates a database that has changed since it was backed up. */
  create(name: string): void {
    this.sql('postgres', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    this.sql('postgres', `CREATE DATABASE ${name} TEMPLATE original`);
    this.sql(name, CHANGE);
  }

  /** Changes a database that was restored. */
  change(name: string): void {
    this.sql(name, CHANGE);
  }

  checksum(name: string): string {
    return this.sql(name, CHECKSUM);
  }

  /** Waits until no session is left in the database. @returns how many are left. */
  async sessions(name: string): Promise<number> {
    const count = () =>
      Number(
        this.sql(
          'postgres',
          `SELECT count(*) FROM pg_stat_activity WHERE datname = '${name}' AND backend_type = 'client backend'`,
        ),
      );
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end && count() > 0; await sleep(100));
    return count();
  }

  /** What a command needs to reach it. */
  env(name: string): Record<string, string> {
    return {
      PGHOST: '127.0.0.1',
      PGPORT: String(this.#server?.port),
      PGUSER: 'postgres',
      PGPASSWORD: this.password,
      PGDATABASE: name,
      PATH: `${find('pg_dump')?.replace(/\/[^/]+$/, '')}:${process.env.PATH}`,
    };
  }

  sql(database: string, statements: string, before?: string): string {
    const account = { port: this.#server?.port ?? 0, password: this.password };
    if (before !== undefined) psql({ ...account, db: 'postgres' }, before);
    return psql({ ...account, db: database }, statements);
  }
}
