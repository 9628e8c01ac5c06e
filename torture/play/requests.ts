/** Requests of our own, as another program would send them, and what their answers say of the model. */
import { HEADERS, parseDigest } from '../../src/wire/headers.ts';
import type { VersionMessage } from '../../src/wire/messages.ts';
import { pathOf } from '../../src/wire/routes.ts';
import { type Answer, begin, call } from '../../test/server/http/client.ts';
import type { Outcome } from '../model.ts';
import type { KindName } from '../scenario.ts';
import { sha256 } from './content.ts';

const PIECE = 64 * 1024;
/** Longer than anything in a round may take. */
const HUNG_MS = 60_000;

/** Codes after which nobody knows: the database had the commit, and its answer is lost. */
const UNSURE = ['cannot-register'];
const LINE = [
  'cancelled',
  'cancelled-late',
  'idle',
  'digest-mismatch',
  'bad-digest',
  'truncated',
  'request-timeout',
];
const STORAGE = ['storage-full', 'storage-failed', 'storage-timeout', 'cannot-read'];
const DATABASE = ['cannot-register', 'cannot-increment', 'cannot-list', 'database-unavailable'];

/** Codes that a request which is in order may be refused with, by what is in its way. */
export const EXCUSES: Readonly<Record<KindName, readonly string[]>> = {
  calm: [],
  client: [],
  // A replica that the machine keeps waiting sleeps, too.
  fight: ['lease-lost'],
  kill: [],
  line: LINE,
  stop: ['shutting-down'],
  // SQLite's leases go by the server's clock: one jump ahead, and they have run out.
  clock: ['lease-lost'],
  disk: [...STORAGE, ...DATABASE],
  replica: ['lease-lost', ...LINE],
  engine: ['lease-lost', ...STORAGE, ...DATABASE],
};

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
  how: 'length' | 'digest' | 'bare' | 'wrong digest' | 'breaks off' | 'too large';
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
  if (how === 'digest' || how === 'wrong digest') {
    const digest = Buffer.from(sha256(how === 'digest' ? content : Buffer.from('else')), 'hex').toString(
      'base64',
    );
    headers[HEADERS.digest] = `sha-256=:${digest}:`;
  }
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

export { call };
