/** How a collection is. */
import type { Code } from '../api/codes.ts';
import { UserError } from '../api/problem.ts';
import { failure } from './failure.ts';
import type { Repository } from './http/repository.ts';

export interface Status {
  collectionId: string;
  /** Undefined: the server does not tell without the collection's health code, or it could not be asked. */
  healthy: boolean | undefined;
  /** Undefined if it could not be asked. */
  versions: number | undefined;
  storedBytes: number | undefined;
  /** RFC 3339; undefined if there is no version. */
  newestAt: string | undefined;
  /** What is not well, or why it is not known. */
  reason: string | undefined;
  /** Why it could not be asked, or not for all of this; undefined if it could. */
  problem: UserError | undefined;
}

/** What says something about one collection; any other failure is about all of them, or about who is asking. */
const OF_ONE: readonly Code[] = ['unreachable', 'not-authorized', 'unknown-version', 'refused', 'damaged'];
/** Collections in a row that no answer came for. Each has had all the patience that there is. */
const MOST_UNREACHABLE = 3;
const NOT_ASKED = failure('unreachable', 'not asked, since the server did not answer for those before it');

/**
 * Asks for one after the other: servers limit how many requests may come in a second. A collection that cannot be asked is told of
 * like the others.
 *
 * @throws {UserError} if it is not one collection that is the matter, or the signal's reason.
 */
export async function statusesOf(
  repository: Repository,
  collectionIds: readonly string[],
  code: string | undefined,
): Promise<Status[]> {
  const found: Status[] = [];
  for (const id of collectionIds) {
    const last = found.slice(-MOST_UNREACHABLE);
    const isAway =
      last.length === MOST_UNREACHABLE &&
      last.every(({ problem }) => problem?.problem.code === 'unreachable');
    found.push(isAway ? unasked(id, NOT_ASKED) : await statusOf(repository, id, code));
  }
  return found;
}

/** How the collection is, or why that cannot be said. @throws {UserError} if it is not the collection that is the matter */
export async function statusOf(
  repository: Repository,
  collectionId: string,
  code: string | undefined,
): Promise<Status> {
  const status = unasked(collectionId, undefined);
  try {
    const versions = await repository.versions(collectionId);
    status.versions = versions.length;
    status.storedBytes = versions.reduce((sum, { filesize }) => sum + filesize, 0);
    status.newestAt = versions.at(-1)?.CreatedAt;
    return { ...status, ...(await healthOf(repository, collectionId, code)) };
  } catch (error) {
    if (!(error instanceof UserError) || !OF_ONE.includes(error.problem.code)) throw error;
    return { ...status, reason: error.problem.message, problem: error };
  }
}

function unasked(collectionId: string, problem: UserError | undefined): Status {
  const nothing = { healthy: undefined, versions: undefined, storedBytes: undefined, newestAt: undefined };
  return { collectionId, ...nothing, reason: problem?.problem.message, problem };
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
