/** The client's program in a process of its own, and what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type Dirent, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../../eventually.ts';
import { CLIENT, proofFolder } from './programs.ts';

const LOOK_EVERY_MS = 40;

export interface StartOptions {
  env: Readonly<Record<string, string>>;
  /** Texts that no command line and no temporary file may hold; looked for while the client runs. */
  secrets?: readonly string[];
  /** Runs this instead, with the client's command line behind it. */
  wrapper?: readonly string[];
}

export interface Ended {
  /** As a shell has it: 128 and the signal's number if a signal ended it. */
  status: number;
  stderr: string;
  stdout: string;
  /** The most memory it ever had, in MiB. */
  peakMiB: number;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGKILL: 137, SIGTERM: 143, SIGINT: 130 };

/** One run of the client. Its own marker in the environment tells everything that it started. */
export class Client {
  readonly child: ChildProcess;
  readonly temporary = mkdtempSync(join(proofFolder, 'tmp-'));
  /** Where secrets were seen. */
  readonly leaks = new Set<string>();
  readonly ended: Promise<Ended>;
  readonly #mark = `PROOF_MARK=${randomUUID()}`;
  readonly #secrets: readonly string[];
  #peakMiB = 0;

  static run(args: readonly string[], options: StartOptions): Promise<Ended> {
    const client = new Client(args, options);
    return client.ended.finally(() => client.forget());
  }

  constructor(args: readonly string[], { env, secrets = [], wrapper = [] }: StartOptions) {
    this.#secrets = secrets;
    const [program = '', ...words] = [...wrapper, process.execPath, CLIENT, ...args];
    const [name = '', mark = ''] = this.#mark.split('=');
    this.child = spawn(program, words, {
      env: { PATH: process.env.PATH, TMPDIR: this.temporary, [name]: mark, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = this.#watch();
  }

  /** Processes that belong to this run, the client among them, as long as they live. */
  processes(): { id: number; line: string }[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && read(name, 'environ').includes(this.#mark))
      .map((name) => ({ id: Number(name), line: read(name, 'cmdline').replaceAll('\0', ' ').trim() }));
  }

  /** What is left although the client has ended: processes, temporary files, secrets that were seen. Empty is well. */
  async remains(): Promise<string[]> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(20))
      if (this.processes().length === 0 && this.#files().length === 0) break;
    return [
      ...this.processes().map(({ id, line }) => `process ${id}: ${line}`),
      ...this.#files().map((file) => `temporary file ${file}`),
      ...this.leaks,
    ];
  }

  forget(): void {
    rmSync(this.temporary, { recursive: true, force: true });
  }

  #files(): string[] {
    return readdirSync(this.temporary, { recursive: true }).map(String);
  }

  async #watch(): Promise<Ended> {
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      this.child[name]?.on('data', (text) => {
        said[name] = (said[name] + String(text)).slice(-100_000);
      });
    const looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    const closed = once(this.child, 'close').catch(() => {});
    const status = await new Promise<number>((resolve) => {
      this.child.once('error', () => resolve(-1));
      this.child.once('exit', (code, signal) => resolve(code ?? SIGNALS[signal ?? ''] ?? -1));
    });
    clearInterval(looking);
    // What it leaves behind may hold its standard error open.
    await Promise.race([closed, sleep(PATIENCE_MS, undefined, { ref: false })]);
    return { status, ...said, peakMiB: this.#peakMiB };
  }

  #look(): void {
    const { pid = 0 } = this.child;
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(String(pid), 'status'))?.[1] ?? 0) / 1024;
    this.#peakMiB = Math.max(this.#peakMiB, peak);
    if (this.#secrets.length === 0) return;
    for (const { id, line } of this.processes()) this.#search(`command line of ${id}`, line);
    // A pipe gives what it holds to whoever reads first.
    for (const entry of entriesOf(this.temporary))
      if (entry.isFile())
        this.#search(`temporary file ${entry.name}`, readOr(join(entry.parentPath, entry.name)));
  }

  #search(where: string, text: string): void {
    for (const secret of this.#secrets) if (text.includes(secret)) this.leaks.add(`secret in ${where}`);
  }
}

function read(id: string, file: 'environ' | 'cmdline' | 'status'): string {
  return readOr(`/proc/${id}/${file}`);
}

/** All below it; less where something goes while it is looked at. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}

/** Empty for what is gone, or is a folder. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
