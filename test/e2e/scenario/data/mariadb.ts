/** One MariaDB for all rows, in a container of the row's image; each row has a database of its own in it. */

import { freePort } from '../../../free-port.ts';
import { output, type Service, startService } from '../../containers/service.ts';
import { DATABASE_PASSWORD, type Data, MAKE, RESTORE } from './data.ts';

const HOST = 'mariadb.databases.svc.cluster.local';

const START = `
  mariadb-install-db --no-defaults --datadir=/data/db --auth-root-authentication-method=normal --skip-test-db >&2
  printf "CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '%s';\\nGRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\\n" \\
    "$ROOT_PASSWORD" > /data/init.sql
  exec mariadbd --no-defaults --datadir=/data/db --port="$PORT" --bind-address=127.0.0.1 --socket=/data/socket \\
    --pid-file=/data/pid --skip-name-resolve --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=32M \\
    --init-file=/data/init.sql`;

export class Mariadb {
  readonly service: Service;
  readonly port: number;

  private constructor(service: Service, port: number) {
    this.service = service;
    this.port = port;
  }

  static async start(image: string): Promise<Mariadb> {
    const port = await freePort();
    const service = await startService({
      name: 'mariadb',
      image,
      command: ['sh', '-ec', START],
      env: { ROOT_PASSWORD: DATABASE_PASSWORD, PORT: String(port) },
      options: ['--user=mysql', '--tmpfs=/data:mode=1777'],
      ready: (made) => query(made, port, '', 'SELECT 1'),
    });
    return new Mariadb(service, port);
  }

  query(db: string, sql: string): Promise<string> {
    return query(this.service, this.port, db, sql);
  }

  /** A database with some content, and how a row uses it. */
  async data(db: string): Promise<Data> {
    await this.query('', `CREATE DATABASE ${db} CHARACTER SET utf8mb4`);
    await this.query(
      db,
      `CREATE TABLE notes (id int AUTO_INCREMENT PRIMARY KEY, text varchar(100) NOT NULL, bytes varbinary(32));
       CREATE VIEW long_notes AS SELECT * FROM notes WHERE length(text) > 10;
       INSERT INTO notes (text, bytes) SELECT concat('note ☕ ', seq), unhex(sha2(seq, 256)) FROM seq_1_to_500;`,
    );
    const login = 'export MYSQL_PWD="{{ .Params.password }}"';
    const where = '--no-defaults --protocol=TCP -h {{ .Params.hostname }} -P {{ .Params.port }} -u root';
    const empty = `DROP DATABASE {{ .Params.db }}; CREATE DATABASE {{ .Params.db }}; USE {{ .Params.db }};`;
    return {
      params: { hostname: HOST, port: String(this.port), db, recreate: 'true' },
      secretParams: { 'Params.password': DATABASE_PASSWORD },
      hosts: [HOST],
      scripts: {
        backup: `#!/bin/bash\nset -e\n${login}\n${MAKE} -c "mariadb-dump ${where} --single-transaction {{ .Params.db }}"\n`,
        restore: `#!/bin/bash\nset -e\n${login}\n${RESTORE} -c "cat > /tmp/dump; { echo '${empty}'; cat /tmp/dump; } | mariadb ${where}"\n`,
      },
      change: (text) =>
        this.query(
          db,
          `INSERT INTO notes (text) VALUES ('${text}'); UPDATE notes SET text = '${text}, too' WHERE id = 7;
           DELETE FROM notes WHERE id > 10 ORDER BY id LIMIT 1; CREATE TABLE \`${text}\` (id int)`,
        ).then(() => undefined),
      state: () =>
        this.query(
          db,
          'SHOW TABLES; SELECT id, text, hex(bytes) FROM notes ORDER BY id; SELECT count(*) FROM long_notes',
        ),
      version: async () => (await this.query('', 'SELECT version()')).trim(),
      stop: () => Promise.resolve(),
    };
  }
}

function query(service: Service, port: number, db: string, sql: string): Promise<string> {
  const words = [
    ...['mariadb', '--no-defaults', '-N', '--batch', '--default-character-set=utf8mb4', '--protocol=TCP'],
    ...['-h127.0.0.1', `-P${port}`, '-uroot', `--database=${db}`],
  ];
  return output(service, words, { env: { MYSQL_PWD: DATABASE_PASSWORD }, input: sql });
}
