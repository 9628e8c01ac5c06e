/** What SQLite and PostgreSQL do differently, as narrow as it could be made; everything else is one code path. */
import type { Kysely, RawBuilder } from 'kysely';
import type { Schema } from './schema.ts';

export interface Engine {
  readonly db: Kysely<Schema>;
  /** Counters are kept in memory and made anew by every process: true where only one process uses the database. */
  readonly volatileCounters: boolean;
  /** Rows may be locked with `for update`. Where they cannot, a transaction has the whole database for itself. */
  readonly locksRows: boolean;
  /** The clock that leases go by, in milliseconds: the database's where several processes share it. */
  now(): RawBuilder<number>;
  /**
   * What a failure of the engine means: `AlreadyExists`, `MetadataUnavailable`, or the same error if it is a mistake
   * in our code. `again` if the statement or transaction had no effect, or may have had one that doing it again would
   * not double, as long as it is `repeatable`.
   */
  failure(error: unknown): { error: unknown; again: 'always' | 'if repeatable' | 'never' };
  /** Brings the schema up to date. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}

/** How often something is tried before its failure is reported: once more is enough for a connection that went stale. */
const ATTEMPTS = 3;
const PAUSE_MS = 50;

/**
 * Runs statements and gives their failures a name that the server knows. Tries again where that is safe: after a
 * failure that certainly had no effect, and after a lost connection only if the statements are `repeatable`, that is
 * if running them twice is the same as running them once.
 */
export async function attempt<T>(engine: Engine, repeatable: boolean, work: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await work();
    } catch (thrown) {
      const { error, again } = engine.failure(thrown);
      const retry = again === 'always' || (again === 'if repeatable' && repeatable);
      if (!retry || attempts === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempts));
    }
  }
}
