/** Asking for a version, or the rest of one. */
import type { IncomingHttpHeaders } from 'node:http';
import { HEADERS } from '../../wire/headers.ts';
import { pathOf, ROUTES } from '../../wire/routes.ts';
import { Exchange } from './exchange.ts';
import { type Attempt, failed, quoted } from './reasons.ts';
import { type Tokens, withRetries } from './retries.ts';

export interface Wanted {
  collectionId: string;
  /** `latest`, `3` or `v3`. */
  version: string;
}

/** What the content must turn out to be. */
export interface Expected {
  size: number | undefined;
  /** Lower-case hex. */
  sha256: string | undefined;
  etag: string | undefined;
  versionNumber: number | undefined;
}

/** Asks until there is an answer with one of these statuses, whose body is still to be read. */
export function request(
  attempt: Attempt,
  session: Tokens,
  { collectionId, version }: Wanted,
  headers: Record<string, string>,
  statuses: readonly number[],
): Promise<Exchange> {
  return withRetries(attempt, session, async (token) => {
    const exchange = new Exchange(attempt.connection, {
      method: ROUTES.download.method,
      path: pathOf('download', { collectionId, version }),
      lane: 'transfer',
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    exchange.outgoing.end();
    const { statusCode = 0 } = await exchange.response();
    if (statuses.includes(statusCode)) {
      // Until somebody reads, it is not the server's turn.
      exchange.rest();
      return { done: exchange };
    }
    try {
      return { refused: await exchange.answer() };
    } finally {
      exchange.destroy();
    }
  });
}

/** The number that the server says; undefined if it says none, or something that is no number. */
export function versionIn(headers: IncomingHttpHeaders): number | undefined {
  const value = headers[HEADERS.version];
  return typeof value === 'string' && /^[1-9]\d*$/.test(value) ? Number(value) : undefined;
}

/** @throws {UserError} `damaged` if the bytes are not sent as they were stored: we ask for no coding, and undo none. */
export function refuseCodings(attempt: Attempt, expected: Expected, headers: IncomingHttpHeaders): void {
  const codings = headers['content-encoding'];
  if (codings === undefined || /^(\s|,|identity)*$/i.test(codings)) return;
  const coding = quoted(codings, attempt.secrets);
  throw damaged(
    attempt,
    expected,
    `its Content-Encoding is "${coding}", so something between server and client changed it`,
  );
}

/** The failure of content that is not what was stored. */
export function damaged(attempt: Attempt, { versionNumber }: Expected, why: string) {
  return failed(attempt, {
    code: 'damaged',
    why: `what came is not what was stored: ${why}`,
    hint: `do not use what was received${versionNumber === undefined ? '' : ` of version ${versionNumber}`}; backup-maker check tells which versions are whole, and --version takes another one`,
  });
}
