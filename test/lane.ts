/** A process that runs test files, and is replaced when one of them takes it down. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

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

export class Lane {
  /** How many turns one process takes. Modules stay for good, and each collection of garbage looks at all of them. */
  readonly #turns: number;
  #process: ChildProcess | undefined;
  #left = 0;

  constructor(turns: number) {
    this.#turns = turns;
  }

  /** Runs files together in one process. Never rejects: a process that ends on the way is an outcome too. */
  async run(files: readonly string[]): Promise<Outcome> {
    const started = performance.now();
    const worker = this.#process ?? this.#start();
    const over = new AbortController();
    const answered = once(worker, 'message', over).then(([answer]) => answer as Omit<Outcome, 'seconds'>);
    const ended = once(worker, 'exit', over).then(([code, signal]) => ({
      ...{ files, passed: 0, total: 1, printed: titleOf(files) },
      wrong: `its process ended in the middle, with ${signal ?? `exit code ${code}`}`,
    }));
    for (const waiting of [answered, ended]) waiting.catch(() => {});
    worker.send(files);
    const outcome = await Promise.race([answered, ended]);
    over.abort();
    const stays = --this.#left > 0 ? undefined : await this.close();
    const wrong = outcome.wrong ?? stays;
    return { ...outcome, ...(wrong && { wrong }), seconds: (performance.now() - started) / 1000 };
  }

  /** Lets the process go. @returns what is wrong if it does not leave by itself. */
  async close(): Promise<string | undefined> {
    const worker = this.#process;
    this.#process = undefined;
    if (!worker || worker.exitCode !== null || worker.signalCode !== null) return undefined;
    const ended = once(worker, 'exit', { signal: AbortSignal.timeout(LEAVE_MS) });
    if (worker.connected) worker.disconnect();
    try {
      await ended;
      return undefined;
    } catch {
      worker.kill('SIGKILL');
      return 'it, or a file before it, left something running: the process has nothing to do and does not end';
    }
  }

  #start(): ChildProcess {
    const worker = fork(WORKER, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: FLAGS,
      env: { NODE_COMPILE_CACHE: COMPILED, ...process.env },
    });
    worker.once('exit', () => {
      if (this.#process === worker) this.#process = undefined;
    });
    this.#left = this.#turns;
    this.#process = worker;
    return worker;
  }
}

/** As it stands above what a file prints. */
export function titleOf(files: readonly string[]): string {
  return files.map((file) => `test/${file}\n`).join('');
}
