/** A restore: a version, verified and opened, as the command's input. */
import { type Action, type Lease, once } from './action.ts';
import { load } from './command/load.ts';
import { type OpenOptions, openContent } from './content.ts';
import { failure } from './failure.ts';
import type { Repository } from './http/repository.ts';
import { counted } from './peek.ts';
import type { Report } from './report.ts';

/** Where a version comes from, and how it is opened. */
export interface ReadOptions extends Omit<OpenOptions, 'contentEncoding'> {
  repository: Repository;
  collectionId: string;
  /** `latest`, `3` or `v3`. */
  version: string;
  signal: AbortSignal;
  report: Report;
}

export interface RestoreOptions extends ReadOptions {
  command: string;
  /** The command's environment. */
  env: NodeJS.ProcessEnv;
  /** For the command. Milliseconds; absent: none. */
  timeoutMs?: number;
  action: Action | undefined;
  /** Of the ledger. Default: five minutes, renewed every minute. */
  lease?: Lease;
}

/** What was read. */
export interface Read {
  versionNumber: number | undefined;
  storedBytes: number;
  /** The user's own data. */
  plainBytes: number;
}

/**
 * Gives the command all of the version, or kills it: its input ends only after length, digest and every authentication tag were
 * right.
 *
 * @returns `already-done` if the ledger says so.
 * @throws {UserError} for everything that a user can mend.
 */
export function restore(options: RestoreOptions): Promise<Read | 'already-done'> {
  const { repository, collectionId, action, signal, report, lease } = options;
  limitToReading(repository, collectionId);
  const guarded = {
    ...{ repository, collectionId, operation: 'restore' as const, action, signal, report },
    ...(lease && { lease }),
  };
  return once(guarded, (allowed) =>
    read({ ...options, signal: allowed }, 'restoring', (content) =>
      load(content, { ...options, signal: allowed }),
    ),
  );
}

export function limitToReading(repository: Repository, collectionId: string): void {
  repository.limitTo({ elements: [{ type: 'collection', name: collectionId, roles: ['backupDownloader'] }] });
}

/** Opens the version and hands its content to `use`, which has to read it to its end. */
export async function read(
  options: ReadOptions,
  phase: string,
  use: (content: AsyncGenerator<Buffer>) => Promise<unknown>,
): Promise<Read> {
  const { repository, collectionId, version, signal, report } = options;
  // Whoever reads no more must not have the download wait for the network, or taken up again.
  const over = new AbortController();
  const download = await repository.download(collectionId, version, AbortSignal.any([signal, over.signal]));
  const { versionNumber, size, contentEncoding } = download;
  const named = versionNumber === undefined ? version : String(versionNumber);
  report.info(`${phase} version ${named}`, { collection: collectionId, bytes: size });
  let storedBytes = 0;
  let plainBytes = 0;
  const tell = () =>
    report.progress({
      phase,
      plain: plainBytes,
      stored: storedBytes,
      ...(size !== undefined && { total: size }),
    });
  const stored = counted(download.content, (bytes) => {
    storedBytes += bytes;
    tell();
  });
  try {
    const opened = await openContent(stored, { ...options, contentEncoding });
    await use(
      counted(opened.content, (bytes) => {
        plainBytes += bytes;
        tell();
      }),
    );
  } finally {
    over.abort(failure('interrupted', 'the version is not read any more'));
    // Generators that were never started do not pass the end on.
    download.content.return(undefined).catch(() => {});
  }
  return { versionNumber, storedBytes, plainBytes };
}
