/** A process that runs test files, and is replaced when one of them takes it down. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of the files of one turn. `wrong` is set where it is more than a test that failed. */
export interface Outcome {
  files: readonly string[];
  passed: number;
  total: number;
  seconds: number;
  printed: string;
  wrong?: string;
}

const WORKER = join(import.meta.dirname, 'lane-worker.ts');
/** Programs that tests start again and again are compiled once. */
const COMPILED = join(import.meta.dirname, '../node_modules/.cache/compiled');
/** Most of what tests make is garbage soon. */
const FLAGS = ['--min-semi-space-size=16'];
/** A process that has nothing left to do ends by itself; one that a test left something running in does not. */
const LEAVE_MS = 60_000;

interface Worker {
  process: ChildProcess;
  /** How it ended, also where that was before anybody asked. */
  ended: Promise<{ code: number | null; how: string }>;
  turnsLeft: number;
}

export class Lane {
  /** How many turns one process takes. Modules stay for good, and each collection of garbage looks at all of them. */
  readonly #turns: number;
  /** Where that goes which is not caught: what child processes write, and the end of a process that crashes. */
  readonly #rest: 'inherit' | 'ignore';
  #worker: Worker | undefined;

  constructor(turns: number, rest: 'inherit' | 'ignore' = 'inherit') {
    this.#turns = turns;
    this.#rest = rest;
  }

  /** Runs files together in one process. Never rejects: a process that ends on the way is an outcome too. */
  async run(files: readonly string[]): Promise<Outcome> {
    const started = performance.now();
    this.#worker ??= startWorker(this.#turns, this.#rest);
    const worker = this.#worker;
    const over = new AbortController();
    const answered = once(worker.process, 'message', over).then(
      ([answer]) => answer as Omit<Outcome, 'seconds'>,
    );
    answered.catch(() => {});
    const ended = worker.ended.then(({ how }): Omit<Outcome, 'seconds'> => {
      this.#worker = undefined;
      const wrong = `its process ended in the middle, with ${how}`;
      return { files, passed: 0, total: 1, printed: titleOf(files), wrong };
    });
    // Where it has ended already, that is the outcome.
    worker.process.send(files, () => {});
    const outcome = await Promise.race([answered, ended]);
    over.abort();
    const left = --worker.turnsLeft > 0 ? undefined : await this.close();
    const wrong = outcome.wrong ?? left;
    return { ...outcome, ...(wrong && { wrong }), seconds: (performance.now() - started) / 1000 };
  }

  /** Lets the process go. @returns what is wrong if it does not leave by itself, and well. */
  async close(): Promise<string | undefined> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (!worker) return undefined;
    if (worker.process.connected) worker.process.disconnect();
    const end = await Promise.race([worker.ended, sleep(LEAVE_MS, undefined, { ref: false })]);
    if (end?.code === 0) return undefined;
    if (end) return `it, or a file before it, left something that failed: its process ended with ${end.how}`;
    worker.process.kill('SIGKILL');
    return 'it, or a file before it, left something running: the process has nothing to do and does not end';
  }
}

function startWorker(turnsLeft: number, rest: 'inherit' | 'ignore'): Worker {
  const worker = fork(WORKER, {
    stdio: ['ignore', rest, rest, 'ipc'],
    execArgv: FLAGS,
    env: { NODE_COMPILE_CACHE: COMPILED, ...process.env },
  });
  const ended = once(worker, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    how: String(signal ?? `exit code ${code}`),
  }));
  return { process: worker, ended, turnsLeft };
}

/** As it stands above what a file prints. */
export function titleOf(files: readonly string[]): string {
  return files.map((file) => `test/${file}\n`).join('');
}
