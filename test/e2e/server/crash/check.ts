/** What must hold after a crash and a start. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../../eventually.ts';
import { type Access, digest, download, type Ledger, list, upload } from './load.ts';

const SMALL = 2000;

export interface Findings {
  /** Acknowledged versions that are neither there nor rotated away by newer ones. */
  lost: string[];
  /** Visible versions that are not what a client sent, whole. */
  half: string[];
  /** Temporary files that are still there after the start. */
  leftovers: string[];
  /** Uploads that the server refused after the start. */
  blocked: string[];
  /** Objects that no version refers to. */
  orphans: number;
  /** Acknowledged versions that rotation removed for one that was stored, but whose answer the crash swallowed. */
  rotatedUnanswered: number;
}

/** Looks at every collection; uploads to each; `orphansBefore` is what the last look found. */
export async function check(
  access: Access,
  ledgers: readonly Ledger[],
  objects: string,
  orphansBefore: number,
): Promise<Findings> {
  const found: Findings = {
    lost: [],
    half: [],
    leftovers: [],
    blocked: [],
    orphans: 0,
    rotatedUnanswered: 0,
  };
  let visible = 0;
  for (const ledger of ledgers) visible += await checkCollection(access, ledger, found);
  // Removing is done in the background. A crash may orphan what was being stored: one object for each collection.
  const bound = orphansBefore + ledgers.length;
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(20)) {
    found.leftovers = readdirSync(join(objects, '.tmp'));
    found.orphans = countObjects(objects) - visible;
    if ((found.leftovers.length === 0 && found.orphans <= bound) || Date.now() > end) break;
  }
  const signal = new AbortController().signal;
  const answers = await Promise.all(ledgers.map((ledger) => upload(access, ledger, signal, SMALL)));
  found.blocked = ledgers.filter((_, index) => !answers[index]).map(({ id }) => id);
  return found;
}

/** Returns how many versions are visible. */
async function checkCollection(access: Access, ledger: Ledger, found: Findings): Promise<number> {
  const { id, keeps, acknowledged, sent } = ledger;
  const versions = await list(access, id);
  for (const { versionNumber, sha256, filesize } of versions) {
    const answer = await download(access, id, versionNumber).catch(() => undefined);
    const name = `${id} ${versionNumber}`;
    const promised = acknowledged.get(versionNumber) ?? sha256;
    const whole =
      answer?.status === 200 && answer.bytes.length === filesize && sent.has(digest(answer.bytes));
    if (!whole) found.half.push(name);
    else if (digest(answer.bytes) !== promised) found.lost.push(`${name}: replaced by other content`);
  }
  const numbers = versions.map(({ versionNumber }) => versionNumber);
  for (const number of acknowledged.keys()) {
    if (numbers.includes(number)) continue;
    const answered = [...acknowledged.keys()].filter((other) => other > number);
    const stored = new Set([...answered, ...numbers.filter((other) => other > number)]);
    if (stored.size < keeps) found.lost.push(`${id} ${number}`);
    else if (answered.length < keeps) found.rotatedUnanswered++;
    // Judged once: it does not come back.
    acknowledged.delete(number);
  }
  return versions.length;
}

export function countObjects(objects: string): number {
  return readdirSync(objects, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.parentPath.endsWith('.tmp'),
  ).length;
}
