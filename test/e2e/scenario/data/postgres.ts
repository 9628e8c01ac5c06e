/** One PostgreSQL for all rows, in a container of the row's image; each row has a database of its own in it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../free-port.ts';
import { output, type Service, startService } from '../../containers/service.ts';
import type { Row } from '../matrix.ts';
import { DATABASE_PASSWORD, type Data, MAKE, RESTORE } from './data.ts';

export const POSTGRES_HOST = 'postgres.databases.svc.cluster.local';

const START = `
  printf '%s\\n' "$SUPERUSER_PASSWORD" > /data/password
  initdb --pgdata=/data/db --username=postgres --auth=scram-sha-256 --pwfile=/data/password --no-sync --encoding=UTF8 >&2
  exec postgres -D /data/db -c "port=$PORT" -c unix_socket_directories=/data -c listen_addresses=127.0.0.1 \\
    -c fsync=off -c shared_buffers=32MB -c log_statement=all -c log_line_prefix='%d %a '`;

export class Postgres {
  readonly service: Service;
  readonly port: number;

  private constructor(service: Service, port: number) {
    this.service = service;
    this.port = port;
  }

  static async start(image: string): Promise<Postgres> {
    const port = await freePort();
    const service = await startService({
      name: 'postgres',
      image,
      command: ['sh', '-ec', START],
      env: { SUPERUSER_PASSWORD: DATABASE_PASSWORD, PORT: String(port) },
      options: ['--user=postgres', '--tmpfs=/data:mode=1777'],
      ready: (made) => query(made, port, 'postgres', 'SELECT 1'),
    });
    return new Postgres(service, port);
  }

  query(db: string, sql: string): Promise<string> {
    return query(this.service, this.port, db, sql);
  }

  /** A database with some content, and how a row uses it. */
  async data(db: string): Promise<Data> {
    await this.query('postgres', `CREATE DATABASE "${db}"`);
    await this.query(
      db,
      `CREATE TABLE notes (id serial PRIMARY KEY, text text NOT NULL, bytes bytea);
       CREATE VIEW long_notes AS SELECT * FROM notes WHERE length(text) > 10;
       INSERT INTO notes (text, bytes) SELECT 'note ' || i, sha256(i::text::bytea) FROM generate_series(1, 500) i`,
    );
    const login =
      'export PGHOST={{ .Params.hostname }} PGPORT={{ .Params.port }} PGUSER=postgres PGDATABASE={{ .Params.db }} PGPASSWORD="{{ .Params.password }}"';
    const empty = 'DROP SCHEMA public CASCADE; CREATE SCHEMA public;';
    return {
      params: { hostname: POSTGRES_HOST, port: String(this.port), db, dropSchemas: 'public' },
      secretParams: { 'Params.password': DATABASE_PASSWORD },
      hosts: [POSTGRES_HOST],
      scripts: {
        backup: `#!/bin/bash\nset -e\n${login}\n${MAKE} -c "pg_dump -Fc -Z0"\n`,
        restore: `#!/bin/bash\nset -e\n${login}\n${RESTORE} -c "{ echo '${empty}'; pg_restore -f -; } | psql -qX1 -v ON_ERROR_STOP=1 -o /dev/null"\n`,
      },
      change: (text) =>
        this.query(
          db,
          `INSERT INTO notes (text) VALUES ('${text}'); UPDATE notes SET text = '${text}, too' WHERE id = 7;
           DELETE FROM notes WHERE id = (SELECT min(id) FROM notes WHERE id > 10); CREATE TABLE "${text}" (id int)`,
        ).then(() => undefined),
      state: () =>
        this.query(
          db,
          `SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 2;
           SELECT * FROM notes ORDER BY id; SELECT count(*) FROM long_notes; SELECT nextval('notes_id_seq') > 0`,
        ),
      version: async () => (await this.query(db, 'SHOW server_version')).trim(),
      // The last statement of the procedure's transaction, or the client's own; committed with it.
      loads: async () =>
        this.service.log().match(new RegExp(`^${db} .*statement: COPY public\\.notes .*FROM stdin`, 'gm'))
          ?.length ?? 0,
      blockWhile: (work) => this.#blockWhile(db, work),
      stop: () => Promise.resolve(),
    };
  }

  async #blockWhile(db: string, work: () => Promise<void>): Promise<void> {
    const locked = this.query(
      db,
      "SET application_name = 'lock'; BEGIN; LOCK TABLE notes; SELECT pg_sleep(600); COMMIT",
    ).catch(() => undefined);
    const holds = `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE application_name = 'lock' AND mode = 'AccessExclusiveLock' AND granted AND datname = '${db}'`;
    while ((await this.query('postgres', holds)).trim() === '0') await sleep(50);
    try {
      await work();
    } finally {
      await this.query(
        'postgres',
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lock' AND datname = '${db}'`,
      );
      await locked;
    }
  }
}

function query(service: Service, port: number, db: string, sql: string): Promise<string> {
  return output(service, ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', '-'], {
    env: {
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: 'postgres',
      PGPASSWORD: DATABASE_PASSWORD,
      PGDATABASE: db,
    },
    input: sql,
  });
}

/** Name of the row's database. */
export function databaseOf({ name }: Row): string {
  return name.replaceAll('-', '_');
}
