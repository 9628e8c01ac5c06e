/** Asking again, as long as nothing was consumed that cannot be said twice. */
import { UserError } from '../../api/problem.ts';
import { explainAnswer, isTemporaryAnswer, isTokenRefused } from './answers.ts';
import type { Connection } from './connection.ts';
import type { Answer } from './exchange.ts';
import { explainFault, isTemporaryFault } from './faults.ts';
import { type Attempt, failed, type Reason } from './reasons.ts';

/** Servers count by the minute, as ours does. Those that ask for more patience are told to the user instead. */
const MOST_PATIENCE_MS = 65_000;
/** For all that a server asks for before it answers one request: as many as a hundred machines behind one address need. */
const MOST_PATIENCE_IN_ALL_MS = 10 * 60_000;
/** A server that asks for less has not asked for anything, and must not be asked again and again. */
const LEAST_ASKED_MS = 1000;

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
 * Tries until it works, the patience is used up, or the reason is one that does not pass. A token of our own that has expired is
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
  const patience = new Patience(connection);
  let renewed = false;
  for (;;) {
    connection.signal.throwIfAborted();
    const token = session && (await unlessAborted(session.token(), connection.signal));
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
      if (isTemporaryAnswer(answer)) delay = patience.next(answer);
    } catch (error) {
      connection.signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      reason = explainFault(error, attempt);
      cause = error;
      if (isTemporaryFault(error)) delay = patience.next();
    }
    if (delay === undefined) throw failed(attempt, reason, cause);
    connection.report.warn(`${failed(attempt, reason).message}; trying again`, { afterMs: delay });
    await pause(connection, delay);
  }
}

/** @throws the signal's reason */
export async function pause({ sleep, signal }: Connection, ms: number): Promise<void> {
  await sleep(ms, signal).catch(() => signal.throwIfAborted());
}

/** A wait of the backoff, spread so that many clients do not come back at once. */
export function spread({ random }: Connection, ms: number): number {
  return Math.round(ms * (0.8 + random() * 0.4));
}

/** For what hours of work may hang on: a server that is being replaced may take a minute. `more`: as many tries on top of that. */
export function patient(connection: Connection, more = 0): Connection {
  const { backoffMs } = connection;
  const longest = backoffMs.at(-1) ?? 0;
  const waits = [longest * 2, longest * 3, ...Array.from({ length: more }, () => longest * 3)];
  return { ...connection, backoffMs: [...backoffMs, ...waits] };
}

/** The same attempt, which ends with one more signal. */
export function endingWith(attempt: Attempt, signal: AbortSignal | undefined): Attempt {
  if (!signal) return attempt;
  const { connection } = attempt;
  return {
    ...attempt,
    connection: { ...connection, signal: AbortSignal.any([connection.signal, signal]) },
  };
}

/** How long one request is tried again. */
class Patience {
  readonly #connection: Connection;
  /** Of the backoff. */
  #tries = 0;
  /** Because a server asked for it. That is order and no failure, so it counts on its own. */
  #askedMs = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The wait before the next try; undefined if there shall be none. */
  next(answer?: Answer): number | undefined {
    const asked = answer && retryAfterMs(answer.headers['retry-after'], Date.now());
    if (asked === undefined || asked < LEAST_ASKED_MS) {
      const own = this.#connection.backoffMs[this.#tries++];
      return own === undefined ? undefined : spread(this.#connection, own);
    }
    if (asked > MOST_PATIENCE_MS) return undefined;
    // Never less than was asked for; and all who were told the same moment do not come back at it.
    const delay = asked + Math.round(this.#connection.random() * Math.max(LEAST_ASKED_MS, asked / 4));
    this.#askedMs += delay;
    return this.#askedMs > MOST_PATIENCE_IN_ALL_MS ? undefined : delay;
  }
}

/** What the work comes to, or the signal's reason as soon as there is one. The work goes on: others may wait for it as well. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** RFC 9110: seconds or a date. */
function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
