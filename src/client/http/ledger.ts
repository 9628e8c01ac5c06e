/** The ledger of actions that must not happen twice. Whatever is not a clear yes is a no. */
import type { ClaimData, ClaimRequest, FinishRequest, RenewRequest } from '../../wire/messages.ts';
import { isNoSuchRoute } from './answers.ts';
import { ask, type Call, dataOf, isSuccess } from './calls.ts';
import { type Attempt, failed } from './reasons.ts';
import type { Tokens } from './retries.ts';

const OUTCOMES: readonly unknown[] = ['claimed', 'done', 'running', 'failed'];

/** Repeating it is harmless: the holder gets the same answer. @throws {UserError}, or the signal's reason */
export async function claim(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  body: ClaimRequest,
): Promise<ClaimData> {
  const data = await post(attempt, session, { route: 'claimAction', parameters: { collectionId }, body });
  if (OUTCOMES.includes(data.outcome)) return data as unknown as ClaimData;
  throw failed(attempt, {
    code: 'action-refused',
    why: 'the server answered something else than an outcome, so nothing was done',
  });
}

/** @throws {UserError} `action-refused` if somebody else has it now, or the signal's reason */
export async function renew(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  body: RenewRequest,
): Promise<void> {
  await post(attempt, session, { route: 'renewAction', parameters: { collectionId }, body });
}

/** @throws {UserError} `action-refused` if somebody else has it now, or the signal's reason */
export async function finish(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  body: FinishRequest,
): Promise<void> {
  await post(attempt, session, { route: 'finishAction', parameters: { collectionId }, body });
}

async function post(attempt: Attempt, session: Tokens, call: Call): Promise<Record<string, unknown>> {
  const answer = await ask(attempt, session, {
    ...call,
    accepts: (given) => isSuccess(given) || isNoSuchRoute(given),
  });
  if (isSuccess(answer)) return dataOf(answer, attempt);
  throw failed(attempt, {
    code: 'action-refused',
    why: `the server has no ledger of actions (${answer.status}), so nothing was done`,
    hint: 'what must not happen twice needs the server of this project; check --url if it is one',
  });
}
