/** The ledger of actions: what GitOps creates again must not happen again. Fails closed: without an answer nothing is done. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../api/problem.ts';
import type { ActionKey } from '../wire/messages.ts';
import { failure } from './failure.ts';
import type { Repository } from './http/repository.ts';
import type { Report } from './report.ts';

/** Which action of which run this is; stays the same however often its Job is created again. */
export interface Action {
  namespace: string;
  name: string;
  runId: string;
  /** Claims an action anew that failed, or whose run went silent. */
  retry: boolean;
}

export interface Guarded {
  repository: Repository;
  collectionId: string;
  operation: 'backup' | 'restore';
  /** Undefined: this is not an action of the ledger; the work is simply done. */
  action: Action | undefined;
  signal: AbortSignal;
  report: Report;
}

/** How long a silent run is believed to go on, and how often a run says that it does. Seconds. */
const LEASE_SECONDS = 300;
const RENEW_SECONDS = 60;

/**
 * Does the work if the ledger gives this run the action, and records how it ended. The work's signal is aborted once the ledger
 * may give the action to somebody else.
 *
 * @returns what the work returned, or `already-done` if an earlier run did it.
 * @throws {UserError} `action-refused` if another run is at it or has failed; what the ledger's server or the work throws.
 */
export async function once<Result extends { versionNumber: number | undefined }>(
  guarded: Guarded,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | 'already-done'> {
  const { action, signal } = guarded;
  if (!action) return work(signal);
  const key: ActionKey = {
    namespace: action.namespace,
    name: action.name,
    runId: action.runId,
    holder: randomBytes(16).toString('hex'),
  };
  if (!(await claim(guarded, key))) return 'already-done';

  const lost = new AbortController();
  const ended = new AbortController();
  const renewing = renew(guarded, key, lost, ended.signal);
  try {
    const result = await work(AbortSignal.any([signal, lost.signal]));
    await finish(guarded, key, { state: 'done', ...versionOf(result) });
    return result;
  } catch (error) {
    await finish(guarded, key, { state: 'failed' });
    throw error;
  } finally {
    ended.abort();
    await renewing;
  }
}

function versionOf({ versionNumber }: { versionNumber: number | undefined }): { versionNumber?: number } {
  return versionNumber === undefined ? {} : { versionNumber };
}

/**
 * Never throws: what is done is done, whether the ledger hears of it or not. If it does not, the claim expires, and the action
 * counts as one that went silent, which nobody does again without being told to.
 */
async function finish(
  { repository, collectionId, report }: Guarded,
  key: ActionKey,
  end: { state: 'done' | 'failed'; versionNumber?: number },
): Promise<void> {
  try {
    await repository.finish(collectionId, key, end);
  } catch (error) {
    report.warn(`the ledger could not be told that the action is ${end.state}`, { reason: sentence(error) });
  }
}

/** True if the action is ours to do. */
async function claim(
  { repository, collectionId, operation, action, report }: Guarded,
  key: ActionKey,
): Promise<boolean> {
  const { outcome, action: known } = await repository.claim(collectionId, key, {
    operation,
    leaseSeconds: LEASE_SECONDS,
    ...(action?.retry && { retry: true }),
  });
  const name = `${key.namespace}/${key.name}`;
  switch (outcome) {
    case 'claimed':
      return true;
    case 'done':
      report.info('this action was done before: nothing to do', {
        action: name,
        run: key.runId,
        at: known.updatedAt,
        version: known.versionNumber ?? undefined,
      });
      return false;
    case 'running':
      throw failure(
        'action-refused',
        `another run of the action ${name} is under way, at least until ${known.leaseUntil}`,
      );
    case 'failed':
      throw failure(
        'action-refused',
        `the action ${name} failed or went silent before (${known.updatedAt}), so nothing is done by itself`,
        'give the RequestedBackupAction another name or run id, or set BM_ACTION_RETRY=true once the state of the data is known',
      );
  }
}

async function renew(
  { repository, collectionId, report }: Guarded,
  key: ActionKey,
  lost: AbortController,
  ended: AbortSignal,
): Promise<void> {
  let until = performance.now() + LEASE_SECONDS * 1000;
  for (;;) {
    await sleep(RENEW_SECONDS * 1000, undefined, { signal: ended, ref: false }).catch(() => {});
    if (ended.aborted) return;
    try {
      await repository.renew(collectionId, key, LEASE_SECONDS);
      until = performance.now() + LEASE_SECONDS * 1000;
    } catch (error) {
      const taken = error instanceof UserError && error.problem.code === 'action-refused';
      if (taken || performance.now() >= until) {
        lost.abort(
          failure(
            'action-refused',
            'the claim of the action was lost, so it was broken off',
            undefined,
            error,
          ),
        );
        return;
      }
      report.warn('the claim of the action could not be renewed and will be tried again', {
        reason: sentence(error),
      });
    }
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
