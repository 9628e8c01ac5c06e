/** Receiving a version. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HEADERS, parseDigest } from '../../wire/headers.ts';
import { failure } from '../failure.ts';
import { filenameOf } from './content-disposition.ts';
import type { Download } from './contract.ts';
import {
  damaged,
  type Expected,
  refuseCodings,
  request,
  versionIn,
  type Wanted,
} from './download-request.ts';
import type { Exchange } from './exchange.ts';
import { type Attempt, failed, quoted } from './reasons.ts';
import { type Interrupted, resume } from './resume.ts';
import type { Tokens } from './retries.ts';

/** Asks for a version; its content follows. @throws {UserError}, or the signal's reason */
export async function download(attempt: Attempt, session: Tokens, wanted: Wanted): Promise<Download> {
  const [, asked] = /^(?:v?([1-9]\d{0,14})|latest)$/.exec(wanted.version) ?? [];
  if (asked === undefined && wanted.version !== 'latest') {
    throw failure(
      'usage',
      `the version must be "latest" or a number such as 3 or v3, and is "${wanted.version}"`,
    );
  }
  const exchange = await request(attempt, session, wanted, {}, [200]);
  try {
    const { headers } = await exchange.response();
    const versionNumber = numberOf(attempt, headers, asked === undefined ? undefined : Number(asked));
    const length = headers['content-length'];
    const expected: Expected = {
      size: length === undefined ? undefined : Number(length),
      sha256: digestOf(attempt, headers),
      etag: headers.etag,
      versionNumber,
    };
    refuseCodings(attempt, expected, headers);
    if (expected.size === 0) throw empty(attempt);
    // Without either, the content ends where the connection does, whole or not.
    const hasEnd =
      expected.size !== undefined || /(^|,)\s*chunked\s*$/i.test(headers['transfer-encoding'] ?? '');
    if (!hasEnd && expected.sha256 === undefined) {
      throw failed(attempt, {
        code: 'damaged',
        why: 'the server says neither length nor digest nor where it ends, so nobody could tell whether the content is complete',
      });
    }
    return {
      versionNumber,
      size: expected.size,
      contentEncoding: contentEncodingOf(attempt, headers),
      filename: filenameOf(headers['content-disposition']),
      content: closing(contentOf(attempt, session, wanted.collectionId, expected, exchange), exchange),
    };
  } catch (error) {
    exchange.destroy();
    throw error;
  }
}

/** A generator that was never started does not clean up by itself. */
function closing(content: AsyncGenerator<Buffer>, exchange: Exchange): AsyncGenerator<Buffer> {
  let started = false;
  const next = content.next.bind(content);
  content.next = (...values) => {
    started = true;
    return next(...values);
  };
  const end = content.return.bind(content);
  content.return = (value) => {
    if (!started) exchange.destroy();
    return end(value);
  };
  return content;
}

/** The bytes, taken up again wherever the connection breaks. */
async function* contentOf(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  expected: Expected,
  first: Exchange,
): AsyncGenerator<Buffer> {
  const { size } = expected;
  const hash = createHash('sha256');
  let position = 0;
  let exchange = first;
  // Tries since the last byte.
  let tries = 0;
  try {
    for (;;) {
      const broken: Interrupted | undefined = yield* given(exchange, (bytes) => {
        hash.update(bytes);
        position += bytes.length;
        tries = 0;
        if (size !== undefined && position > size)
          throw damaged(attempt, expected, `it is longer than ${size} bytes`);
      });
      if (broken === undefined && (size === undefined || position === size)) break;
      attempt.connection.signal.throwIfAborted();
      const cause = broken?.error ?? Object.assign(new Error('short'), { code: 'ECONNRESET' });
      exchange = await resume({ attempt, session, collectionId, expected, position, cause, tries });
      tries++;
    }
  } finally {
    exchange.destroy();
  }
  if (position === 0) throw empty(attempt);
  const sha256 = hash.digest('hex');
  if (expected.sha256 !== undefined && sha256 !== expected.sha256) {
    throw damaged(attempt, expected, `its SHA-256 is ${sha256}, and must be ${expected.sha256}`);
  }
}

/** Passes on what comes. @returns what broke it, undefined if it ended */
async function* given(
  exchange: Exchange,
  note: (bytes: Buffer) => void,
): AsyncGenerator<Buffer, Interrupted | undefined> {
  const body = exchange.body();
  try {
    for (;;) {
      let result: IteratorResult<Buffer>;
      try {
        result = await body.next();
      } catch (error) {
        return { error };
      }
      if (result.done) return undefined;
      note(result.value);
      yield result.value;
    }
  } finally {
    await body.return(undefined);
  }
}

/** @throws {UserError} `damaged` if it is another one than was asked for. */
function numberOf(
  attempt: Attempt,
  headers: IncomingHttpHeaders,
  asked: number | undefined,
): number | undefined {
  const number = versionIn(headers);
  if (number !== undefined && asked !== undefined && number !== asked) {
    const said = quoted(String(headers[HEADERS.version]), attempt.secrets);
    throw failed(attempt, {
      code: 'damaged',
      why: `the server sent version ${said} in place of version ${asked}`,
      hint: 'look for a proxy that keeps answers, and whether --url is the right server',
    });
  }
  return Number.isSafeInteger(number) ? number : asked;
}

function empty(attempt: Attempt) {
  return failed(attempt, {
    code: 'damaged',
    why: 'the version is empty, and make never stores an empty one',
    hint: 'take another one with --version; backup-maker check tells which versions are whole',
  });
}

function digestOf(attempt: Attempt, headers: IncomingHttpHeaders): string | undefined {
  const value = headers[HEADERS.digest];
  try {
    return typeof value === 'string' ? parseDigest(value) : undefined;
  } catch (error) {
    throw failed(attempt, {
      code: 'damaged',
      why: `its Repr-Digest cannot be read: ${(error as Error).message}`,
    });
  }
}

/** Our server leaves it out for content that is not compressed; the original's knows nothing of it. */
function contentEncodingOf(attempt: Attempt, headers: IncomingHttpHeaders): string | undefined {
  const value = headers[HEADERS.contentEncoding];
  if (typeof value === 'string') return quoted(value, attempt.secrets);
  return versionIn(headers) === undefined ? undefined : '';
}
