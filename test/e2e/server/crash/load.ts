/** Clients that upload and download at the same time, and note what the server promised them. */
import { createHash, randomFillSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionMessage } from '../../../../src/wire/messages.ts';
import { pathOf } from '../../../../src/wire/routes.ts';
import { type Answer, begin, call } from '../../../server/http/client.ts';

const KIB = 1024;
/** Sizes are spread over these, evenly by their logarithm. */
const SMALLEST = KIB;
export const LARGEST = 40 * KIB * KIB;
const PIECE = 64 * KIB;

/** Uploads are slices of this behind a line of their own: making fresh random bytes would take longer than sending them. */
const pool = randomFillSync(Buffer.alloc(LARGEST + KIB * KIB));

/** What is known of one collection from the outside. */
export interface Ledger {
  readonly id: string;
  readonly keeps: number;
  /** SHA-256 of everything that was ever sent to its end, or would have been. */
  readonly sent: Set<string>;
  /** Number and SHA-256 of what was answered with 200. */
  readonly acknowledged: Map<number, string>;
}

export interface Counts {
  acknowledged: number;
  /** Uploads and downloads that a kill interrupted. */
  interrupted: number;
  downloads: number;
  /** Answers that a client should not have got. */
  wrong: string[];
}

export interface Access {
  url: string;
  token: string;
  random: () => number;
  /** Most bytes of an upload. */
  largest: number;
  counts: Counts;
}

/** Uploads to every collection, and downloads from them, until the signal aborts. */
export async function load(access: Access, ledgers: readonly Ledger[], signal: AbortSignal): Promise<void> {
  const forever = async (work: () => Promise<unknown>) => {
    while (!signal.aborted) await work();
  };
  const downloader = () => forever(() => downloadAny(access, ledgers, signal));
  const uploaders = ledgers.map((ledger) => forever(() => upload(access, ledger, signal)));
  await Promise.all([...uploaders, downloader(), downloader()]);
}

/** One upload; `true` if it was acknowledged. */
export async function upload(
  { url, token, random, largest, counts }: Access,
  ledger: Ledger,
  signal: AbortSignal,
  bytes = Math.round(SMALLEST * (largest / SMALLEST) ** random()),
): Promise<boolean> {
  const head = Buffer.from(`age-encryption.org/v1\n-> ${ledger.sent.size} ${ledger.id}\n`);
  const start = Math.floor(random() * (pool.length - bytes));
  const content = Buffer.concat([head, pool.subarray(start, start + bytes)]);
  const sha256 = createHash('sha256').update(content).digest('hex');
  ledger.sent.add(sha256);
  // Half of them without a length, as a client sends a dump that is still being made.
  const headers: Record<string, string> =
    random() < 0.5
      ? { 'content-length': String(content.length) }
      : { 'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:` };
  const { outgoing, promise } = begin('POST', `${url}${pathOf('upload', { collectionId: ledger.id })}`, {
    token,
    headers,
  });
  try {
    for (let at = 0; at < content.length && !outgoing.destroyed; at += PIECE) {
      if (!outgoing.write(content.subarray(at, at + PIECE))) await drained(outgoing);
    }
    outgoing.end();
    const answer = await promise;
    if (answer.status !== 200) {
      counts.wrong.push(`upload to ${ledger.id}: ${answer.status} ${answer.bytes}`);
      return false;
    }
    const { version } = (answer.json as { data: { version: VersionMessage } }).data;
    ledger.acknowledged.set(version.versionNumber, sha256);
    counts.acknowledged++;
    return true;
  } catch {
    counts.interrupted++;
    if (!signal.aborted) await sleep(5);
    return false;
  } finally {
    outgoing.destroy();
  }
}

function drained(outgoing: ReturnType<typeof begin>['outgoing']): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) return resolve();
    const done = () => {
      outgoing.off('drain', done).off('close', done);
      resolve();
    };
    outgoing.on('drain', done).on('close', done);
  });
}

/** Any version of any collection; it may be rotated away at this very instant. */
async function downloadAny(
  access: Access,
  ledgers: readonly Ledger[],
  signal: AbortSignal,
): Promise<unknown> {
  const { counts, random } = access;
  const ledger = ledgers[Math.floor(random() * ledgers.length)] as Ledger;
  try {
    const versions = await list(access, ledger.id);
    const version = versions[Math.floor(random() * versions.length)];
    if (!version) return await sleep(20);
    const answer = await download(access, ledger.id, version.versionNumber);
    counts.downloads++;
    if (answer.status === 404) return;
    if (answer.status !== 200 || digest(answer.bytes) !== version.sha256) {
      counts.wrong.push(`download of ${ledger.id} ${version.versionNumber}: ${answer.status}`);
    }
  } catch {
    counts.interrupted++;
    if (!signal.aborted) await sleep(5);
  }
}

export async function list({ url, token }: Access, collectionId: string): Promise<VersionMessage[]> {
  const answer = await call('GET', `${url}${pathOf('versions', { collectionId })}`, { token });
  if (answer.status !== 200) throw new Error(`listing ${collectionId}: ${answer.status} ${answer.bytes}`);
  return (answer.json as { data: { versions: VersionMessage[] } }).data.versions;
}

export function download({ url, token }: Access, collectionId: string, version: number): Promise<Answer> {
  return call('GET', `${url}${pathOf('download', { collectionId, version })}`, { token });
}

export function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
