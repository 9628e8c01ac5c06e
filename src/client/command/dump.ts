/** The command whose standard output is the backup. */
import { CommandGroup } from './command-group.ts';
import type { CommandOptions } from './options.ts';
import { cannotCopy, emptyDump, failedWith } from './outcome.ts';

export type { CommandOptions } from './options.ts';

/**
 * Starts the command with the first read and yields its standard output. **Ends only after the command exited with 0, everything it
 * and what it started wrote was read, and that was at least one byte**; whoever acts on the end never acts on a half dump. When the
 * consumer stops early, or anything fails, the command's whole process group is killed before this returns.
 *
 * **A piece is written to again when the next is asked for.**
 *
 * @throws {UserError} while it is iterated: `command-failed`, `command-timeout`, `empty-dump`, or the signal's reason.
 */
export async function* dump(options: CommandOptions): AsyncGenerator<Buffer> {
  const group = await CommandGroup.start('dump', options);
  const success = succeed(group);
  // Thrown below, when the output has ended.
  success.catch(() => {});
  try {
    let bytes = 0;
    for await (const chunk of group.output()) {
      bytes += chunk.length;
      yield chunk;
    }
    await success;
    // Whatever has ended the group since then has ended the output too.
    await group.until(() => true);
    options.signal.throwIfAborted();
    if (bytes === 0) throw emptyDump();
  } finally {
    await group.end();
  }
}

/** Resolves if the command succeeded and its output was passed on. Kills the group if not, or if only that ends its output. */
async function succeed(group: CommandGroup): Promise<void> {
  const { told } = group;
  let well = false;
  try {
    await group.until(() => told.over !== undefined || (told.exit ?? 0) !== 0);
    if (told.exit !== 0) throw failedWith('dump', told.exit ?? KILLED);
    if (told.copied !== 0) throw cannotCopy('dump', told.copied ?? KILLED);
    well = true;
  } finally {
    if (!well || !group.outputEnds) group.kill();
  }
}

/** Of one that was killed before it could tell. */
const KILLED = 137;
