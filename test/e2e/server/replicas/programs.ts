/** Servers in processes of their own, and what they hold of the system. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../../eventually.ts';
import { freePort } from '../../../free-port.ts';
import type { Document } from '../../../server/http/documents.ts';
import { folder } from '../engines/processes.ts';

const PROGRAM = join(import.meta.dirname, '../../../../src/cli/backup-repository.ts');
const REPLICA = join(import.meta.dirname, 'replica.ts');
/** Replicas must share one. */
export const TOKEN_KEY = 'a key of the tests, long enough to be one';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Held {
  files: number;
  sockets: number;
  memoryMiB: number;
}

export class Program {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #output: string[] = [];

  private constructor(address: string, args: string[]) {
    this.address = address;
    this.#child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Timeouts of a test must not wait for a machine that is asked for by name.
      env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true' },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => this.#output.push(String(chunk)));
    running.add(this.#child);
    this.#child.once('exit', () => running.delete(this.#child));
  }

  /** The real program, with flags that differ from one test to the next. */
  static async serve(documents: readonly Document[], flags: readonly string[]): Promise<Program> {
    const port = await freePort();
    return Program.#started(port, [
      PROGRAM,
      'serve',
      ...['--config-local-path', configurationOf(documents), '--listen', `127.0.0.1:${port}`],
      ...['--jwt-secret-key', TOKEN_KEY, '--provider', 'filesystem'],
      ...['default', 'auth', 'collection-health', 'server-health'].flatMap((name) => [
        `--rate-${name}-limit`,
        '0',
      ]),
      ...flags,
    ]);
  }

  /** A server with settings that the program has no flags for. */
  static async replica(documents: readonly Document[], options: object): Promise<Program> {
    const port = await freePort();
    const configPath = configurationOf(documents);
    const all = { configPath, dataPath: join(configPath, 'data'), port, jwtKey: TOKEN_KEY, ...options };
    return Program.#started(port, [REPLICA, JSON.stringify(all)]);
  }

  static async #started(port: number, args: string[]): Promise<Program> {
    const program = new Program(`http://127.0.0.1:${port}`, args);
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline && program.#child.exitCode === null) {
      const answer = await fetch(`${program.address}/openapi.json`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok) return program;
      await sleep(50);
    }
    program.#child.kill('SIGKILL');
    throw new Error(`the server did not start:\n${program.output}`);
  }

  get output(): string {
    return this.#output.join('');
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it, by default as a crash does. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.alive) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill(signal);
      await ended;
    }
    return this.#child.exitCode;
  }

  /** What it holds when nothing is under way: the least of a while, as one look may fall on something that passes. */
  async settled(): Promise<Held> {
    let least = this.held();
    for (let look = 0; look < 20; look++) {
      await sleep(25);
      const held = this.held();
      if (held.files < least.files) least = held;
    }
    return least;
  }

  held(): Held {
    const links = readdirSync(`/proc/${this.#child.pid}/fd`).flatMap((name) => {
      try {
        return [readlinkSync(`/proc/${this.#child.pid}/fd/${name}`)];
      } catch {
        // Closed in the meantime.
        return [];
      }
    });
    const [, kib = '0'] =
      /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')) ?? [];
    return {
      files: links.length,
      sockets: links.filter((link) => link.startsWith('socket:')).length,
      memoryMiB: Math.round(Number(kib) / 1024),
    };
  }
}

function configurationOf(documents: readonly Document[]): string {
  const path = folder();
  for (const [index, document] of documents.entries()) {
    // JSON is YAML, too.
    writeFileSync(join(path, `${index}.yaml`), JSON.stringify(document), { mode: 0o600 });
  }
  return path;
}
