/** Asking again, as long as nothing was consumed that cannot be said twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../api/problem.ts';
import { explainAnswer, isTemporaryAnswer, isTokenRefused } from './answers.ts';
import type { Connection } from './connection.ts';
import type { Answer } from './exchange.ts';
import { explainFault, isTemporaryFault } from './faults.ts';
import { type Attempt, failed, type Reason } from './reasons.ts';

/** Servers that ask for more patience are told to the user instead. */
const MOST_PATIENCE_MS = 30_000;

/** Where a request's token comes from. */
export interface Tokens {
  token(): Promise<string>;
  /** True if a token that is not accepted any more can be replaced. */
  readonly renewable: boolean;
  /** Has the next request get another token, if it is still this one that is in use. */
  forget(token: string): void;
}

/** One try: what was asked for, or a refusal that changed nothing. Throws what broke the connection. */
export type Try<T> = { done: T } | { refused: Answer };

/**
 * Tries until it works, the backoff is used up, or the reason is one that does not pass. A token of our own that has expired is
 * replaced once.
 *
 * @param once gets the session's token, or undefined without a session.
 * @throws {UserError}, or the signal's reason
 */
export async function withRetries<T>(
  attempt: Attempt,
  session: Tokens | undefined,
  once: (token: string | undefined) => Promise<Try<T>>,
): Promise<T> {
  const { connection } = attempt;
  let renewed = false;
  for (let tries = 0; ; tries++) {
    const token = await session?.token();
    let reason: Reason;
    let delay: number | undefined;
    let cause: unknown;
    try {
      const result = await once(token);
      if ('done' in result) return result.done;
      const answer = result.refused;
      if (session && token !== undefined && !renewed && session.renewable && isTokenRefused(answer)) {
        renewed = true;
        session.forget(token);
        continue;
      }
      reason = explainAnswer(answer, attempt, token);
      if (isTemporaryAnswer(answer)) delay = delayOf(connection, tries, answer);
    } catch (error) {
      connection.signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      reason = explainFault(error, attempt);
      cause = error;
      if (isTemporaryFault(error)) delay = delayOf(connection, tries);
    }
    if (delay === undefined) throw failed(attempt, reason, cause);
    connection.report.warn(`${failed(attempt, reason).message}; trying again`, { afterMs: delay });
    await pause(connection, delay);
  }
}

/** @throws the signal's reason */
export async function pause({ signal }: Connection, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** A wait of the backoff, spread so that many clients do not come back at once. */
export function spread(ms: number): number {
  return Math.round(ms * (0.8 + Math.random() * 0.4));
}

/** Undefined if there shall be no further try. */
function delayOf({ backoffMs }: Connection, tries: number, answer?: Answer): number | undefined {
  const own = backoffMs[tries];
  if (own === undefined) return undefined;
  const asked = answer && retryAfterMs(answer.headers['retry-after'], Date.now());
  if (asked === undefined) return spread(own);
  return asked > MOST_PATIENCE_MS ? undefined : asked;
}

/** RFC 9110: seconds or a date. */
function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
