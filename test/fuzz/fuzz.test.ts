import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fixtures } from '../resource-lists.ts';
import { randomInput, readCorpus } from './inputs.ts';
import { tryInput } from './promises.ts';
import { Random } from './random.ts';

const COUNT = 250;

test('inputs that broke a promise once keep it now', () => {
  const folder = join(fixtures, 'fuzz');
  const files = readdirSync(folder);
  assert.ok(files.length > 0);
  for (const file of files)
    assert.is(tryInput(readFileSync(join(folder, file)), true).broken, undefined, file);
});

test('random inputs break no promise; scripts/fuzz.ts tries many more', () => {
  const corpus = readCorpus();
  const random = new Random(1);
  const exitCodes = new Set<number>();
  for (let index = 0; index < COUNT; index++) {
    const run = tryInput(randomInput(random, corpus), index % 10 === 0);
    assert.is(run.broken, undefined, `input ${index} of seed 1`);
    exitCodes.add(run.exitCode);
  }
  // Otherwise the inputs would all be of one sort, and show nothing.
  assert.equal([...exitCodes].sort(), [0, 1]);
});

test.run();
