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
 * @throws {UserError} while it is iterated: `command-failed`, `command-timeout`, `empty-dump`, or the signal's reason.
 */
export async function* dump(options: CommandOptions): AsyncGenerator<Buffer> {
  const group = await CommandGroup.start('dump', options);
  const success = succeed(group);
  // Thrown below, when the output has ended.
  success.catch(() => {});
  try {
    let bytes = 0;
    // A consumer that stops does not close it: `cat` would complain before it is killed.
    const output: AsyncIterable<Buffer> = group.data.iterator({ destroyOnReturn: false });
    for await (const chunk of output) {
      bytes += chunk.length;
      yield chunk;
    }
    await success;
    options.signal.throwIfAborted();
    if (bytes === 0) throw emptyDump();
  } finally {
    await group.end();
  }
}

/** Resolves if the command succeeded and its output was passed on, and kills the group: only that ends our side of its output. */
async function succeed(group: CommandGroup): Promise<void> {
  const { told } = group;
  try {
    await group.until(() => told.over !== undefined || (told.exit ?? 0) !== 0);
    if (told.exit !== 0) throw failedWith('dump', told.exit ?? KILLED);
    if (told.copied !== 0) throw cannotCopy('dump', told.copied ?? KILLED);
  } finally {
    group.kill();
  }
}

/** Of one that was killed before it could tell. */
const KILLED = 137;
