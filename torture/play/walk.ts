/** Claims, renewals and ends of one action by two holders, each step compared with the model of the ledger. */

import type { ClaimData } from '../../src/wire/messages.ts';
import { pathOf } from '../../src/wire/routes.ts';
import { Random } from '../../test/fuzz/random.ts';
import { LedgerModel } from '../ledger.ts';
import type { Walk } from '../operations.ts';
import { ask } from './requests.ts';
import type { Stage } from './stage.ts';

const LEASE_SECONDS = 600;

/** Ends with the first answer that is lost: nobody knows what the ledger has then. */
export async function walk(stage: Stage, operation: Walk): Promise<void> {
  const random = new Random(operation.seed);
  const model = new LedgerModel();
  const collectionId = operation.collection;
  // A clock that jumps makes leases run out, which the model does not know of.
  if (stage.round.kind === 'clock') return;
  const name = `walk-${operation.seed}`;
  for (let step = 0; step < operation.steps; step++) {
    const holder = random.pick(['one', 'two']);
    const key = { namespace: 'torture', name, runId: stage.id, holder };
    const target = { url: stage.url(operation), token: stage.world.token };
    const kind = random.pick(['claim', 'claim', 'renew', 'finish'] as const);
    const retry = random.chance(0.5);
    const state = random.pick(['done', 'failed', 'failed'] as const);
    const versionNumber = random.pick([1, 2]);
    const body = {
      claim: { operation: 'restore', leaseSeconds: LEASE_SECONDS, retry },
      renew: { leaseSeconds: LEASE_SECONDS },
      finish: { state, versionNumber },
    }[kind];
    const route = ({ claim: 'claimAction', renew: 'renewAction', finish: 'finishAction' } as const)[kind];
    const answer = await ask(target, 'POST', pathOf(route, { collectionId }), { ...key, ...body });
    if (!answer || answer.status >= 500) return;
    const expected =
      kind === 'claim'
        ? model.claim(holder, retry)
        : (kind === 'renew' ? model.renew(holder) : model.finish(holder, state, versionNumber))
          ? 200
          : 409;
    const got = kind === 'claim' ? (answer.json as { data: ClaimData }).data?.outcome : answer.status;
    if (got !== expected)
      stage.fault(`the ledger answered ${kind} of ${holder} with ${got}, and not ${expected}`);
  }
}
