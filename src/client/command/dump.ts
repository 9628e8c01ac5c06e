/** The command whose standard output is the backup. */
import type { Report } from '../report.ts';

export interface CommandOptions {
  /** What the shell runs, as the user wrote it. */
  command: string;
  /** Its environment: what our own process has, without our secrets. */
  env: NodeJS.ProcessEnv;
  /** How long it may take from start to end; undefined: as long as it likes. Milliseconds. */
  timeoutMs?: number;
  /** Kills it. The reason of the abort is what is thrown. */
  signal: AbortSignal;
  report: Report;
}

/**
 * Starts the command with the first read and yields its standard output. **Ends only after the command exited with 0 and wrote at
 * least one byte**; whoever acts on the end never acts on a half dump. When the consumer stops early, or anything fails, the
 * command's whole process group is killed before this returns.
 *
 * @throws {UserError} while it is iterated: `command-failed`, `command-timeout`, `empty-dump`, or the signal's reason.
 */
export async function* dump(_options: CommandOptions): AsyncGenerator<Buffer> {
  yield Buffer.of();
  throw new Error('to come');
}
