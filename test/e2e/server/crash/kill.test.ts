/** The short form of `kill.ts`, which has the long one and its figures in docs/server-durability.md. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { crashes, faults } from './run.ts';

test('a server that is killed loses nothing that it acknowledged', async () => {
  const figures = await crashes({ kills: 15, seed: 4, largest: 4 * 1024 * 1024 });
  assert.equal(faults(figures), []);
  assert.is(figures.kills, 15);
  // Else the kills would have hit nothing.
  assert.ok(figures.acknowledged > 60, `${figures.acknowledged} uploads were acknowledged`);
  assert.ok(figures.interrupted > 12, `${figures.interrupted} transfers were interrupted`);
});

test.run();
