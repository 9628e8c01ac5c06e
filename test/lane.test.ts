/** The runner itself: nothing that went wrong may look as if it had passed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Lane, type Outcome } from './lane.ts';

const test = suite('test/lane');

const run = (name: string): Promise<Outcome> => new Lane(1, 'ignore').run([`lane-cases/${name}.ts`]);

test('what passes, passes', async () => {
  const { passed, total, wrong, printed } = await run('passes');
  assert.equal([passed, total, wrong], [1, 1, undefined]);
  assert.match(printed, 'test/lane-cases/passes.ts');
});

for (const name of ['fails', 'fails-before', 'skips'])
  test(`not all has passed in one that ${name}`, async () => {
    const { passed, total } = await run(name);
    assert.ok(passed < total, `${passed} of ${total}`);
  });

for (const [name, reason] of [
  ['crashes', /ended in the middle, with exit code 1/],
  ['crashes-late', /left something that failed.*exit code 1/],
  ['never-ends', /ended in the middle, with exit code/],
  ['has-no-test', /has no test/],
  ['does-not-run', /never calls test\.run\(\)/],
] as const)
  test(`something is wrong with one that ${name}`, async () => {
    assert.match((await run(name)).wrong ?? 'nothing', reason);
  });

test('after a crash, the next file has a process of its own', async () => {
  const lane = new Lane(9, 'ignore');
  assert.ok((await lane.run(['lane-cases/crashes.ts'])).wrong);
  assert.is((await lane.run(['lane-cases/passes.ts'])).passed, 1);
  assert.is(await lane.close(), undefined);
});

test.run();
