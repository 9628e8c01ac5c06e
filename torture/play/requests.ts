/** Requests of our own, as another program would send them, and what their answers say of the model. */
import { formatDigest, HEADERS, parseDigest } from '../../src/wire/headers.ts';
import type { VersionMessage } from '../../src/wire/messages.ts';
import { pathOf } from '../../src/wire/routes.ts';
import { type Answer, begin } from '../../test/server/http/client.ts';
import type { Outcome } from '../model.ts';
import type { Upload } from '../operations.ts';
import { sha256 } from './content.ts';

const PIECE = 64 * 1024;
/** Longer than anything in a round may take. */
const HUNG_MS = 60_000;

/** Codes after which nobody knows: the database had the commit, and its answer is lost. */
const UNSURE: readonly string[] = ['cannot-register'];

export interface Target {
  url: string;
  token: string;
}

export function codeOf(answer: Answer): string {
  return String(answer.headers[HEADERS.error] ?? (answer.status === 400 ? 'bad-request' : ''));
}

/** What an answer to a request that changes something says of it. */
export function outcomeOf(answer: Answer): Outcome {
  if (answer.status === 200) return 'yes';
  return answer.status >= 500 && (UNSURE.includes(codeOf(answer)) || codeOf(answer) === '')
    ? 'unknown'
    : 'no';
}

export interface Sending {
  how: Upload['how'];
  content: Buffer;
}

export interface Sent {
  /** Undefined: the connection broke. */
  answer?: Answer;
  /** All of it was sent, so that it may have arrived. */
  ended: boolean;
}

/** One upload. Never throws. */
export async function send(
  { url, token }: Target,
  collection: string,
  { how, content }: Sending,
): Promise<Sent> {
  const headers: Record<string, string> = {};
  if (how === 'length' || how === 'too large') headers['content-length'] = String(content.length);
  if (how === 'digest' || how === 'wrong digest')
    headers[HEADERS.digest] = formatDigest(sha256(how === 'digest' ? content : Buffer.from('else')));
  const { outgoing, promise } = begin('POST', `${url}${pathOf('upload', { collectionId: collection })}`, {
    token,
    headers,
  });
  outgoing.setTimeout(HUNG_MS, () => outgoing.destroy(new Error('hung')));
  let ended = false;
  try {
    const size = how === 'breaks off' ? content.length >> 1 : content.length;
    for (let at = 0; at < size && !outgoing.destroyed; at += PIECE) {
      if (!outgoing.write(content.subarray(at, Math.min(size, at + PIECE)))) await drained(outgoing);
    }
    if (how === 'breaks off') {
      outgoing.destroy();
      return { ended };
    }
    ended = !outgoing.destroyed;
    outgoing.end();
    return { answer: await promise, ended };
  } catch {
    return { ended };
  } finally {
    outgoing.destroy();
  }
}

function drained(outgoing: ReturnType<typeof begin>['outgoing']): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) return resolve();
    const done = () => {
      outgoing.off('drain', done).off('close', done).off('response', done);
      resolve();
    };
    // Who has an answer before the end need not send the rest.
    outgoing.on('drain', done).on('close', done).on('response', done);
  });
}

/** Any other request; undefined if the connection broke. */
export async function ask(
  { url, token }: Target,
  method: string,
  path: string,
  body?: object,
): Promise<Answer | undefined> {
  const { outgoing, promise } = begin(method, `${url}${path}`, {
    token,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  outgoing.setTimeout(HUNG_MS, () => outgoing.destroy(new Error('hung')));
  outgoing.end(body && JSON.stringify(body));
  return promise.catch(() => undefined);
}

export function versionsIn(answer: Answer): VersionMessage[] {
  return (answer.json as { data: { versions: VersionMessage[] } }).data.versions;
}

export function numberIn(answer: Answer): number {
  return (answer.json as { data: { version: VersionMessage } }).data.version.versionNumber;
}

/** What is wrong with the answer to a download as such; empty if it is whole. */
export function wrongDownload({ headers, bytes }: Answer): string {
  const promised = parseDigest(String(headers[HEADERS.digest] ?? ''));
  return promised === sha256(bytes) ? '' : `${bytes.length} bytes that are not those of the digest`;
}
