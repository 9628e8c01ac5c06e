/**
 * Sending a version.
 *
 * The end of the body is what makes a version out of it, so it is sent only after the content has ended well. Before the first
 * byte of content everything may be tried again; afterwards nothing, since content cannot be asked for twice.
 */
import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../api/problem.ts';
import { formatDigest, HEADERS } from '../../wire/headers.ts';
import type { VersionMessage } from '../../wire/messages.ts';
import { pathOf, ROUTES } from '../../wire/routes.ts';
import { failure } from '../failure.ts';
import { explainAnswer, readRefusal } from './answers.ts';
import { dataOf, isSuccess } from './calls.ts';
import { ContentReader } from './content-reader.ts';
import type { Upload, Uploaded } from './contract.ts';
import { type Answer, Exchange } from './exchange.ts';
import { explainFault } from './faults.ts';
import { findStored } from './find-stored.ts';
import { type Attempt, failed, type Reason } from './reasons.ts';
import { endingWith, type Tokens, type Try, withRetries } from './retries.ts';
import { readVersion } from './version-message.ts';

/** How long a server may take to say `100 Continue`; those that never say it get the content then. RFC 9110, 10.1.1. */
const CONTINUE_MS = 1000;
/** What became of an upload of which content was sent. */
interface Sent {
  bytes: number;
  /** Of what was sent, in lower-case hex. */
  sha256: string;
  /** The end of the body was sent too, so the server may have stored it. */
  ended: boolean;
  answer?: Answer;
  /** What broke the connection; set if there is no answer. */
  error?: unknown;
  /** What the content threw. It is no matter of the connection, so it must not look like one. */
  thrown?: { error: unknown };
}

/** Stores the content as a new version. @throws {UserError}, what the content throws, or the signal's reason */
export async function upload(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  content: AsyncIterable<Buffer>,
  { contentEncoding, signal }: Upload,
): Promise<Uploaded> {
  const reader = new ContentReader(content);
  try {
    // A dump that fails at once must not open anything.
    const first = await reader.read();
    if (!first)
      throw failure('empty-dump', `cannot ${attempt.doing}: there is no content, so nothing was sent`);
    const welcome = endingWith(attempt, signal);
    const sent = await withRetries(welcome, session, async (token): Promise<Try<Sent>> => {
      const headers: OutgoingHttpHeaders = {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        'content-type': 'application/octet-stream',
        'transfer-encoding': 'chunked',
        trailer: 'Repr-Digest',
        ...(contentEncoding !== '' && { [HEADERS.contentEncoding]: contentEncoding }),
      };
      const patient = await begin(
        attempt,
        collectionId,
        { ...headers, expect: '100-continue' },
        first,
        reader,
      );
      // RFC 9110: a server that does not know the expectation is asked without it.
      const unexpected = 'refused' in patient && patient.refused.status === 417;
      return unexpected ? begin(attempt, collectionId, headers, first, reader) : patient;
    });
    return await conclude(attempt, session, collectionId, sent);
  } finally {
    await reader.stop();
  }
}

/** One request. Content is touched only if nothing was refused before. @throws what broke the connection before that */
async function begin(
  { connection }: Attempt,
  collectionId: string,
  headers: OutgoingHttpHeaders,
  first: Buffer,
  reader: ContentReader,
): Promise<Try<Sent>> {
  const exchange = new Exchange(connection, {
    method: ROUTES.upload.method,
    path: pathOf('upload', { collectionId }),
    lane: 'transfer',
    headers,
  });
  try {
    const early = await untilWelcome(exchange, headers.expect !== undefined);
    return early ? { refused: early } : { done: await send(exchange, first, reader) };
  } finally {
    exchange.destroy();
  }
}

/** Waits until content may be sent. @returns an answer that came instead. @throws what broke the connection */
async function untilWelcome(exchange: Exchange, expect: boolean): Promise<Answer | undefined> {
  await exchange.unlessOver(exchange.connected);
  if (expect && !exchange.over) {
    const timer = new AbortController();
    const welcome = new Promise<void>((resolve) => exchange.outgoing.once('continue', () => resolve()));
    const late = sleep(CONTINUE_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    await exchange.unlessOver(Promise.race([welcome, late]));
    timer.abort();
  }
  return exchange.over ? exchange.answer() : undefined;
}

/** Sends the content, and its end if it ended well. Does not throw. */
async function send(exchange: Exchange, first: Buffer, reader: ContentReader): Promise<Sent> {
  const { outgoing } = exchange;
  const hash = createHash('sha256');
  let bytes = 0;
  let ended = false;
  let piece: Buffer | undefined = first;
  while (!exchange.over) {
    if (piece === undefined) {
      ended = true;
      break;
    }
    const written = new Promise<void>((resolve) => outgoing.write(piece, () => resolve()));
    // Meanwhile the network goes on.
    hash.update(piece);
    bytes += piece.length;
    exchange.watch();
    // The kernel must have it: it may be written to again when the next is asked for.
    await exchange.unlessOver(written);
    if (exchange.over) break;
    exchange.rest();
    try {
      piece = await exchange.unlessOver(reader.read());
    } catch (error) {
      // The connection is closed without the end of the body, so that nothing is stored.
      return { bytes, sha256: '', ended, thrown: { error } };
    }
  }
  const sha256 = hash.digest('hex');
  if (ended) {
    outgoing.addTrailers({ 'Repr-Digest': formatDigest(sha256) });
    outgoing.end();
  }
  const sent = { bytes, sha256, ended };
  try {
    return { ...sent, answer: await exchange.answer() };
  } catch (error) {
    return { ...sent, error };
  }
}

/** From what became of it to success or the sentence that says why not. */
async function conclude(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  sent: Sent,
): Promise<Uploaded> {
  const { answer, error, bytes, sha256, ended, thrown } = sent;
  if (thrown) throw thrown.error;
  if (!answer && ended && attempt.connection.signal.aborted) throw stoppedLate(attempt, bytes);
  if (!answer) attempt.connection.signal.throwIfAborted();
  if (answer && isSuccess(answer)) {
    if (!ended) throw failed(attempt, answeredEarly(answer));
    return checked(attempt, sent, readVersion(dataOf(answer, attempt).version));
  }
  const reason = answer ? explainAnswer(answer, attempt) : explainFault(error, attempt);
  // A proxy that lost patience says nothing about what the server behind it did.
  const lost = !answer || ([502, 503, 504].includes(answer.status) && !readRefusal(answer).own);
  if (ended && lost) return findOut(attempt, session, collectionId, sent, reason);
  const note = answer ? '' : ` after ${bytes} bytes had been sent; nothing was stored`;
  throw failed(attempt, { ...reason, why: reason.why + note }, error);

  function answeredEarly({ status }: Answer): Reason {
    return {
      code: 'damaged',
      why: `the server answered ${status} after ${bytes} bytes, before the content had ended, so what it stored is not complete (SHA-256 of what was sent: ${sha256})`,
      hint: 'check whether --url is a backup repository, and what is in front of it',
    };
  }
}

/** Stopped when it was too late to take anything back: that nothing was stored would be a guess. */
function stoppedLate(attempt: Attempt, bytes: number): UserError {
  const { reason } = attempt.connection.signal;
  return failed(
    attempt,
    {
      code: reason instanceof UserError ? reason.problem.code : 'interrupted',
      why: `stopped after all ${bytes} bytes had been sent, so the version may be stored, and is complete then`,
      hint: 'look with backup-maker list',
    },
    reason,
  );
}

/** The answer is lost, and the version may be there or not. */
async function findOut(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  { bytes, sha256, error }: Sent,
  reason: Reason,
): Promise<Uploaded> {
  const { report } = attempt.connection;
  report.warn(`the answer to the upload is lost (${reason.why}); looking whether the version was stored`);
  const found = await findStored(attempt, session, collectionId, { bytes, sha256 }).catch((reason) => {
    throw attempt.connection.signal.aborted ? stoppedLate(attempt, bytes) : reason;
  });
  if (found.version) {
    report.warn(
      `the answer to the upload was lost, but version ${found.version.versionNumber} is stored and complete`,
    );
    return { version: found.version, bytes, sha256 };
  }
  const outcome = found.certain
    ? `all ${bytes} bytes were sent, and the list of versions does not have them: nothing was stored`
    : `all ${bytes} bytes were sent, and it cannot be found out whether they were stored`;
  throw failed(
    attempt,
    {
      code: 'unreachable',
      why: `${reason.why}; ${outcome}`,
      hint: found.certain
        ? reason.hint
        : 'look with backup-maker list, or run it again: one version too many does no harm',
    },
    error,
  );
}

/** Holds what the server says that it has against what was sent. */
function checked(attempt: Attempt, { bytes, sha256 }: Sent, version: VersionMessage): Uploaded {
  const wrong =
    version.filesize !== bytes
      ? `${version.filesize} bytes, and ${bytes} were sent`
      : version.sha256 !== '' && version.sha256 !== sha256
        ? `content with the SHA-256 ${version.sha256}, and what was sent has ${sha256}`
        : undefined;
  if (wrong === undefined) return { version, bytes, sha256 };
  throw failed(attempt, {
    code: 'damaged',
    why: `version ${version.versionNumber} is stored, but with ${wrong}`,
    hint: `do not rely on version ${version.versionNumber}: delete it, and run the backup again`,
  });
}
