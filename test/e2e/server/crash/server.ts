/** The server as it is run, in a process of its own that can be killed at any instant. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../../eventually.ts';
import { freePort } from '../../../free-port.ts';
import { call } from '../../../server/http/client.ts';
import { ACCOUNTS, type Document, PASSWORD } from '../../../server/http/documents.ts';

const program = join(import.meta.dirname, '../../../../src/cli/backup-repository.ts');

export class Server {
  readonly folder: string;
  readonly url: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #output = '';

  /** Removes everything when the process ends, however it ends. */
  static async create(documents: readonly Document[], under = tmpdir()): Promise<Server> {
    const folder = mkdtempSync(join(under, 'crash-'));
    mkdirSync(join(folder, 'config'));
    const yaml = [...ACCOUNTS, ...documents].map((document) => JSON.stringify(document)).join('\n---\n');
    writeFileSync(join(folder, 'config/all.yaml'), yaml);
    const server = new Server(folder, await freePort());
    process.once('exit', () => server.remove());
    return server;
  }

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Where the objects are. */
  get objects(): string {
    return join(this.dataPath, 'objects');
  }

  get dataPath(): string {
    return join(this.folder, 'data');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts the process, and does not wait until it listens. */
  spawn(): void {
    this.#output = '';
    const args = ['serve', '--config-local-path', join(this.folder, 'config'), '--data-path', this.dataPath];
    args.push('--listen', `127.0.0.1:${this.#port}`, '--provider', 'filesystem', '--log-level', 'warn');
    // What is measured here are crashes; a test sends more requests than a client would.
    args.push('--rate-default-limit', '0', '--rate-auth-limit', '0');
    const env = { PATH: process.env.PATH, BR_JWT_SECRET_KEY: 'k'.repeat(64) };
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        this.#output = (this.#output + String(text)).slice(-20_000);
      });
    }
    this.#child = child;
  }

  /** Resolves once it answers. */
  async ready(): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(10)) {
      if (this.#child?.exitCode !== null) break;
      const answer = await call('GET', `${this.url}/health`).catch(() => undefined);
      if (answer?.status === 200) return;
    }
    await this.end('SIGKILL');
    throw new Error(`the server did not start:\n${this.#output}`);
  }

  /** Ends it and waits until the system says that it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Sessions are stored, so one token lasts over all restarts. */
  async login(): Promise<string> {
    const answer = await call('POST', `${this.url}/api/stable/auth/login`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: PASSWORD }),
    });
    if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.bytes}`);
    return (answer.json as { data: { token: string } }).data.token;
  }

  /** What it logged since its last start. */
  get output(): string {
    return this.#output;
  }

  remove(): void {
    this.#child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
