/** A backup: the command's output, compressed and encrypted, as a new version. */
import { UserError } from '../api/problem.ts';
import { encrypt } from '../crypto/encrypt.ts';
import type { Recipients } from '../crypto/keys.ts';
import type { VersionMessage } from '../wire/messages.ts';
import { type Action, once } from './action.ts';
import { dump } from './command/dump.ts';
import { compress } from './compression/zstd.ts';
import { NOT_COMPRESSED, ZSTD } from './content.ts';
import type { Repository } from './http/repository.ts';
import { counted, type Peeked, peek } from './peek.ts';
import type { Report } from './report.ts';

/** A command without a byte until then thinks: there is time to ask the server who we are. */
const THINKS_MS = 1000;

export interface MakeOptions {
  repository: Repository;
  collectionId: string;
  command: string;
  /** The command's environment. */
  env: NodeJS.ProcessEnv;
  /** For the command. Milliseconds; absent: none. */
  timeoutMs?: number;
  /** zstd's level, or undefined not to compress. */
  level: number | undefined;
  /** Undefined: not encrypted. */
  recipients: Recipients | undefined;
  armor: boolean;
  action: Action | undefined;
  signal: AbortSignal;
  report: Report;
}

export interface Made {
  version: VersionMessage;
  versionNumber: number;
  /** What the command wrote. */
  plainBytes: number;
  storedBytes: number;
  /** Of the bytes as stored, lower-case hex. */
  sha256: string;
}

/**
 * Stores a version that holds all the command wrote, or none: the end of the upload is sent only after the command exited with 0.
 *
 * @returns `already-done` if the ledger says so.
 * @throws {UserError} for everything that a user can mend.
 */
export function make(options: MakeOptions): Promise<Made | 'already-done'> {
  const { repository, collectionId, action, signal, report } = options;
  repository.limitTo({ elements: [{ type: 'collection', name: collectionId, roles: ['backupUploader'] }] });
  const guarded = { repository, collectionId, operation: 'backup' as const, action, signal, report };
  return once(guarded, (allowed) => upload(options, allowed));
}

async function upload(options: MakeOptions, allowed: AbortSignal): Promise<Made> {
  const { repository, collectionId, level, recipients, armor, report } = options;
  let plainBytes = 0;
  let storedBytes = 0;
  const tell = () => report.progress({ phase: 'uploading', plain: plainBytes, stored: storedBytes });
  // A command that thinks, while the server refuses, hears of it only through its signal.
  const refused = new AbortController();
  const signal = AbortSignal.any([allowed, refused.signal]);
  const plain = counted(dump({ ...options, signal }), (bytes) => {
    plainBytes += bytes;
    tell();
  });
  // Compression and encryption begin with bytes of their own: only now, or the upload would lie open while the command thinks.
  const { content, close } = await firstByte(plain, repository, refused);
  const compressed = level === undefined ? content : compress(content, { level });
  const sealed = recipients ? encrypt(compressed, recipients, { armor, lend: true }) : compressed;
  const stored = counted(sealed, (bytes) => {
    storedBytes += bytes;
    tell();
  });
  try {
    const { version, bytes, sha256 } = await repository.upload(collectionId, stored, {
      contentEncoding: level === undefined ? NOT_COMPRESSED : ZSTD,
      signal,
    });
    return { version, versionNumber: version.versionNumber, plainBytes, storedBytes: bytes, sha256 };
  } catch (error) {
    refused.abort(error);
    // What never began to read does not pass the end on.
    await close().catch(() => {});
    throw error;
  }
}

/** Waits for the command. What it would hear of only at its first byte, such as a wrong password, ends it before that. */
async function firstByte(
  plain: AsyncIterable<Buffer>,
  repository: Repository,
  refused: AbortController,
): Promise<Peeked> {
  const asking = setTimeout(() => {
    repository.whoami().catch((error: unknown) => {
      // Anything else need not matter: a server that is away may be back by then, and a proxy may let nothing but uploads pass.
      if (error instanceof UserError && error.problem.code === 'not-authenticated') refused.abort(error);
    });
  }, THINKS_MS);
  try {
    return await peek(plain, 1);
  } finally {
    clearTimeout(asking);
  }
}
