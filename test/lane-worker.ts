/** The process of a lane: imports the files that it is sent, runs what they queued with uvu, and answers. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, titleOf } from './lane.ts';

type Run = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
type Answer = Omit<Outcome, 'seconds'>;

declare global {
  var UVU_DEFER: number;
  var UVU_INDEX: number;
  var UVU_QUEUE: Run[][];
}

// uvu reads these globals when it is first imported: without them it would start running by itself.
globalThis.UVU_DEFER = 1;

// What tests began is ended by hooks of `exit`, which a signal by itself does not run.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

let running = Promise.resolve();
process.on('message', (files: readonly string[]) => {
  running = running.then(async () => {
    process.channel?.unref();
    const answer = await run(files);
    process.channel?.ref();
    // Whoever is gone does not want it.
    process.send?.(answer, () => {});
  });
});

async function run(files: readonly string[]): Promise<Answer> {
  globalThis.UVU_QUEUE = files.map(() => []);
  const answer: Answer = { files, passed: 0, total: 0, printed: '' };
  // Kept together: another lane prints too. What child processes print is not caught, and comes when it comes.
  const write = process.stdout.write;
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    answer.printed += String(chunk);
    for (const done of rest) if (typeof done === 'function') queueMicrotask(() => done());
    return true;
  }) as typeof write;
  const ends = () => writeSync(1, `\n${answer.printed}\n`);
  const abandoned = () => process.exit(1);
  process.once('exit', ends);
  process.once('disconnect', abandoned);
  try {
    // All before the first runs: what they share is let go when the last of those is done that asked for it.
    for (const [index, file] of files.entries()) {
      globalThis.UVU_INDEX = index;
      await import(join(import.meta.dirname, file));
    }
    for (const [index, file] of files.entries()) {
      answer.printed += `${index > 0 ? '\n' : ''}${titleOf([file])}`;
      await runSuites(globalThis.UVU_QUEUE[index] ?? [], file, answer);
    }
  } catch (error) {
    answer.total++;
    answer.printed ||= titleOf(files);
    answer.wrong = error instanceof Error ? `${error.stack}` : String(error);
  } finally {
    process.stdout.write = write;
    process.off('exit', ends);
    process.off('disconnect', abandoned);
  }
  return answer;
}

async function runSuites(suites: readonly Run[], file: string, answer: Answer): Promise<void> {
  if (suites.length === 0) throw new Error(`${file} never calls test.run()`);
  const before = answer.total;
  for (const suite of suites) {
    const [errors, ran, skipped, max] = await suite();
    if (typeof errors === 'string') answer.printed += `\n${errors}\n`;
    else if (ran < max)
      answer.printed += '\na hook failed, of which uvu does not say how: see loudly() in test/e2e\n';
    answer.passed += ran;
    // What is skipped, or left out by `only`, has not passed.
    answer.total += max + skipped;
  }
  if (answer.total === before) throw new Error(`${file} has no test`);
}
