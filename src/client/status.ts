/** How a collection is. */
import { UserError } from '../api/problem.ts';
import type { Repository } from './http/repository.ts';

export interface Status {
  collectionId: string;
  /** Undefined: the server does not tell without the collection's health code. */
  healthy: boolean | undefined;
  versions: number;
  storedBytes: number;
  /** RFC 3339; undefined if there is no version. */
  newestAt: string | undefined;
  /** What is not well, or why it is not known. */
  reason: string | undefined;
}

/** @throws {UserError} if the server or the collection cannot be asked at all. */
export async function statusOf(
  repository: Repository,
  collectionId: string,
  code: string | undefined,
): Promise<Status> {
  const versions = await repository.versions(collectionId);
  const { healthy, reason } = await healthOf(repository, collectionId, code);
  return {
    collectionId,
    healthy,
    versions: versions.length,
    storedBytes: versions.reduce((sum, { filesize }) => sum + filesize, 0),
    newestAt: versions.at(-1)?.CreatedAt,
    reason,
  };
}

async function healthOf(
  repository: Repository,
  collectionId: string,
  code: string | undefined,
): Promise<{ healthy: boolean | undefined; reason: string | undefined }> {
  try {
    const { healthy, checks } = await repository.health(collectionId, code);
    const bad = checks.filter(({ status }) => !status).map(({ message, name }) => message || name);
    return { healthy, reason: bad.length > 0 ? bad.join('; ') : undefined };
  } catch (error) {
    if (error instanceof UserError && error.problem.code === 'not-authorized')
      return { healthy: undefined, reason: 'the health code is missing or wrong: --health-code' };
    throw error;
  }
}
