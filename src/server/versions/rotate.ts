/** Carries rotation out: marks what the strategy gives up as deleted. Objects are removed afterwards. */
import type { Collection } from '../configuration/configuration.ts';
import type { Version } from '../metadata/metadata.ts';
import type { VersionDependencies } from './dependencies.ts';
import { versionsToRemove } from './rotation.ts';

/**
 * Deletes what the collection's strategy does not keep, as things are now, and returns what was deleted.
 *
 * Harmless at any time and from several replicas at once: it decides anew from what is stored, and a version that is
 * pinned in between stays.
 */
export async function rotate(
  { id, spec }: Collection,
  { metadata, clock, log }: VersionDependencies,
): Promise<Version[]> {
  const now = clock();
  const leaving = versionsToRemove(await metadata.versions.outlines(id), spec, now);
  if (leaving.length === 0) return [];
  const removed = await metadata.versions.softDelete(
    leaving.map((version) => version.id),
    now,
    // What it keeps may be deleted by hand at this instant.
    { sparing: id },
  );
  log.info(
    { collection: id, versions: removed.map(({ versionNumber }) => versionNumber) },
    'rotation deleted versions',
  );
  return removed;
}
