/** What a dump or load command is run with. */
import type { Report } from '../report.ts';
import type { Shells } from './shells.ts';

export interface CommandOptions {
  /** What the shell runs, as the user wrote it. */
  command: string;
  /** Its environment: what our own process has. Our secrets are taken out of it, see `commandEnvironment`. */
  env: NodeJS.ProcessEnv;
  /** How long it may take from start to end; undefined: as long as it likes. Milliseconds. */
  timeoutMs?: number;
  /** Kills it. The reason of the abort is what is thrown. */
  signal: AbortSignal;
  report: Report;
  /** File descriptor that its standard error goes to. Our own if undefined. */
  stderr?: number;
  /** Instead of those that `findShells` finds. */
  shells?: Shells;
}
