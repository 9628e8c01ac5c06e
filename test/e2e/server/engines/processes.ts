/** Real servers for these tests: each an instance of its own in a temporary folder on a free port. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../../eventually.ts';
import { freePort } from '../../../free-port.ts';

const root = join(import.meta.dirname, '../../../..');
const [postgresBin = ''] = globSync('/usr/lib/postgresql/*/bin').sort().reverse();
const path = [process.env.TOOLS_DIR ?? join(root, '.tools/bin'), postgresBin, process.env.PATH].join(
  delimiter,
);
const privileged = process.getuid?.() === 0;

const folders: string[] = [];
const mounts: string[] = [];
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const mount of mounts) spawnSync('umount', ['--lazy', mount]);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed at the end. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'engines-'));
  folders.push(made);
  return made;
}

/** A small disk of its own, which can be full or read-only. Throws where this user may not mount one. */
export function smallDisk(bytes: number): { path: string; readOnly(): void } {
  const made = folder();
  const mount = (...options: string[]) => spawnSync('mount', ['-t', 'tmpfs', ...options, 'tmpfs', made]);
  if (mount('-o', `size=${bytes},mode=0700`).status !== 0)
    throw new Error('this user may not mount a disk, so full ones cannot be tested: run it as root');
  mounts.push(made);
  return { path: made, readOnly: () => execFileSync('mount', ['-o', 'remount,ro', made]) };
}

function find(program: string): string {
  const found = path.split(delimiter).find((directory) => existsSync(join(directory, program)));
  if (found === undefined) throw new Error(`${program} is missing: test/e2e/install-server.sh installs it`);
  return join(found, program);
}

/** PostgreSQL does not run as root. */
const postgresUser = privileged
  ? {
      uid: Number(execFileSync('id', ['-u', 'postgres'])),
      gid: Number(execFileSync('id', ['-g', 'postgres'])),
    }
  : {};

export class Postgres {
  readonly password = 'p@ss/w:rd';
  readonly port: number;
  readonly #data: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, data: string) {
    this.port = port;
    this.#data = data;
  }

  static async create(): Promise<Postgres> {
    const made = folder();
    if (privileged) chownSync(made, postgresUser.uid ?? 0, postgresUser.gid ?? 0);
    const server = new Postgres(await freePort(), join(made, 'data'));
    const passwordFile = join(folder(), 'password');
    writeFileSync(passwordFile, server.password);
    chmodSync(join(passwordFile, '..'), 0o755);
    const done = spawnSync(
      find('initdb'),
      [
        '-D',
        server.#data,
        '-U',
        'postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--no-sync',
        '-E',
        'UTF8',
      ],
      { ...postgresUser, cwd: '/', encoding: 'utf8' },
    );
    if (done.status !== 0) throw new Error(`initdb: ${done.stderr}`);
    await server.start();
    return server;
  }

  url(database = 'postgres', port = this.port): string {
    return `postgres://postgres:${encodeURIComponent(this.password)}@127.0.0.1:${port}/${database}`;
  }

  async start(): Promise<void> {
    const settings = [
      `port=${this.port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'shared_buffers=16MB',
    ];
    const args = settings.flatMap((setting) => ['-c', setting]);
    this.#child = start(find('postgres'), ['-D', this.#data, ...args], { ...postgresUser, cwd: '/' });
    await until(() => this.sql('select 1') === '1', this.#child);
  }

  /** Ends every session at once, as a failing database does. */
  stop(): Promise<void> {
    return end(this.#child, 'SIGQUIT');
  }

  sql(statement: string, database = 'postgres'): string {
    const done = spawnSync(find('psql'), ['-XAtqc', statement, this.url(database)], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
    return done.stdout.trim();
  }
}

/** MinIO, a real S3 server, with one drive. */
export class Minio {
  readonly port: number;
  readonly accessKey = 'test-access-key';
  readonly secretKey = 'test-secret-key';
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, path: string) {
    this.port = port;
    this.#folder = path;
  }

  static async create(path = folder()): Promise<Minio> {
    const server = new Minio(await freePort(), path);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    this.#child = start(
      find('minio'),
      ['server', '--quiet', '--address', `127.0.0.1:${this.port}`, this.#folder],
      {
        env: {
          ...{
            PATH: path,
            HOME: folder(),
            MINIO_ROOT_USER: this.accessKey,
            MINIO_ROOT_PASSWORD: this.secretKey,
          },
          // MINIO_CI_CD: it may use a folder of the disk that the system is on. GOMAXPROCS: others want to work too.
          ...{ MINIO_CI_CD: '1', MINIO_BROWSER: 'off', MINIO_UPDATE: 'off', GOMAXPROCS: '2' },
        },
      },
    );
    const ready = async () => (await fetch(`http://127.0.0.1:${this.port}/minio/health/ready`)).ok;
    await until(ready, this.#child);
  }

  stop(): Promise<void> {
    return end(this.#child, 'SIGTERM');
  }
}

interface StartOptions {
  uid?: number;
  gid?: number;
  cwd?: string;
  env?: Record<string, string>;
}

const outputs = new WeakMap<ChildProcess, string[]>();

function start(program: string, args: string[], options: StartOptions): ChildProcess {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  outputs.set(child, output);
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => output.push(String(chunk)));
  running.add(child);
  child.once('exit', () => running.delete(child));
  // A server must not keep the tests alive.
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  return child;
}

async function until(ready: () => boolean | Promise<boolean>, child: ChildProcess): Promise<void> {
  for (
    const began = performance.now();
    performance.now() - began < 2 * PATIENCE_MS && child.exitCode === null;
  ) {
    try {
      if (await ready()) return;
    } catch {
      // Not yet.
    }
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error(`${child.spawnfile} did not start:\n${outputs.get(child)?.join('').slice(-5000)}`);
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  child.kill(signal);
  await ended;
}

/** Runs a program of ours in a process of its own; resolves to what it printed. */
export async function inChild(
  script: string,
  args: string[],
  killWhen?: (printed: string) => boolean,
): Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
      if (killWhen?.(printed.stdout)) child.kill('SIGKILL');
    });
  }
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, ...printed });
    });
  });
}
