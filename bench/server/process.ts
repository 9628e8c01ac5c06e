/** Servers to measure, each in a process of its own, and what the kernel says of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../shared/tools.ts';
import { writeConfiguration } from './configuration.ts';

/** How a server tells where it listens: ours in a line of JSON, the bare one with nothing else. */
const PORT = /(?:127\.0\.0\.1:|^)(\d{4,5})\b/m;
const START_MS = 60_000;
export const PASSWORD = 'bench';
export const USER = 'bench';

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export class Process {
  readonly child: ChildProcess;
  readonly port: number;
  /** From starting the process until it listened. */
  readonly startMs: number;

  static async start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Process> {
    const began = performance.now();
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    children.add(child);
    child.once('exit', () => children.delete(child));
    let output = '';
    const port = await new Promise<number | undefined>((resolve) => {
      const timer = setTimeout(resolve, START_MS, undefined);
      const settle = (found?: number) => {
        clearTimeout(timer);
        resolve(found);
      };
      child.once('close', () => settle());
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (text) => {
          output = (output + String(text)).slice(-20_000);
          const [, number] = PORT.exec(output) ?? [];
          if (number) settle(Number(number));
        });
      }
    });
    if (port !== undefined) return new Process(child, port, performance.now() - began);
    child.kill('SIGKILL');
    throw new Error(`${args.join(' ')} did not start:\n${output}`);
  }

  private constructor(child: ChildProcess, port: number, startMs: number) {
    this.child = child;
    this.port = port;
    this.startMs = startMs;
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
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

export function startBare(folder: string): Promise<Process> {
  mkdirSync(folder);
  return Process.start([join(import.meta.dirname, 'bare.ts'), folder]);
}

export interface OursOptions {
  /** Names, or names with how many versions each keeps. */
  collections: readonly string[] | ReadonlyMap<string, number>;
  flags?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Another build than that in dist/. */
  program?: string | undefined;
}

export interface Ours {
  server: Process;
  /** Of a user who may do anything. */
  token: string;
}

/** Our server as it is run: SQLite and a folder, unless flags say otherwise. Rates are not limited. */
export async function startOurs(folder: string, options: OursOptions): Promise<Ours> {
  const { collections, flags = [], env = {} } = options;
  const program = options.program ?? join(root, 'dist/backup-repository/backup-repository.mjs');
  const kept = collections instanceof Map ? collections : new Map([...collections].map((name) => [name, 1]));
  await writeConfiguration(join(folder, 'config'), kept);
  const paths = ['--config-local-path', join(folder, 'config'), '--data-path', join(folder, 'data')];
  const limits = ['default', 'auth', 'server-health'].flatMap((name) => [`--rate-${name}-limit`, '0']);
  const server = await Process.start(
    [program, 'serve', '--provider', 'filesystem', '--listen', '127.0.0.1:0', ...paths, ...limits, ...flags],
    env,
  );
  const answer = await fetch(`${server.url}/api/stable/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: USER, password: PASSWORD }),
  });
  const { data } = (await answer.json()) as { data: { token: string } };
  return { server, token: data.token };
}
