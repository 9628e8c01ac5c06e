/** The checks of an upload that come before its content. */
import { limitsOf, mostBytes } from '../collections/quota.ts';
import { isOpen } from '../collections/windows.ts';
import type { Collection } from '../configuration/configuration.ts';
import type { VersionOutline } from '../metadata/metadata.ts';
import type { VersionDependencies } from './dependencies.ts';
import { Refused } from './refusals.ts';
import { versionsToRemove } from './rotation.ts';
import type { UploadRequest } from './upload-request.ts';

/** Who may upload, and when. */
export function admit(request: UploadRequest, { clock }: VersionDependencies): Collection {
  const collection = request.snapshot.collections.get(request.collectionId);
  if (!collection) throw new Refused('collection-not-found', 'cannot find specified collection');
  if (!request.may('file.upload', collection)) {
    throw new Refused('upload-not-authorized', 'not authorized to upload versions to this collection');
  }
  if (!request.may('file.upload-anytime', collection) && !isOpen(collection.spec.windows, clock())) {
    throw new Refused(
      'outside-window',
      "backup window does not allow you to send a backup at this time. You need a token that has a special permission 'uploadsAnytime'",
    );
  }
  return collection;
}

/** What will still be there after the rotation that follows this upload. */
export async function versionsThatStay(
  { id, spec }: Collection,
  versionNumber: number,
  { metadata, clock, log }: VersionDependencies,
): Promise<VersionOutline[]> {
  const stored = await metadata.versions.outlines(id);
  const now = clock();
  try {
    const leaving = new Set<unknown>(
      versionsToRemove([...stored, { versionNumber, createdAt: now, pinned: false }], spec, now),
    );
    return stored.filter((version) => !leaving.has(version));
  } catch (error) {
    log.error({ err: error, collection: id }, 'the rotation strategy cannot be used');
    throw new Refused(
      'rotation-unknown',
      'internal error while trying to create rotation strategy. Check server logs',
      { cause: error },
    );
  }
}

/** Most bytes that the upload may have; zero or less if there is no room for anything. @throws {Refused} */
export function limitFor({ spec }: Collection, staying: readonly VersionOutline[]): number {
  try {
    return mostBytes(
      limitsOf(spec),
      staying.map(({ filesize }) => filesize),
    );
  } catch (error) {
    throw new Refused('bad-limits', `cannot construct validators ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Declines if what stays fills the collection. Limits that cannot be read are told later, in their turn. */
export function declineIfFull(collection: Collection, staying: readonly VersionOutline[]): void {
  let most: number;
  try {
    most = limitFor(collection, staying);
  } catch {
    return;
  }
  if (most > 0) return;
  throw new Refused(
    'rotation-declined',
    'backup collection strategy declined a possibility to upload, the versions that may not be removed fill the collection',
  );
}
