/** Real databases: every one is an instance of its own in a temporary folder on a free port. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, PATIENCE_MS } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';
import { asUser, check, find, folder, killGroup, path, running } from './machine.ts';

export const awkwardPassword = `p'a"s $HOME \\x\`id\`;-- %s`;

export interface Server {
  port: number;
  stop(): Promise<void>;
}

interface Start {
  command: string[];
  user: string;
  port: number;
  env?: Record<string, string>;
  ready: () => unknown;
  stopSignal?: NodeJS.Signals;
}

async function start(options: Start): Promise<Server> {
  const [command, ...args] = asUser(options.user, options.command);
  const logFile = join(folder(), 'log');
  const log = openSync(logFile, 'a');
  const child = spawn(find(command as string) ?? (command as string), args, {
    env: { PATH: path, LC_ALL: 'C.UTF-8', ...options.env },
    cwd: '/',
    detached: true,
    // A file, because nobody reads a pipe while a test waits for another program.
    stdio: ['ignore', log, log],
  });
  running.add(child);
  // A server must not keep the test run alive: when all tests have ended, it is killed.
  child.unref();
  let exited = false;
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      exited = true;
      running.delete(child);
      resolve();
    }),
  );
  const stop = async () => {
    child.ref();
    if (!exited && child.pid !== undefined) process.kill(child.pid, options.stopSignal ?? 'SIGTERM');
    const timer = setTimeout(() => killGroup(child), PATIENCE_MS);
    await ended;
    clearTimeout(timer);
  };
  for (const began = performance.now(); performance.now() - began < 2 * PATIENCE_MS && !exited; ) {
    try {
      await options.ready();
      return { port: options.port, stop };
    } catch {
      await sleep(100);
    }
  }
  killGroup(child);
  throw new Error(`${options.command[0]} did not start\n${readFileSync(logFile, 'utf8').slice(-10_000)}`);
}

async function listening(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}

/** A cluster whose superuser "postgres" has the given password; TCP only, like a pod sees it. */
export async function startPostgres(password: string): Promise<Server> {
  const data = folder('postgres');
  const port = await freePort();
  const pwfile = join(folder('postgres'), 'password');
  check('tee', [pwfile], { input: `${password}\n`, user: 'postgres' });
  check(
    'initdb',
    ['--pgdata', data, '--username=postgres', '--auth=scram-sha-256', `--pwfile=${pwfile}`, '--no-sync'],
    {
      user: 'postgres',
    },
  );
  const settings = ['fsync=off', 'shared_buffers=32MB', `unix_socket_directories=${data}`, `port=${port}`];
  return start({
    command: ['postgres', '-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    user: 'postgres',
    port,
    stopSignal: 'SIGINT',
    ready: () => psql({ port, password, db: 'postgres' }, 'SELECT 1'),
  });
}

export interface Account {
  port: number;
  password: string;
  db?: string;
  user?: string;
}

export function psql(account: Account, sql: string): string {
  const { port, password, db = 'postgres', user = 'postgres' } = account;
  return check('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', '-'], {
    env: { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: db },
    input: sql,
  }).trim();
}

/** Opens a session in the database that stays until the server ends it. @returns what waits for that */
export async function occupy(account: Required<Omit<Account, 'user'>>): Promise<() => Promise<void>> {
  const { port, password, db } = account;
  const child = spawn(find('psql') as string, ['-Xqc', 'SELECT pg_sleep(600)'], {
    env: {
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: 'postgres',
      PGPASSWORD: password,
      PGDATABASE: db,
    },
    detached: true,
    stdio: 'ignore',
  });
  running.add(child);
  const ended = new Promise((resolve) => child.once('close', resolve)).finally(() => running.delete(child));
  const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'";
  await eventually('the session', () => psql({ port, password, db: 'postgres' }, sleeping) === '1');
  return async () => {
    if ((await ended) === 0) throw new Error('the session was not ended');
  };
}

export async function startMariadb(password: string): Promise<Server> {
  const data = folder('mysql');
  const port = await freePort();
  const socket = join(data, 's');
  const common = ['--no-defaults', `--datadir=${data}/db`];
  check('mariadb-install-db', [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    user: 'mysql',
  });
  const server = await start({
    command: [
      ...['mariadbd', ...common, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${socket}`],
      ...[
        `--pid-file=${data}/pid`,
        '--skip-name-resolve',
        '--innodb-flush-log-at-trx-commit=0',
        '--event-scheduler=OFF',
      ],
      '--innodb-buffer-pool-size=32M',
    ],
    user: 'mysql',
    port,
    ready: () => check('mariadb', ['--no-defaults', '-uroot', `--socket=${socket}`, '-e', 'SELECT 1']),
  });
  const quoted = password.replaceAll('\\', '\\\\').replaceAll("'", "''");
  check('mariadb', ['--no-defaults', '-uroot', `--socket=${socket}`], {
    input: `CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '${quoted}'; GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;`,
  });
  return server;
}

export function mysql(account: Account, sql: string): string {
  const { port, password, db = '', user = 'root' } = account;
  return check(
    'mariadb',
    [
      '--no-defaults',
      '-N',
      '--batch',
      '--default-character-set=utf8mb4',
      '--protocol=TCP',
      '-h127.0.0.1',
      `-P${port}`,
      `-u${user}`,
      `--database=${db}`,
    ],
    { env: { MYSQL_PWD: password }, input: sql },
  ).trim();
}

export async function startRedis(password: string, settings: string[] = []): Promise<Server> {
  const data = folder('nobody');
  const port = await freePort();
  const config = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${data}`,
    'save ""',
    'repl-diskless-sync-delay 0',
    `requirepass ${JSON.stringify(password)}`,
    ...settings,
  ];
  check('tee', [join(data, 'redis.conf')], { input: config.join('\n'), user: 'nobody' });
  return start({
    command: ['redis-server', join(data, 'redis.conf')],
    user: 'nobody',
    port,
    ready: () => redis({ port, password }, 'PING'),
  });
}

/** One command a line, as redis-cli reads them. */
export function redis(account: Account, commands: string): string {
  return check('redis-cli', ['-e', '-h', '127.0.0.1', '-p', String(account.port)], {
    env: { REDISCLI_AUTH: account.password },
    input: `${commands}\n`,
  }).trim();
}

export async function startEtcd(data: string, user: string): Promise<Server> {
  const port = await freePort();
  const peer = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return start({
    command: [
      ...['etcd', `--data-dir=${data}`, `--listen-client-urls=${url}`, `--advertise-client-urls=${url}`],
      ...[`--listen-peer-urls=http://127.0.0.1:${peer}`, '--log-level=error', '--unsafe-no-fsync'],
    ],
    user,
    port,
    ready: () =>
      etcdctl(port, ['endpoint', 'status'], { ETCDCTL_USER: 'root', ETCDCTL_PASSWORD: awkwardPassword }),
  });
}

export function etcdctl(port: number, args: string[], env: Record<string, string> = {}): string {
  return check('etcdctl', args, {
    env: { ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: `http://127.0.0.1:${port}`, ...env },
  }).trim();
}

/** FerretDB speaks MongoDB's protocol and keeps its data in SQLite files. */
export async function startFerretdb(user: string, password: string): Promise<Server> {
  const data = folder('nobody');
  const port = await freePort();
  return start({
    command: [
      ...['ferretdb', '--handler=sqlite', `--sqlite-url=file:${data}/`, `--listen-addr=127.0.0.1:${port}`],
      ...[
        '--telemetry=disable',
        '--debug-addr=-',
        `--state-dir=${data}`,
        '--log-level=error',
        '--test-enable-new-auth',
      ],
    ],
    env: {
      FERRETDB_SETUP_DATABASE: 'admin',
      FERRETDB_SETUP_USERNAME: user,
      FERRETDB_SETUP_PASSWORD: password,
    },
    user: 'nobody',
    port,
    ready: () => listening(port),
  });
}
