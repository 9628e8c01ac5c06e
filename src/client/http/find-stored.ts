/** Whether an upload arrived whose answer did not. */
import type { VersionMessage } from '../../wire/messages.ts';
import { ask, dataOf } from './calls.ts';
import type { Attempt } from './reasons.ts';
import { pause, spread, type Tokens } from './retries.ts';
import { readVersions } from './version-message.ts';

export interface Found {
  version?: VersionMessage;
  /** The list could be read and says it for every version. */
  certain: boolean;
}

/**
 * Looks for the content in the list of versions, several times: the server may still be writing it down.
 *
 * @throws the signal's reason, nothing else.
 */
export async function findStored(
  attempt: Attempt,
  session: Tokens,
  collectionId: string,
  content: { bytes: number; sha256: string },
): Promise<Found> {
  const { connection } = attempt;
  let certain = false;
  for (const ms of [0, ...connection.backoffMs]) {
    if (ms > 0) await pause(connection, spread(connection, ms));
    let versions: VersionMessage[];
    try {
      const answer = await ask(attempt, session, { route: 'versions', parameters: { collectionId } });
      versions = readVersions(dataOf(answer, attempt).versions);
    } catch {
      connection.signal.throwIfAborted();
      // The list itself was asked for several times already.
      return { certain: false };
    }
    const version = versions.findLast(
      ({ sha256, filesize }) => sha256 === content.sha256 && filesize === content.bytes,
    );
    if (version) return { version, certain: true };
    certain = versions.length === 0 || versions.every(({ sha256 }) => sha256 !== '');
    // The original's server does not say what it has: asking again does not help.
    if (!certain) break;
  }
  return { certain };
}
