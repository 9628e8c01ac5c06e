/** A repository of its own, as a process that can be killed and started again on the same port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionMessage } from '../../../../src/wire/messages.ts';
import { pathOf } from '../../../../src/wire/routes.ts';
import { PATIENCE_MS } from '../../../eventually.ts';
import { freePort } from '../../../free-port.ts';
import { type Answer, call } from '../../../server/http/client.ts';
import { ACCOUNTS, type Document, PASSWORD } from '../../../server/http/documents.ts';
import { proofFolder, SERVER } from './programs.ts';

export class Repository {
  readonly url: string;
  /** Of an administrator; good over restarts. */
  token = '';
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #output = '';

  static async start(documents: readonly Document[]): Promise<Repository> {
    const repository = new Repository(documents, await freePort());
    await repository.start();
    const answer = await call('POST', `${repository.url}/api/stable/auth/login`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: PASSWORD }),
    });
    repository.token = (answer.json as { data: { token: string } }).data.token;
    return repository;
  }

  private constructor(documents: readonly Document[], port: number) {
    this.#folder = mkdtempSync(join(proofFolder, 'repository-'));
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    mkdirSync(join(this.#folder, 'config'));
    const yaml = [...ACCOUNTS, ...documents].map((document) => JSON.stringify(document)).join('\n---\n');
    writeFileSync(join(this.#folder, 'config/all.yaml'), yaml);
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  async start(): Promise<void> {
    const args = ['serve', '--config-local-path', join(this.#folder, 'config')];
    args.push('--data-path', join(this.#folder, 'data'), '--listen', `127.0.0.1:${this.#port}`);
    args.push('--provider', 'filesystem', '--log-level', 'warn');
    // A proof sends more requests than a client would.
    args.push('--rate-default-limit', '0', '--rate-auth-limit', '0');
    const env = { PATH: process.env.PATH, BR_JWT_SECRET_KEY: 'k'.repeat(64) };
    this.#output = '';
    const child = spawn(process.execPath, [SERVER, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        this.#output = (this.#output + String(text)).slice(-10_000);
      });
    this.#child = child;
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(20)) {
      if (child.exitCode !== null) break;
      const answer = await call('GET', `${this.url}/health`).catch(() => undefined);
      if (answer?.status === 200) return;
    }
    throw new Error(`the server did not start:\n${this.#output}`);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Ends it and forgets all that it stored. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async versions(collectionId: string): Promise<VersionMessage[]> {
    const answer = await call('GET', `${this.url}${pathOf('versions', { collectionId })}`, {
      token: this.token,
    });
    if (answer.status !== 200) throw new Error(`listing ${collectionId}: ${answer.status} ${answer.bytes}`);
    return (answer.json as { data: { versions: VersionMessage[] } }).data.versions;
  }

  /** A version as the server gives it, with its headers. */
  download(collectionId: string, version = 'latest'): Promise<Answer> {
    return call('GET', `${this.url}${pathOf('download', { collectionId, version })}`, { token: this.token });
  }
}

/** A password that is nowhere by chance. */
export function newSecret(): string {
  return `secret-${randomBytes(12).toString('hex')}`;
}
