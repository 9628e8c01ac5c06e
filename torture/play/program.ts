/** The client's program in a process of its own, and what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than anything in a round may take. */
const HUNG_MS = 90_000;
/** How long what a client started may outlive it. */
export const OUTLIVES_MS = 10_000;

const SIGNALS: Readonly<Record<string, number>> = { SIGKILL: 137, SIGTERM: 143, SIGINT: 130 };

export interface Ended {
  /** As a shell has it: 128 and the signal's number if a signal ended it. */
  status: number;
  stdout: string;
  stderr: string;
  hung: boolean;
}

export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = this.#watch();
  }

  async #watch(): Promise<Ended> {
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      this.child[name]?.on('data', (text) => {
        said[name] = (said[name] + String(text)).slice(-50_000);
      });
    let hung = false;
    const late = setTimeout(() => {
      hung = true;
      this.child.kill('SIGKILL');
    }, HUNG_MS);
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    const status = await new Promise<number>((resolve) => {
      this.child.once('error', () => resolve(-1));
      this.child.once('exit', (code, signal) => resolve(code ?? SIGNALS[signal ?? ''] ?? -1));
    });
    clearTimeout(late);
    // What it leaves behind may hold its standard error open.
    await Promise.race([closed, sleep(OUTLIVES_MS, undefined, { ref: false })]);
    return { status, ...said, hung };
  }
}

/** Processes whose environment has the mark, for people. */
export function withMark(mark: string): string[] {
  return readdirSync('/proc').flatMap((id) => {
    if (!/^\d+$/.test(id) || !read(id, 'environ').includes(mark)) return [];
    return [`process ${id}: ${read(id, 'cmdline').replaceAll('\0', ' ').trim()}`];
  });
}

function read(id: string, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'latin1');
  } catch {
    // Gone.
    return '';
  }
}
