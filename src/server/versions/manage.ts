/** Deleting versions by hand, and pinning them. */
import type { Version } from '../metadata/metadata.ts';
import type { VersionDependencies } from './dependencies.ts';
import { Refused } from './refusals.ts';

/**
 * Deletes a version. A pinned one must be unpinned first; the last one of a collection goes only if `force` says so.
 *
 * @throws {Refused}
 */
export async function deleteVersion(
  version: Version,
  { force }: { force: boolean },
  { metadata, clock }: Pick<VersionDependencies, 'metadata' | 'clock'>,
): Promise<Version> {
  if (version.pinned) {
    throw new Refused('version-pinned', `version ${version.versionNumber} is pinned: unpin it first`);
  }
  const { collectionId, id, versionNumber } = version;
  const sparing = force ? {} : { sparing: collectionId };
  const [deleted] = await metadata.versions.softDelete([id], clock(), sparing);
  if (deleted) return deleted;
  const stored = await metadata.versions.outlines(collectionId);
  if (stored.length === 1 && stored[0]?.id === id) {
    throw new Refused(
      'last-version',
      `version ${versionNumber} is the last one of the collection: add ?force=true to delete it nevertheless`,
    );
  }
  // Pinned or deleted by somebody else in the meantime.
  throw notFound();
}

/** Pins or unpins. Rotation and deletion leave a pinned version alone. @throws {Refused} */
export async function setPinned(
  version: Version,
  pinned: boolean,
  { metadata, clock }: Pick<VersionDependencies, 'metadata' | 'clock'>,
): Promise<Version> {
  const now = clock();
  // Rotated away or deleted in the meantime: who is told that it is pinned relies on it.
  if (!(await metadata.versions.setPinned(version.id, pinned, now))) throw notFound();
  return { ...version, pinned, updatedAt: now };
}

function notFound(): Refused {
  return new Refused('version-not-found', 'cannot find specified version');
}
