/** Servers to measure, each in a process of its own, and what curl and the kernel say of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..');
export const MIB = 1024 * 1024;
const PROGRAM = join(root, 'dist/backup-repository/backup-repository.mjs');
const PASSWORD = 'bench';
const PORT = /(?:127\.0\.0\.1:|^)(\d{4,5})\b/m;

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export class Process {
  readonly child: ChildProcess;
  readonly port: number;

  static async start(args: readonly string[]): Promise<Process> {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output = (output + String(text)).slice(-20_000);
      });
    }
    children.add(child);
    for (let wait = 0; wait < 500 && child.exitCode === null; wait++) {
      const [, port] = PORT.exec(output) ?? [];
      if (port) return new Process(child, Number(port));
      await sleep(20);
    }
    child.kill('SIGKILL');
    throw new Error(`${args.join(' ')} did not start:\n${output}`);
  }

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Begins to measure the peak of resident memory anew. */
  resetPeak(): void {
    writeFileSync(`/proc/${this.child.pid}/clear_refs`, '5');
  }

  /** Most resident memory since then, in MiB, as the kernel counts it. */
  peak(): number {
    const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8')) ?? [];
    return Number(kib) / 1024;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

export function startBare(folder: string): Promise<Process> {
  mkdirSync(folder);
  return Process.start([join(root, 'bench/server-bare.ts'), folder]);
}

/** Our server as it is run, with SQLite and a folder. */
export async function startOurs(
  folder: string,
  collections: readonly string[],
  program = PROGRAM,
): Promise<{ server: Process; token: string }> {
  mkdirSync(join(folder, 'config'), { recursive: true });
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build`);
  const { encodePassword } = await import('../src/server/access/password.ts');
  writeFileSync(join(folder, 'config/all.yaml'), configuration(await encodePassword(PASSWORD), collections));
  const paths = ['--config-local-path', join(folder, 'config'), '--data-path', join(folder, 'data')];
  const server = await Process.start([
    ...[program, 'serve', '--provider', 'filesystem', '--listen', '127.0.0.1:0', ...paths],
    ...['--log-level', 'info', '--rate-default-limit', '0'],
  ]);
  const answer = await fetch(`${server.url}/api/stable/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'bench', password: PASSWORD }),
  });
  const { data } = (await answer.json()) as { data: { token: string } };
  return { server, token: data.token };
}

function configuration(password: string, collections: readonly string[]): string {
  const apiVersion = 'backups.riotkit.org/v1alpha1';
  const documents = [
    {
      apiVersion,
      kind: 'BackupUser',
      metadata: { name: 'bench' },
      spec: { password, roles: ['systemAdmin'] },
    },
    ...collections.map((name) => ({
      apiVersion,
      kind: 'BackupCollection',
      metadata: { name },
      spec: {
        filenameTemplate: 'version-${version}.age',
        maxBackupsCount: 1,
        maxOneVersionSize: '20G',
        maxCollectionSize: '40G',
        strategyName: 'fifo',
        accessControl: [{ userName: 'bench', roles: ['collectionManager'] }],
      },
    })),
  ];
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

/** A file that looks encrypted with age and that nothing can compress. */
export function writeSource(path: string, bytes: number): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    let left = bytes - writeSync(file, 'age-encryption.org/v1\n');
    const piece = Buffer.alloc(8 * MIB);
    for (; left > 0; left -= piece.length)
      writeSync(file, randomFillSync(piece), 0, Math.min(left, piece.length));
  } finally {
    closeSync(file);
  }
}

/** Runs curl and resolves to its own wall time in seconds; rejects unless the answer is 200. */
export async function curl(args: readonly string[]): Promise<number> {
  const child = spawn('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{time_total}', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  let problem = '';
  child.stdout.on('data', (text) => {
    output += String(text);
  });
  child.stderr.on('data', (text) => {
    problem += String(text);
  });
  await once(child, 'close');
  children.delete(child);
  const [status, seconds] = output.split(' ');
  if (status !== '200') throw new Error(`curl: ${output} ${problem}`);
  return Number(seconds);
}
