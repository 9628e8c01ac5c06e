/** The short form of `kill.ts`, which has the long one and its figures in docs/server-durability.md. */
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Ledger } from './load.ts';
import { crashes, faults } from './run.ts';
import type { Server } from './server.ts';

test('a server that is killed loses nothing that it acknowledged', async () => {
  const atLeast = { acknowledged: 71, interrupted: 11 };
  const figures = await crashes({ kills: 12, seed: 4, largest: 4 * 1024 * 1024, servingMs: 600, atLeast });
  assert.equal(faults(figures), []);
  assert.ok(figures.kills >= 12);
  // Else the kills would have hit nothing.
  assert.ok(figures.acknowledged > 70, `${figures.acknowledged} uploads were acknowledged`);
  assert.ok(figures.interrupted > 10, `${figures.interrupted} transfers were interrupted`);
});

test('what is missing or not whole would be noticed', async () => {
  const sabotage = ({ folder, objects }: Server, ledgers: readonly Ledger[]) => {
    // Of the collection that keeps the most: one version that was stored, and whose answer the crash swallowed, rotates nothing there.
    const [ledger] = [...ledgers].sort((a, b) => b.keeps - a.keeps);
    assert.ok(ledger);
    const forgotten = Math.max(...ledger.acknowledged.keys());
    const database = new DatabaseSync(join(folder, 'data/backups.db'));
    const { changes } = database
      .prepare('delete from versions where collection_id = ? and version_number = ? and deleted_at is null')
      .run(ledger.id, forgotten);
    assert.is(changes, 1);
    const cut = database
      .prepare('select object_key from versions where deleted_at is null order by created_at desc')
      .get() as { object_key: string } | undefined;
    database.close();
    truncateSync(join(objects, cut?.object_key ?? ''), 100);
  };
  const figures = await crashes({ kills: 1, seed: 4, largest: 100_000, servingMs: 600, sabotage });
  assert.is(figures.lost.length, 1);
  // Seen by two looks, where nothing rotated it away in between.
  assert.is(new Set(figures.half).size, 1);
});

test.run();
