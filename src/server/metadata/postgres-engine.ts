/** PostgreSQL: the database of a server that runs as several replicas. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import { UserError } from '../../api/problem.ts';
import type { Engine } from './engine.ts';
import { AlreadyExists, MetadataUnavailable } from './metadata.ts';
import { migrate } from './migrations.ts';
import { isReported, openPool, type PoolOptions } from './postgres-pool.ts';
import type { Schema } from './schema.ts';

/** Migrations may take as long as they must, and wait as long for another replica's. */
const MIGRATION_MS = 30 * 60_000;

/** Prepares a pool; connects when it is first used. Throws `UserError` for a URL that cannot be read. */
export async function openPostgres(url: string, options: PoolOptions): Promise<Engine> {
  try {
    new URL(url);
  } catch {
    // Without the cause, which holds the URL and so perhaps a password.
    throw new UserError({
      code: 'invalid-value',
      message:
        'the database URL cannot be read: write postgres://user:password@host:5432/database, with special characters of the password as %XX',
    });
  }
  return engineOn(url, options);
}

async function engineOn(url: string, options: PoolOptions): Promise<Engine> {
  const pool = await openPool(url, options);
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    volatileCounters: false,
    locksRows: true,
    // Not now(): that is the time at which the transaction began, which a wait for a lock can make long ago.
    now: () => sql`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
    failure: postgresFailure,
    migrate: async () => {
      const patient = await engineOn(url, {
        ...options,
        maxConnections: 1,
        statementTimeoutMs: MIGRATION_MS,
      });
      try {
        await migrate(patient);
      } finally {
        await patient.close();
      }
    },
    close: async () => {
      await db.destroy();
      // Kysely leaves a pool alone that it never used.
      await pool.end().catch(() => {});
    },
  };
}

/** Five-letter states by which PostgreSQL says that the whole transaction may be tried again, as it had no effect. */
const CONFLICTS = new Set(['40001', '40P01', '55P03']);

/** States after which the session is gone; whether a commit under way took place is not known. */
const GONE = /^(08|57P)/;

/** States that may pass by themselves or by an administrator's hand: too many connections, no room, read-only, … */
const PASSING = /^(08|53|57|58|25006|28|3D000|XX)/;

function postgresFailure(error: unknown): ReturnType<Engine['failure']> {
  if (!(error instanceof Error)) return { error, again: 'never' };
  if (!isReported(error)) {
    return isConnectionFailure(error)
      ? {
          error: unavailable(connectionMessage(error), error),
          again: isTimeout(error) ? 'never' : 'if repeatable',
        }
      : { error, again: 'never' };
  }
  const { code } = error;
  if (code === '23505') {
    return { error: new AlreadyExists('there is a row with the same key', { cause: error }), again: 'never' };
  }
  if (CONFLICTS.has(code)) return { error: unavailable('the database is too busy', error), again: 'always' };
  if (PASSING.test(code)) {
    return {
      error: unavailable(reportedMessage(code), error),
      again: GONE.test(code) ? 'if repeatable' : 'never',
    };
  }
  return { error, again: 'never' };
}

function unavailable(message: string, cause: Error): MetadataUnavailable {
  return new MetadataUnavailable(message, { cause });
}

const SYSTEM_CODES = /^(E[A-Z]+|ERR_TLS.*|CERT_.*|.*_CERT.*|DEPTH_ZERO.*)$/;

function isConnectionFailure(error: Error): boolean {
  if (error instanceof AggregateError) return true;
  if ('code' in error && typeof error.code === 'string' && SYSTEM_CODES.test(error.code)) return true;
  return /connection|timeout|terminated|not queryable|end on the pool|SSL|SASL|discarded/i.test(
    error.message,
  );
}

/** Who has waited that long should not be made to wait again. */
function isTimeout(error: Error): boolean {
  return /timeout/i.test(error.message);
}

function connectionMessage(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  if (isTimeout(error)) return 'the database did not answer in time';
  if (/SSL|TLS|CERT/i.test(error.message + code))
    return `no secure connection to the database came about${code}`;
  return `there is no connection to the database${code}`;
}

function reportedMessage(code: string): string {
  if (code.startsWith('28')) return 'the database refuses the user or its password';
  if (code === '3D000') return 'the server of the database has no database of that name';
  if (code === '25006') return 'the database is read-only at present';
  if (code === '53100') return 'the disk of the database is full';
  if (code === '53300') return 'the database accepts no more connections';
  if (code === '57014') return 'the database did not answer in time';
  return `the database is not available (${code})`;
}
