/** The command whose standard input is the backup. */
import type { CommandOptions } from './dump.ts';

/**
 * Feeds the content to the command and resolves once the command exited with 0. **Its standard input ends only after the content
 * has ended without an error**; when the content fails, the time is over, or this process dies in whatever way, the command's
 * whole process group is killed and never sees the end of its input, so that a load in one transaction rolls back.
 *
 * @throws {UserError} `command-failed`, `command-timeout`, the signal's reason, or what the content threw.
 */
export async function load(_content: AsyncIterable<Buffer>, _options: CommandOptions): Promise<void> {
  throw new Error('to come');
}
