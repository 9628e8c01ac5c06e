/** The model of the ledger, and beside it the real one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openMetadata } from '../../src/server/metadata/open-metadata.ts';
import { LedgerModel } from '../../torture/ledger.ts';
import { Random } from '../fuzz/random.ts';

const test = suite('torture: ledger');

test('an action is claimed once, and again only after it failed and if that is asked for', () => {
  const ledger = new LedgerModel();
  assert.is(ledger.claim('one', false), 'claimed');
  assert.is(ledger.claim('two', true), 'running');
  assert.is(ledger.claim('one', false), 'claimed');
  assert.not.ok(ledger.finish('two', 'done', 1));
  assert.ok(ledger.finish('one', 'failed', null));
  assert.not.ok(ledger.renew('one'));
  assert.is(ledger.claim('two', false), 'failed');
  assert.is(ledger.claim('two', true), 'claimed');
  assert.ok(ledger.finish('two', 'done', 1));
  assert.ok(ledger.finish('two', 'done', 1), 'saying it again does no harm');
  assert.not.ok(ledger.finish('two', 'done', 2), 'and something else is not the same');
  assert.is(ledger.claim('one', true), 'done');
});

test('five thousand steps of it are those of the real one', async () => {
  const metadata = await openMetadata('sqlite::memory:');
  await metadata.migrate();
  const random = new Random(5);
  for (let action = 0; action < 500; action++) {
    const model = new LedgerModel();
    const key = { collectionId: 'c', namespace: 'n', name: `a${action}`, runId: '1' };
    for (let step = 0; step < 10; step++) {
      const holder = random.pick(['one', 'two']);
      const retry = random.chance(0.5);
      const state = random.pick(['done', 'failed', 'failed'] as const);
      const version = random.pick([1, 2]);
      const named = { ...key, holder };
      switch (random.below(4)) {
        case 0:
          assert.is(await metadata.actions.renew(named, 1000, step), model.renew(holder));
          break;
        case 1:
          assert.is(
            await metadata.actions.finish(named, state, version, step),
            model.finish(holder, state, version),
          );
          break;
        default: {
          const { outcome } = await metadata.actions.claim(
            { ...named, operation: 'restore' },
            1000,
            step,
            retry,
          );
          assert.is(outcome, model.claim(holder, retry));
        }
      }
    }
  }
  await metadata.close();
});

test.run();
