/**
 * Tries random inputs on the function, in this process, and reports those that break one of its promises:
 * test/fuzz/promises.ts says which, test/fuzz/inputs.ts what is tried.
 *
 *   node scripts/fuzz.ts --count 100000 --seed 1
 *
 * Inputs that break a promise are written to fixtures/fuzz/, where `npm test` tries them again for ever.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomInput, readCorpus } from '../test/fuzz/inputs.ts';
import { tryInput } from '../test/fuzz/promises.ts';
import { Random } from '../test/fuzz/random.ts';

const MOST_FAILURES = 10;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    // Every how many inputs the output is read by another parser and expanded again.
    thorough: { type: 'string', default: '10' },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);
const corpus = readCorpus();
const random = new Random(seed);
const exitCodes = new Map<number, number>();
const start = performance.now();
let slowest = { milliseconds: 0, index: -1, bytes: 0 };
let failures = 0;

for (let index = 0; index < count && failures < MOST_FAILURES; index++) {
  const input = randomInput(random, corpus);
  const { exitCode, milliseconds, broken } = tryInput(input, index % Number(values.thorough) === 0);
  exitCodes.set(exitCode, (exitCodes.get(exitCode) ?? 0) + 1);
  if (milliseconds > slowest.milliseconds) slowest = { milliseconds, index, bytes: input.length };
  if (broken !== undefined) {
    failures++;
    const file = join('fixtures', 'fuzz', `seed-${seed}-${index}.yaml`);
    writeFileSync(join(import.meta.dirname, '..', file), input);
    console.error(`${file}: ${broken}`);
  }
}

const seconds = (performance.now() - start) / 1000;
const tried = [...exitCodes.values()].reduce((sum, times) => sum + times, 0);
console.log(`${tried} inputs of seed ${seed} in ${seconds.toFixed(1)} s`);
console.log(
  `slowest: ${slowest.milliseconds.toFixed(0)} ms (input ${slowest.index}, ${slowest.bytes} bytes)`,
);
for (const [code, times] of [...exitCodes].sort(([a], [b]) => a - b)) console.log(`exit ${code}: ${times}`);
console.log(`${failures} broken promises`);
if (failures > 0) process.exitCode = 1;
