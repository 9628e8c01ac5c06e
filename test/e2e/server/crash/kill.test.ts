/** The short form of `kill.ts`, which has the long one and its figures in docs/server-durability.md. */
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { crashes, faults } from './run.ts';
import type { Server } from './server.ts';

test('a server that is killed loses nothing that it acknowledged', async () => {
  const figures = await crashes({ kills: 12, seed: 4, largest: 4 * 1024 * 1024, servingMs: 600 });
  assert.equal(faults(figures), []);
  assert.is(figures.kills, 12);
  // Else the kills would have hit nothing.
  assert.ok(figures.acknowledged > 70, `${figures.acknowledged} uploads were acknowledged`);
  assert.ok(figures.interrupted > 10, `${figures.interrupted} transfers were interrupted`);
});

test('what is missing or not whole would be noticed', async () => {
  const sabotage = ({ folder, objects }: Server) => {
    const database = new DatabaseSync(join(folder, 'data/backups.db'));
    const live = database
      .prepare('select id, object_key from versions where deleted_at is null order by created_at desc')
      .all() as unknown as { id: string; object_key: string }[];
    const [forgotten, cut] = live;
    database.prepare('delete from versions where id = ?').run(forgotten?.id ?? '');
    database.close();
    truncateSync(join(objects, cut?.object_key ?? ''), 100);
  };
  const figures = await crashes({ kills: 1, seed: 4, largest: 100_000, servingMs: 600, sabotage });
  assert.is(figures.lost.length, 1);
  // Seen by two looks, where nothing rotated it away in between.
  assert.is(new Set(figures.half).size, 1);
});

test.run();
