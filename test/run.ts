/**
 * The one test runner: runs every `*.test.ts` of a suite with uvu, in a few processes at once.
 *
 * uvu by itself lets four mistakes pass: no file matched, a file that never calls `test.run()`, a process that
 * ends in the middle, and no closing total. All four fail here.
 *
 *   node test/run.ts            every quick test: needs only Node.js
 *   node test/run.ts e2e        test/e2e, which needs real tools and says which are missing, and `*.long.test.ts`, which are
 *                               those of the other tests that start many processes or pass on many bytes
 *   node test/run.ts krm/slice  only the files whose path contains `krm/slice`, quick or long
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { Lane, type Outcome } from './lane.ts';

const filter = process.argv[2] ?? '';
const endToEnd = filter.startsWith('e2e');
/** One more than there are processors for what is small: it waits for processes and clocks, too. */
const lanes = Number(process.env.TEST_LANES ?? availableParallelism() + (endToEnd ? 0 : 1));
/** End to end, the files of a folder share what they stand on, and the next folder begins in a process of its own. */
const turnsOfProcess = endToEnd ? 1 : 12;

const files = globSync('**/*.test.ts', { cwd: import.meta.dirname })
  .filter(isWanted)
  .sort();

if (files.length === 0) {
  console.error(`test/run.ts: no test file matches "${filter}"`);
  process.exit(1);
}
if (endToEnd) await (await import('./e2e/tools.ts')).requireTools();

const started = performance.now();
const outcomes: Outcome[] = [];
const waiting = Object.values(Object.groupBy(files, (file) => (endToEnd ? dirname(file) : file)));
await Promise.all(Array.from({ length: Math.min(lanes, waiting.length) }, work));
report();

function isWanted(file: string): boolean {
  const isLong = file.endsWith('.long.test.ts');
  if (filter === '') return !isLong && !file.startsWith('e2e');
  if (filter === 'e2e') return isLong || file.startsWith('e2e');
  return file.startsWith('e2e') === endToEnd && file.includes(filter);
}

async function work(): Promise<void> {
  const lane = new Lane(turnsOfProcess);
  for (let turn = waiting.shift(); turn !== undefined; turn = waiting.shift()) {
    const outcome = await lane.run(turn);
    outcomes.push(outcome);
    process.stdout.write(`\n${outcome.printed}`);
  }
  const wrong = await lane.close();
  if (wrong === undefined) return;
  console.error(`test/run.ts: ${wrong}`);
  process.exitCode = 1;
}

function report(): void {
  const nameOf = (one: Outcome) => (endToEnd ? dirname(one.files[0] ?? '') : one.files[0]);
  const slowest = outcomes.toSorted((a, b) => b.seconds - a.seconds).slice(0, endToEnd ? 12 : 5);
  console.log(`\nslowest: ${slowest.map((one) => `${nameOf(one)} ${one.seconds.toFixed(1)} s`).join(', ')}`);
  const bad = outcomes.filter(({ wrong }) => wrong !== undefined);
  for (const one of bad) console.error(`test/${nameOf(one)}: ${one.wrong}`);
  const sum = (count: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + count(one), 0);
  const [passed, failed] = [sum((one) => one.passed), sum((one) => one.total - one.passed)];
  const seconds = (performance.now() - started) / 1000;
  console.log(`${passed} passed, ${failed} failed, in ${seconds.toFixed(1)} s`);
  if (failed > 0 || bad.length > 0 || passed === 0) process.exitCode = 1;
}
