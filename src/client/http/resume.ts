/** Taking up a download where it broke off. */
import type { IncomingHttpHeaders } from 'node:http';
import { damaged, type Expected, refuseCodings, request, versionIn } from './download-request.ts';
import { codeOf, type Exchange, SILENT } from './exchange.ts';
import { explainFault, isTemporaryFault } from './faults.ts';
import { type Attempt, failed, quoted } from './reasons.ts';
import { patient, pause, spread, type Tokens } from './retries.ts';

/** Tries in a row that bring not a byte. */
const MOST_TRIES = 5;

/** What broke a download. */
export interface Interrupted {
  error: unknown;
}

export interface Resumption {
  attempt: Attempt;
  session: Tokens;
  collectionId: string;
  expected: Expected;
  /** Bytes that were given out already. */
  position: number;
  /** What broke it. */
  cause: unknown;
  /** How often it was taken up since the last byte. */
  tries: number;
}

/** @returns the rest of the same version. @throws {UserError} if it cannot be had, or the signal's reason */
export async function resume({
  attempt,
  session,
  collectionId,
  expected,
  position,
  cause,
  tries,
}: Resumption): Promise<Exchange> {
  const { connection } = attempt;
  const { size, etag, versionNumber } = expected;
  const reason = explainFault(cause, attempt);
  const progress = `after ${position} of ${size ?? 'an unknown number of'} bytes`;
  const passes = isTemporaryFault(cause) || codeOf(cause) === SILENT;
  if (!passes || tries >= MOST_TRIES) {
    throw failed(attempt, { ...reason, why: `${reason.why} ${progress}` }, cause);
  }
  // A weak tag does not promise the same bytes. `latest` may be another version by now.
  if (!etag?.startsWith('"') || size === undefined || versionNumber === undefined) {
    throw failed(
      attempt,
      {
        code: 'unreachable',
        why: `${reason.why} ${progress}, and this server cannot go on where it broke off`,
        hint: 'run it again',
      },
      cause,
    );
  }
  const again = `taking it up again (${tries + 1} of ${MOST_TRIES})`;
  connection.report.warn(`${reason.why} ${progress}; ${again}`, { position, version: versionNumber });
  const { backoffMs } = connection;
  await pause(connection, spread(connection, backoffMs[tries] ?? backoffMs.at(-1) ?? 0));

  const exchange = await request(
    { ...attempt, connection: patient(connection) },
    session,
    { collectionId, version: String(versionNumber) },
    { range: `bytes=${position}-`, 'if-range': etag },
    [200, 206, 416],
  );
  try {
    const { statusCode = 0, headers } = await exchange.response();
    check(statusCode, headers);
    return exchange;
  } catch (error) {
    exchange.destroy();
    throw error;
  }

  function check(status: number, headers: IncomingHttpHeaders): void {
    const number = versionIn(headers);
    if (status === 416 || (headers.etag !== undefined && headers.etag !== etag)) {
      throw damaged(attempt, expected, `it changed on the server ${progress}`);
    }
    if (number !== undefined && number !== versionNumber) {
      throw damaged(attempt, expected, `the server went on with version ${number}`);
    }
    if (status === 200) {
      throw failed(attempt, {
        code: 'unreachable',
        why: `${reason.why} ${progress}, and the server only gives the whole again`,
        hint: 'run it again',
      });
    }
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '');
    if (!range || Number(range[1]) !== position || Number(range[3]) !== size) {
      throw damaged(
        attempt,
        expected,
        `the server went on with "${quoted(headers['content-range'] ?? 'no range', attempt.secrets)}" ${progress}`,
      );
    }
    refuseCodings(attempt, expected, headers);
  }
}
