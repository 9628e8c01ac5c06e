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
  lease?: Lease;
}

/** How long a silent run is believed to go on, and how often a run says that it does. */
export interface Lease {
  seconds: number;
  renewEverySeconds: number;
}

const LEASE: Lease = { seconds: 300, renewEverySeconds: 60 };

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
  const { action, signal, lease = LEASE } = guarded;
  if (!action) return work(signal);
  const key: ActionKey = {
    namespace: action.namespace,
    name: action.name,
    runId: action.runId,
    holder: randomBytes(16).toString('hex'),
  };
  // Before the server hears of it, so that we never believe in it longer than the server does.
  const claimedAt = performance.now();
  if (!(await claim(guarded, key, lease))) return 'already-done';

  const lost = new AbortController();
  const ended = new AbortController();
  const renewing = renew(guarded, { key, lease, claimedAt }, lost, ended.signal);
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
  lease: Lease,
): Promise<boolean> {
  const { outcome, action: known } = await repository.claim(collectionId, key, {
    operation,
    leaseSeconds: lease.seconds,
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
        'look at the state of the data first; then write `retry: true` (BM_ACTION_RETRY=true) or another `runId` into the RequestedBackupAction',
      );
  }
}

/** Renews until the work has ended, or until the claim is no more ours: then `lost` is aborted. */
async function renew(
  { repository, collectionId, report }: Guarded,
  { key, lease, claimedAt }: { key: ActionKey; lease: Lease; claimedAt: number },
  lost: AbortController,
  ended: AbortSignal,
): Promise<void> {
  let until = claimedAt + lease.seconds * 1000;
  const lose = (cause?: unknown) =>
    lost.abort(
      failure('action-refused', 'the claim of the action was lost, so it was broken off', undefined, cause),
    );
  for (;;) {
    await wait(Math.min(lease.renewEverySeconds * 1000, until - performance.now()), ended);
    if (ended.aborted) return;
    const asked = performance.now();
    if (asked >= until) return lose();
    const answer = repository.renew(collectionId, key, lease.seconds).then(
      () => 'renewed' as const,
      (error: unknown) => ({ error }),
    );
    // A server that does not answer must not make us believe in a claim that is over.
    const result = await Promise.race([answer, wait(until - asked, ended)]);
    if (ended.aborted) return;
    if (result === 'renewed') {
      until = asked + lease.seconds * 1000;
    } else if (result === undefined) {
      return lose();
    } else {
      const { error } = result;
      if (error instanceof UserError && error.problem.code === 'action-refused') return lose(error);
      report.warn('the claim of the action could not be renewed and will be tried again', {
        reason: sentence(error),
      });
    }
  }
}

/** Resolves when the time is over or the signal is aborted. */
async function wait(ms: number, signal: AbortSignal): Promise<undefined> {
  await sleep(Math.max(0, ms), undefined, { signal, ref: false }).catch(() => {});
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
