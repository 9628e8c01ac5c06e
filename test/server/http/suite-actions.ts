/** The ledger of actions. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClaimData } from '../../../src/wire/messages.ts';
import { dataOf, json, refused, type World } from './world.ts';

export function actionTests(test: Test, world: World): void {
  const acting = world.collection('acting');
  const other = world.collection('acting-other');

  const claim = async (
    key: object,
    options: { as?: string; collectionId?: string; operation?: string } = {},
  ) => {
    const { as = 'admin', collectionId = acting, operation = 'restore' } = options;
    return world.ask(
      'claimAction',
      { collectionId },
      { as, ...json({ ...key, operation, leaseSeconds: 30 }) },
    );
  };

  test('an action is claimed once, carried out once, and then done for good', async () => {
    const key = { namespace: 'shop', name: 'restore-now', runId: 'run-1' };
    const mine = { ...key, holder: 'pod-a' };
    const theirs = { ...key, holder: 'pod-b' };
    assert.is(dataOf<ClaimData>(await claim(mine)).outcome, 'claimed');
    assert.is(dataOf<ClaimData>(await claim(theirs)).outcome, 'running');
    const at = { collectionId: acting };
    assert.is(
      (await world.ask('renewAction', at, { as: 'admin', ...json({ ...mine, leaseSeconds: 60 }) })).status,
      200,
    );
    refused(
      await world.ask('renewAction', at, { as: 'admin', ...json({ ...theirs, leaseSeconds: 60 }) }),
      409,
      'the action is not running under this holder',
      'action-lost',
    );
    assert.is(
      (await world.ask('finishAction', at, { as: 'admin', ...json({ ...theirs, state: 'done' }) })).status,
      409,
    );
    const finished = await world.ask('finishAction', at, {
      as: 'admin',
      ...json({ ...mine, state: 'done', versionNumber: 4 }),
    });
    assert.is(dataOf<{ action: { versionNumber: number } }>(finished).action.versionNumber, 4);
    const again = dataOf<ClaimData>(await claim(theirs));
    assert.is(again.outcome, 'done');
    assert.is(again.action.versionNumber, 4);
    assert.is(dataOf<ClaimData>(await claim({ ...mine, runId: 'run-2' })).outcome, 'claimed');
  });

  test('a failed action is claimed again only by somebody who says so', async () => {
    const key = { namespace: 'shop', name: 'fails', runId: 'run', holder: 'pod' };
    await claim(key);
    await world.ask(
      'finishAction',
      { collectionId: acting },
      { as: 'admin', ...json({ ...key, state: 'failed' }) },
    );
    assert.is(dataOf<ClaimData>(await claim(key)).outcome, 'failed');
    assert.is(dataOf<ClaimData>(await claim({ ...key, retry: true })).outcome, 'claimed');
  });

  test('only those who may act on the collection, and nothing of other collections', async () => {
    const key = { namespace: 'shop', name: 'guarded', runId: 'run', holder: 'pod' };
    refused(
      await claim(key, { as: 'uploader' }),
      403,
      'not authorized to restore with this collection',
      'action-not-authorized',
    );
    assert.is((await claim(key, { as: 'downloader' })).status, 200);
    assert.is((await claim({ ...key, name: 'b' }, { as: 'uploader', operation: 'backup' })).status, 200);
    // The same names in another collection are another action, which nobody can occupy from here.
    assert.is(
      dataOf<ClaimData>(await claim(key, { collectionId: other, operation: 'restore' })).outcome,
      'claimed',
    );
    assert.is(
      (
        await world.ask(
          'finishAction',
          { collectionId: other },
          { as: 'admin', ...json({ ...key, holder: 'somebody', state: 'done' }) },
        )
      ).status,
      409,
    );
    assert.is((await claim({ ...key, name: 'x'.repeat(300) })).status, 400);
    assert.is((await claim({ ...key, unknown: 1 })).status, 400);
  });
}
