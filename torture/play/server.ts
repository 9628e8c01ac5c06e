/** A server in a process of its own, which can be killed at any instant and started again under the same address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../../test/server/http/client.ts';

/** Machines can be slow; what hangs does so for longer. */
const START_MS = 180_000;
const STOP_MS = 30_000;
const CLOCK = join(import.meta.dirname, '../shifted-clock.mjs');

export interface Start {
  /** Program and arguments, behind Node.js. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  port: number;
  /** For what belongs to this server alone. */
  folder: string;
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export class Server {
  readonly url: string;
  readonly #start: Start;
  #child: ChildProcess | undefined;
  #output = '';
  /** Everything that it ever logged as a warning or worse, to be kept with a failure. */
  readonly log: string[] = [];
  /** The furthest that its clock was ahead of ours since it was last asked. */
  #ahead = 0;

  constructor(start: Start) {
    this.#start = start;
    this.url = `http://127.0.0.1:${start.port}`;
    this.turnClock(0);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts the process, and does not wait until it listens. */
  spawn(): void {
    const { args, env, folder } = this.#start;
    this.#output = '';
    const child = spawn(process.execPath, args, {
      env: {
        ...{ PATH: process.env.PATH, TZ: 'UTC', NODE_COMPILE_CACHE: join(folder, '../compiled'), ...env },
        ...{ NODE_OPTIONS: `--import=${CLOCK}`, TORTURE_CLOCK: this.#clockFile },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        this.#output = (this.#output + String(text)).slice(-20_000);
        this.log.push(String(text));
        if (this.log.length > 2000) this.log.splice(0, 1000);
      });
    children.add(child);
    child.once('exit', () => children.delete(child));
    this.#child = child;
  }

  /** Resolves once it answers. @throws if it ends, or takes too long */
  async ready(): Promise<void> {
    for (const end = performance.now() + START_MS; performance.now() < end; await sleep(15)) {
      if (!this.alive) break;
      const answer = await call('GET', `${this.url}/health`).catch(() => undefined);
      if (answer?.status === 200) return;
    }
    throw new Error(`the server did not start:\n${this.#output}`);
  }

  async start(): Promise<void> {
    this.spawn();
    await this.ready();
  }

  signal(name: NodeJS.Signals): void {
    if (this.alive) this.#child?.kill(name);
  }

  /** Ends it and waits until the system says that it is gone. @returns its exit status, or the name of the signal */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string> {
    const child = this.#child;
    if (!child) return 0;
    if (this.alive) {
      const exit = once(child, 'exit');
      child.kill(signal);
      const inTime = await Promise.race([exit, sleep(STOP_MS, undefined, { ref: false })]);
      if (inTime === undefined) {
        child.kill('SIGKILL');
        await exit;
        return 'hung';
      }
    }
    return child.exitCode ?? child.signalCode ?? 0;
  }

  /** Has its clock jump, within some milliseconds. */
  turnClock(byMs: number): void {
    this.#ahead = Math.max(this.#ahead, byMs);
    writeFileSync(this.#clockFile, String(byMs));
  }

  /** The latest time that its clock can have shown since the last call. */
  latest(): number {
    const latest = Date.now() + this.#ahead;
    this.#ahead = Number(readFileSync(this.#clockFile, 'utf8'));
    return latest;
  }

  /** Files and sockets that it has open, and its memory in MiB. */
  held(): { files: number; memoryMiB: number } {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      const files = readdirSync(`/proc/${this.pid}/fd`).length;
      return { files, memoryMiB: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024) };
    } catch {
      return { files: 0, memoryMiB: 0 };
    }
  }

  /** What it logged since its last start. */
  get output(): string {
    return this.#output;
  }

  get #clockFile(): string {
    return join(this.#start.folder, 'clock');
  }
}
