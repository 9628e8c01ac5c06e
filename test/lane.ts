/** One process that runs test files one after the other, and is replaced when one of them takes it down. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What became of one file. `wrong` is set where it is more than a test that failed. */
export interface Outcome {
  file: string;
  passed: number;
  total: number;
  seconds: number;
  printed: string;
  wrong?: string;
}

const WORKER = join(import.meta.dirname, 'lane-worker.ts');
/** Most of what tests make is garbage soon. */
const FLAGS = ['--min-semi-space-size=16'];
/** Programs that tests start again and again are compiled once. */
const COMPILED = join(import.meta.dirname, '../node_modules/.cache/compiled');
/** A process that has nothing left to do ends by itself; one that a test left something running in does not. */
const LEAVE_MS = 20_000;

/** Modules stay for good, and each collection of garbage looks at all of them. */
const FRESH_AFTER = 12;

export class Lane {
  #process: ChildProcess | undefined;
  #files = 0;

  /** Runs one file. Never rejects: a process that ends on the way is an outcome too. */
  async run(file: string): Promise<Outcome> {
    const started = performance.now();
    if (this.#files++ % FRESH_AFTER === 0) await this.close();
    this.#process ??= fork(WORKER, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: FLAGS,
      env: { NODE_COMPILE_CACHE: COMPILED, ...process.env },
    });
    const worker = this.#process;
    const left = new AbortController();
    const answered = once(worker, 'message', left).then(([outcome]) => outcome as Omit<Outcome, 'seconds'>);
    const ended = once(worker, 'exit', left).then(([code, signal]) => {
      this.#process = undefined;
      const wrong = `its process ended in the middle, with ${signal ?? `exit code ${code}`}`;
      return { file, passed: 0, total: 1, printed: `test/${file}\n`, wrong };
    });
    for (const waiting of [answered, ended]) waiting.catch(() => {});
    worker.send(file);
    const outcome = await Promise.race([answered, ended]);
    left.abort();
    return { ...outcome, seconds: (performance.now() - started) / 1000 };
  }

  /** Lets the process go. Throws if it does not leave: a test has left something running. */
  async close(): Promise<void> {
    const worker = this.#process;
    if (!worker) return;
    this.#process = undefined;
    const ended = once(worker, 'exit', { signal: AbortSignal.timeout(LEAVE_MS) });
    worker.disconnect();
    try {
      await ended;
    } catch {
      worker.kill('SIGKILL');
      throw new Error('a test left something running: its process has nothing to do and does not end');
    }
  }
}
