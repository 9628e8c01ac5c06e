/** The process of a lane: imports the files that it is sent, runs what they queued with uvu, and answers. */
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

let running = Promise.resolve();
process.on('message', (files: readonly string[]) => {
  running = running.then(async () => {
    const answer = await run(files);
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
  }
  return answer;
}

async function runSuites(suites: readonly Run[], file: string, answer: Answer): Promise<void> {
  if (suites.length === 0) throw new Error(`${file} never calls test.run()`);
  for (const suite of suites) {
    const [errors, ran, , max] = await suite();
    if (typeof errors === 'string') answer.printed += `\n${errors}\n`;
    answer.passed += ran;
    answer.total += max;
  }
}
