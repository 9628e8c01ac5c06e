/**
 * Real databases and the procedures' scripts, as a pod would run them: another user, a private /tmp, nothing in the
 * environment but the parameters. Every database is an instance of its own in a temporary folder on a free port.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { eventually, PATIENCE_MS } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';

const root = join(import.meta.dirname, '../../..');
const toolsDir = process.env.TOOLS_DIR ?? join(root, '.tools/bin');
const [postgresBin = ''] = globSync('/usr/lib/postgresql/*/bin').sort().reverse();
const path = [toolsDir, postgresBin, process.env.PATH, '/usr/sbin'].filter(Boolean).join(delimiter);

/** The programs that these tests cannot do without; test/e2e/install-databases.sh installs them. */
export const tools = [
  ...['busybox', 'dash', 'shellcheck', 'setpriv', 'tar', 'setfattr'],
  ...[
    'postgres',
    'pg_dump',
    'pg_restore',
    'mariadbd',
    'mariadb',
    'mariadb-dump',
    'redis-server',
    'redis-cli',
  ],
  ...['sqlite3', 'etcd', 'etcdctl', 'etcdutl'],
];

/** A user that owns nothing and has no name, as in a pod. */
const podUser = 65532;
const privileged = process.getuid?.() === 0;

export const awkwardPassword = `p'a"s $HOME \\x\`id\`;-- %s`;

export function find(program: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));
}

async function listening(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}

const folders: string[] = [];

/** A folder that only `user` can use; removed when the tests end. */
export function folder(user: string | number = podUser): string {
  const made = mkdtempSync(join(tmpdir(), 'procedures-'));
  folders.push(made);
  if (privileged) check('chown', [String(user), made]);
  return made;
}

/** Runs a program to its end and returns what it wrote; for preparing and looking, not for what is tested. */
export function check(
  program: string,
  args: string[],
  options: {
    env?: Record<string, string>;
    input?: string | Buffer;
    user?: string | number;
    cwd?: string;
  } = {},
): string {
  const [command, ...rest] = asUser(options.user, [program, ...args]);
  const done = spawnSync(command as string, rest, {
    env: { PATH: path, HOME: '/nonexistent', LC_ALL: 'C.UTF-8', ...options.env },
    cwd: options.cwd ?? '/',
    maxBuffer: 1 << 30,
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (done.status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ${done.error?.message ?? done.status}\n${done.stderr}`);
  }
  return done.stdout.toString();
}

/** A session that stays open, as an application would have one. */
export function open(program: string, args: string[], user: string | number) {
  const [command, ...rest] = asUser(user, [program, ...args]);
  const child = spawn(find(command as string) as string, rest, {
    env: { PATH: path, HOME: '/nonexistent' },
    cwd: '/',
    detached: true,
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return {
    /** Sends statements of which only the last one answers, and returns its one line. */
    async ask(statements: string): Promise<string> {
      const answer = new Promise<string>((resolve, reject) => {
        child.stderr.once('data', (error) => reject(new Error(String(error))));
        child.stdout.once('data', (line) => resolve(String(line).trim()));
      });
      child.stdin.write(`${statements}\n`);
      return answer;
    },
    close: () => child.stdin.end(),
  };
}

function asUser(user: string | number | undefined, command: string[]): string[] {
  if (user === undefined || !privileged) return command;
  return [
    'setpriv',
    `--reuid=${user}`,
    '--regid=nogroup',
    '--clear-groups',
    '--inh-caps=-all',
    '--',
    ...command,
  ];
}

// --- the scripts -------------------------------------------------------------------------------------------------

export type Shell = 'dash' | 'busybox';
export const shells: Shell[] = ['dash', 'busybox'];

let busyboxApplets = '';

/** Folder with the applets of busybox, as in an Alpine image, where there are no others. */
export function applets(): string {
  if (busyboxApplets === '') {
    busyboxApplets = folder();
    const busybox = find('busybox') as string;
    for (const name of check(busybox, ['--list']).split('\n').filter(Boolean)) {
      symlinkSync(busybox, join(busyboxApplets, name));
    }
    check('chmod', ['0755', busyboxApplets]);
  }
  return busyboxApplets;
}

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
  /** Command lines seen while it ran that held one of the secrets. */
  leaks: string[];
  /** What was left in the private /tmp. */
  leftovers: string[];
}

export interface Run {
  procedure: string;
  operation: 'backup' | 'restore';
  params: Record<string, string>;
  input?: Buffer;
  shell?: Shell;
  /** Folders instead of the machine's PATH. */
  programs?: string[];
  /** Who runs it; a user without a name when not given. */
  user?: string | number;
  /** Called once `input` was written; standard input stays open until it returns. What it returns decides. */
  beforeEnd?: (child: ChildProcess) => Promise<'end' | 'kill'>;
}

/** Runs one script with the parameters and defaults of its procedure.yaml. */
export async function run(options: Run): Promise<Outcome> {
  const { procedure, operation, params, input, shell = 'dash' } = options;
  const { properties } = describe(procedure).parameters;
  const unknown = Object.keys(params).find((name) => !(name in properties));
  if (unknown !== undefined) throw new Error(`${procedure} has no parameter ${unknown}`);

  const tmp = folder(options.user ?? podUser);
  const env: Record<string, string> = { BM_OPERATION: operation, TMPDIR: tmp, HOME: tmp };
  const secrets: string[] = [];
  for (const [name, parameter] of Object.entries(properties)) {
    const value = params[name] ?? parameter.default;
    if (value !== undefined) env[parameter['x-env']] = value;
    if (value !== undefined && value !== '' && parameter['x-secret']) secrets.push(value);
  }
  env.PATH =
    options.programs?.join(delimiter) ?? (shell === 'busybox' ? [applets(), path].join(delimiter) : path);

  const script = join(root, 'procedures', procedure, `${operation}.sh`);
  const interpreter = shell === 'busybox' ? [find('busybox') as string, 'sh'] : ['/bin/dash'];
  const [command, ...args] = asUser(options.user ?? podUser, [...interpreter, script]);
  // A process group of its own, as the client makes one, so that all of it can be killed at once.
  const child = spawn(find(command as string) ?? (command as string), args, {
    env,
    cwd: '/',
    detached: true,
  });
  running.add(child);

  const leaks = new Set<string>();
  const sampler = setInterval(() => sample(secrets, leaks), 15);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk) => stdout.push(chunk));
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  if (input !== undefined && options.beforeEnd !== undefined) {
    await new Promise((resolve) => child.stdin.write(input, resolve));
    if ((await options.beforeEnd(child)) === 'kill') killGroup(child);
    else child.stdin.end();
  } else {
    child.stdin.end(input);
  }
  const [code, signal] = await ended;
  clearInterval(sampler);
  running.delete(child);
  const leftovers = signal === null ? globSync('**', { cwd: tmp }).filter((name) => name !== '.') : [];
  return { code, signal, stdout: Buffer.concat(stdout), stderr, leaks: [...leaks], leftovers };
}

/** Runs a script that must succeed, leave nothing behind and show no secret. */
export async function succeed(options: Run): Promise<Buffer> {
  const outcome = await run(options);
  const what = `${options.procedure} ${options.operation} (${options.shell ?? 'dash'})`;
  if (outcome.code !== 0)
    throw new Error(`${what} failed: ${outcome.code ?? outcome.signal}\n${outcome.stderr}`);
  if (outcome.leaks.length > 0) throw new Error(`${what} showed a secret: ${outcome.leaks.join('\n')}`);
  if (outcome.leftovers.length > 0) throw new Error(`${what} left ${outcome.leftovers.join(', ')}`);
  return outcome.stdout;
}

/** Runs a script that must fail by itself, leave nothing behind and show no secret, neither in its messages. */
export async function refuse(options: Run): Promise<Outcome> {
  const outcome = await run(options);
  const what = `${options.procedure} ${options.operation} (${options.shell ?? 'dash'})`;
  if (outcome.code === 0) throw new Error(`${what} succeeded, but must not\n${outcome.stderr}`);
  if (outcome.code === null) throw new Error(`${what} was ended by ${outcome.signal}`);
  if (outcome.leaks.length > 0) throw new Error(`${what} showed a secret: ${outcome.leaks.join('\n')}`);
  if (outcome.leftovers.length > 0) throw new Error(`${what} left ${outcome.leftovers.join(', ')}`);
  for (const name of ['password', 'uri']) {
    const secret = options.params[name];
    if (secret && outcome.stderr.includes(secret)) throw new Error(`${what} wrote the ${name} to its log`);
  }
  return outcome;
}

interface Description {
  parameters: { properties: Record<string, { default?: string; 'x-env': string; 'x-secret'?: true }> };
}

function describe(procedure: string): Description {
  return parse(readFileSync(join(root, 'procedures', procedure, 'procedure.yaml'), 'utf8')) as Description;
}

function sample(secrets: string[], leaks: Set<string>): void {
  for (const file of globSync('/proc/[0-9]*/cmdline')) {
    let line = '';
    try {
      line = readFileSync(file, 'utf8');
    } catch {
      continue; // the process has ended
    }
    if (secrets.some((secret) => line.includes(secret))) leaks.add(line.replaceAll('\0', ' '));
  }
}

/** uvu does not print what a hook throws. */
export function loudly(prepare: () => Promise<void>): () => Promise<void> {
  return async () => {
    try {
      await prepare();
    } catch (error) {
      console.error(error);
      throw error;
    }
  };
}

// --- the servers -------------------------------------------------------------------------------------------------

export interface Server {
  port: number;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child);
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has ended
  }
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
