/** The ledger of actions, asked by operations that must not happen twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Guarded, once } from '../../src/client/action.ts';
import { failure } from '../../src/client/failure.ts';
import type { Repository } from '../../src/client/http/repository.ts';
import { eventually, inTime } from '../eventually.ts';
import { failureOf } from './http/world.ts';

const test = suite('client: action');

const ACTION = { namespace: 'shop', name: 'restore-now', runId: '1', retry: false };
const KNOWN = { updatedAt: '2026-01-01T00:00:00Z', leaseUntil: '2026-01-01T00:05:00Z', versionNumber: 4 };

/** A ledger that answers as told, and what happened, in its order. */
function ledger(more: Partial<Record<'claim' | 'renew' | 'finish', (...args: never[]) => unknown>> = {}) {
  const happened: string[] = [];
  const call =
    (name: 'claim' | 'renew' | 'finish', usual: unknown) =>
    async (...args: never[]) => {
      happened.push(name === 'finish' ? `finish ${JSON.stringify(args[2])}` : name);
      return (await more[name]?.(...args)) ?? usual;
    };
  const repository = {
    claim: call('claim', { outcome: 'claimed', action: KNOWN }),
    renew: call('renew', undefined),
    finish: call('finish', undefined),
  } as unknown as Repository;
  const guarded: Guarded = {
    repository,
    collectionId: 'app',
    operation: 'restore',
    action: ACTION,
    signal: new AbortController().signal,
    report: {
      info: (message) => happened.push(`info ${message}`),
      warn: (message) => happened.push(`warn ${message}`),
      progress: () => {},
    },
    lease: { seconds: 0.2, renewEverySeconds: 0.05 },
  };
  const work = async () => {
    happened.push('work');
    return { versionNumber: 7 };
  };
  return { guarded, happened, work };
}

const answering = (outcome: string) => ledger({ claim: () => ({ outcome, action: KNOWN }) });

test('without an action the work is simply done', async () => {
  const { guarded, happened, work } = ledger();
  assert.equal(await once({ ...guarded, action: undefined }, work), { versionNumber: 7 });
  assert.equal(happened, ['work']);
});

test('claimed, done, and recorded with its version', async () => {
  const { guarded, happened, work } = ledger();
  assert.equal(await once(guarded, work), { versionNumber: 7 });
  assert.equal(happened, ['claim', 'work', 'finish {"state":"done","versionNumber":7}']);
});

test('done before: nothing happens, and that is success', async () => {
  const { guarded, happened, work } = answering('done');
  assert.is(await once(guarded, work), 'already-done');
  assert.equal(happened, ['claim', 'info this action was done before: nothing to do']);
});

test('running elsewhere, or failed: nothing happens, and that is failure', async () => {
  for (const [outcome, message, hint] of [
    [
      'running',
      /another run of the action shop\/restore-now is under way, at least until 2026-01-01T00:05/,
      /^$/,
    ],
    ['failed', /shop\/restore-now failed or went silent before/, /BM_ACTION_RETRY=true/],
  ] as const) {
    const { guarded, happened, work } = answering(outcome);
    const said = await failureOf(once(guarded, work));
    assert.is(said.code, 'action-refused');
    assert.match(said.message, message);
    assert.match(said.hint, hint);
    assert.equal(happened, ['claim']);
  }
});

test('retry is said to the ledger only if the user said it', async () => {
  const asked: unknown[] = [];
  for (const retry of [false, true]) {
    const { guarded, work } = ledger({ claim: (...args: unknown[]) => void asked.push(args[2]) } as never);
    await once({ ...guarded, action: { ...ACTION, retry } }, work);
  }
  assert.equal(asked, [
    { operation: 'restore', leaseSeconds: 0.2 },
    { operation: 'restore', leaseSeconds: 0.2, retry: true },
  ]);
});

test('a ledger that cannot be asked: nothing happens', async () => {
  const { guarded, happened, work } = ledger({
    claim: () => {
      throw failure('unreachable', 'away');
    },
  });
  assert.is((await failureOf(once(guarded, work))).code, 'unreachable');
  assert.equal(happened, ['claim']);
});

test('work that fails is recorded as failed, and its error is what is told', async () => {
  const { guarded, happened } = ledger();
  const work = async (): Promise<{ versionNumber: number }> => {
    throw failure('command-failed', 'it did not work');
  };
  assert.is((await failureOf(once(guarded, work))).message, 'it did not work');
  assert.equal(happened, ['claim', 'finish {"state":"failed"}']);
});

test('what is done stays done, though the ledger does not hear of it', async () => {
  const finish = () => {
    throw failure('unreachable', 'away');
  };
  const { guarded, happened, work } = ledger({ finish });
  assert.equal(await once(guarded, work), { versionNumber: 7 });
  assert.is(happened.at(-1), 'warn the ledger could not be told that the action is done');
  assert.is(
    happened.filter((each) => each.startsWith('finish')).length,
    1,
    'and not told the opposite either',
  );
});

test('long work renews its claim', async () => {
  const { guarded, happened } = ledger();
  const renewals = () => happened.filter((each) => each === 'renew').length;
  // Long enough not to run out while this process waits for its turn on a busy machine.
  const lease = { seconds: 2, renewEverySeconds: 0.05 };
  const result = await once({ ...guarded, lease }, async (signal) => {
    await sleep(2200);
    await eventually('renewals', () => renewals() >= 4);
    assert.not.ok(signal.aborted);
    return { versionNumber: 1 };
  });
  assert.equal(result, { versionNumber: 1 });
});

/** Work that ends only when it is told to. */
const endless = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    // Keeps the process alive, as real work does.
    const alive = setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      reject(signal.reason);
    });
  });

test('a claim that somebody else has taken ends the work at once', async () => {
  const renew = () => {
    throw failure('action-refused', 'taken');
  };
  const { guarded, happened } = ledger({ renew });
  const said = await failureOf(once(guarded, endless));
  assert.is(said.code, 'action-refused');
  assert.match(said.message, /the claim of the action was lost/);
  assert.is(happened.filter((each) => each === 'renew').length, 1);
});

test('a claim that cannot be renewed in time ends the work: by errors, or by silence', async () => {
  for (const renew of [
    () => {
      throw failure('unreachable', 'away');
    },
    () => new Promise(() => {}),
  ]) {
    const { guarded } = ledger({ renew });
    const from = performance.now();
    const ended = failureOf(once(guarded, endless));
    assert.match((await inTime(2000, ended)).message, /the claim of the action was lost/);
    const after = performance.now() - from;
    assert.ok(after >= 190, `${after} ms`);
  }
});

test('an error that passes does no harm, and a renewal under way does not hold up the end', async () => {
  let times = 0;
  const { guarded, happened } = ledger({
    renew: () => {
      times++;
      if (times === 1) throw failure('unreachable', 'away');
      return times < 4 ? undefined : new Promise(() => {});
    },
  });
  const lease = { seconds: 60, renewEverySeconds: 0.05 };
  const worked = Promise.withResolvers<void>();
  const ended = once({ ...guarded, lease }, async () => {
    await eventually('a renewal under way', () => times === 4);
    worked.resolve();
    return { versionNumber: 1 };
  });
  await worked.promise;
  await inTime(1500, ended);
  assert.is(happened.filter((each) => each.startsWith('warn ')).length, 1);
});

test('a signal reaches the work', async () => {
  const { guarded } = ledger();
  const stopped = new AbortController();
  setTimeout(() => stopped.abort(failure('interrupted', 'stopped')), 20);
  assert.is((await failureOf(once({ ...guarded, signal: stopped.signal }, endless))).code, 'interrupted');
});

test.run();
