/** Verifies versions end to end without restoring them: downloads, decrypts, decompresses, reads to the end. */
import { UserError } from '../api/problem.ts';
import { type Read, type ReadOptions, read } from './restore.ts';

export interface Checked {
  versionNumber: number | undefined;
  /** Undefined if the version is not intact. */
  read: Read | undefined;
  /** Why it is not intact. */
  problem: UserError | undefined;
}

/** What is wrong with a version itself; anything else, such as a server that is away, says nothing about it. */
const VERDICTS = ['damaged', 'bad-key', 'unsupported', 'usage'];

/**
 * The version, read to its end. Who checks several limits the session before the first of them (`limitToReading`).
 *
 * @throws {UserError} if it could not be looked at.
 */
export async function check(options: ReadOptions): Promise<Checked> {
  const number = /^v?(\d+)$/.exec(options.version)?.[1];
  try {
    const found = await read(options, 'checking', drain);
    return { versionNumber: found.versionNumber, read: found, problem: undefined };
  } catch (error) {
    if (!(error instanceof UserError) || !VERDICTS.includes(error.problem.code)) throw error;
    // Without a key nothing was looked at.
    if (error.problem.code === 'bad-key' && !options.identities) throw error;
    return {
      versionNumber: number === undefined ? undefined : Number(number),
      read: undefined,
      problem: error,
    };
  }
}

async function drain(content: AsyncGenerator<Buffer>): Promise<void> {
  for await (const _chunk of content) {
    // Only whether it ends well is of interest.
  }
}
