/**
 * The one test runner: imports every `*.test.ts` of a suite into one process and runs them with uvu.
 *
 * uvu by itself lets three mistakes pass: no file matched, a file that never calls `test.run()`, and no
 * closing total. All three fail here.
 *
 *   node test/run.ts            every test outside test/e2e: needs only Node.js
 *   node test/run.ts e2e        test/e2e: needs real tools, and says which are missing
 *   node test/run.ts krm/slice  only the files whose path contains `krm/slice`
 */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';

declare global {
  var UVU_DEFER: number;
  var UVU_INDEX: number;
  var UVU_QUEUE: unknown[][];
}

const root = import.meta.dirname;
const filter = process.argv[2] ?? '';
const endToEnd = filter.startsWith('e2e');

const files = globSync('**/*.test.ts', { cwd: root })
  .filter((file) => file.startsWith('e2e') === endToEnd && file.includes(filter))
  .sort();

if (files.length === 0) fail(`no test file matches "${filter}"`);
if (endToEnd) await (await import('./e2e/tools.ts')).requireTools();

// uvu reads these globals when it is first imported: without them it would start running by itself.
globalThis.UVU_DEFER = 1;
globalThis.UVU_QUEUE = [];
const { exec } = await import('uvu');
for (const [index, file] of files.entries()) {
  globalThis.UVU_INDEX = index;
  globalThis.UVU_QUEUE.push([relative('.', join(root, file))]);
  await import(join(root, file));
  if ((globalThis.UVU_QUEUE[index]?.length ?? 0) < 2) fail(`${file} never calls test.run()`);
}

const totals = await runAll();
console.log(`${totals.passed} passed, ${totals.failed} failed`);
if (totals.failed > 0 || totals.passed === 0) process.exitCode = 1;

/** Runs the queue and reads uvu's own totals, which it only prints. */
async function runAll(): Promise<{ passed: number; failed: number }> {
  let printed = '';
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
    printed = (printed + String(chunk)).slice(-4000);
    return write(chunk, ...rest);
  }) as typeof process.stdout.write;
  await exec(false);
  process.stdout.write = write;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: uvu colours its totals
  const plain = printed.replace(/\u001b\[\d+m/g, '');
  const count = (label: string) => Number(plain.match(new RegExp(`${label}:\\s+(\\d+)`))?.[1] ?? 0);
  return { passed: count('Passed'), failed: count('Total') - count('Passed') };
}

function fail(message: string): never {
  console.error(`test/run.ts: ${message}`);
  process.exit(1);
}
