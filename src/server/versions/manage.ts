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
  const stored = await metadata.versions.list(version.collectionId);
  if (!force && stored.length <= 1) {
    throw new Refused(
      'last-version',
      `version ${version.versionNumber} is the last one of the collection: add ?force=true to delete it nevertheless`,
    );
  }
  const [deleted] = await metadata.versions.softDelete([version.id], clock());
  // Pinned or deleted by somebody else in the meantime.
  if (!deleted) throw new Refused('version-not-found', 'cannot find specified version');
  return deleted;
}

/** Pins or unpins. Rotation and deletion leave a pinned version alone. */
export async function setPinned(
  version: Version,
  pinned: boolean,
  { metadata, clock }: Pick<VersionDependencies, 'metadata' | 'clock'>,
): Promise<Version> {
  const now = clock();
  await metadata.versions.setPinned(version.id, pinned, now);
  return { ...version, pinned, updatedAt: now };
}
