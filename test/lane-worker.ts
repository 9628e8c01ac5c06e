/** The process of a lane: imports the files that it is sent, runs what they queued with uvu, and answers. */
import { join } from 'node:path';
import type { Outcome } from './lane.ts';

type Run = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;

declare global {
  var UVU_DEFER: number;
  var UVU_INDEX: number;
  var UVU_QUEUE: [null, ...Run[]][];
}

// uvu reads these globals when it is first imported: without them it would start running by itself.
globalThis.UVU_DEFER = 1;
globalThis.UVU_INDEX = 0;

let running = Promise.resolve();
process.on('message', (file: string) => {
  running = running.then(async () => {
    const outcome = await run(file);
    process.send?.(outcome);
  });
});

async function run(file: string): Promise<Omit<Outcome, 'seconds'>> {
  globalThis.UVU_QUEUE = [[null]];
  let printed = `test/${file}\n`;
  // Kept together: another lane prints too. What child processes print is not caught, and comes when it comes.
  const write = process.stdout.write;
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    printed += String(chunk);
    for (const done of rest) if (typeof done === 'function') queueMicrotask(() => done());
    return true;
  }) as typeof write;
  try {
    await import(join(import.meta.dirname, file));
    const [, ...suites] = globalThis.UVU_QUEUE[0] ?? [null];
    let [passed, total] = [0, 0];
    for (const suite of suites) {
      const [errors, ran, , max] = await suite();
      if (typeof errors === 'string') printed += `\n${errors}\n`;
      passed += ran;
      total += max;
    }
    const wrong = suites.length === 0 ? 'never calls test.run()' : undefined;
    return { file, passed, total, printed, ...(wrong === undefined ? {} : { wrong }) };
  } catch (error) {
    return {
      file,
      passed: 0,
      total: 1,
      printed,
      wrong: error instanceof Error ? `${error.stack}` : String(error),
    };
  } finally {
    process.stdout.write = write;
  }
}
