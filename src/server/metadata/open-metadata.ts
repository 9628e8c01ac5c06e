/** From a database's URL to its metadata. */
import { sql } from 'kysely';
import { UserError } from '../../api/problem.ts';
import { actionStore } from './actions.ts';
import { counterStore } from './counters.ts';
import { attempt, type Engine } from './engine.ts';
import { leaseStore } from './leases.ts';
import { type Metadata, MetadataUnavailable } from './metadata.ts';
import { openPostgres } from './postgres-engine.ts';
import { sessionStore } from './sessions.ts';
import { openSqlite } from './sqlite-engine.ts';
import { versionStore } from './versions.ts';

export interface MetadataOptions {
  /** The clock that leases go by on SQLite; PostgreSQL has its own. */
  clock?: () => number;
  /** PostgreSQL: connections at most. */
  maxConnections?: number;
  /** PostgreSQL: milliseconds after which a connection that does not come about counts as failed. */
  connectTimeoutMs?: number;
  /** PostgreSQL: milliseconds after which a statement counts as failed. */
  statementTimeoutMs?: number;
}

/**
 * Opens the metadata at a URL: `sqlite:///path/file.db`, `sqlite::memory:` or `postgres://user:password@host/database`.
 *
 * SQLite's file is created if it is not there, for its owner alone. PostgreSQL is connected to at the first use, so
 * that a server can start before its database. Call `migrate` before anything else. Throws `UserError` for a URL that
 * cannot work, and `MetadataUnavailable` if SQLite's file cannot be used. Neither shows the URL, which may hold a password.
 */
export async function openMetadata(url: string, options: MetadataOptions = {}): Promise<Metadata> {
  const engine = await openEngine(url, options);
  return {
    versions: versionStore(engine),
    sessions: sessionStore(engine),
    leases: leaseStore(engine),
    counters: counterStore(engine),
    actions: actionStore(engine),
    migrate: () => attempt(engine, true, () => engine.migrate()),
    ping: (timeoutMs) => ping(engine, timeoutMs),
    close: () => engine.close(),
  };
}

function openEngine(url: string, options: MetadataOptions): Promise<Engine> {
  if (/^postgres(ql)?:\/\//.test(url)) return openPostgres(url, options);
  if (url.startsWith('sqlite:')) return openSqlite(sqliteFile(url), { clock: options.clock ?? Date.now });
  const scheme = url.match(/^([a-z][a-z0-9+.-]*):/i)?.[1];
  throw new UserError({
    code: 'invalid-value',
    message: `${scheme ? `a database of kind "${scheme}:"` : 'a database URL without a scheme'} is not supported: write sqlite:///path/file.db or postgres://user:password@host:5432/database`,
  });
}

function sqliteFile(url: string): string {
  const rest = url.slice('sqlite:'.length);
  if (rest === ':memory:') return rest;
  // sqlite:///absolute/path, or without slashes, relative to the working directory.
  const path = rest.startsWith('///') ? rest.slice(2) : rest;
  if (path === '' || path.startsWith('//') || path.endsWith('/') || /[?#\0]/.test(path)) {
    throw new UserError({
      code: 'invalid-value',
      message: 'the database URL does not name a file: write sqlite:///path/file.db, with three slashes',
    });
  }
  return decodeURIComponent(path);
}

async function ping(engine: Engine, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new MetadataUnavailable(`the database did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  const answer = attempt(engine, true, () => sql`select 1`.execute(engine.db));
  // If it fails after the time is up, nobody is interested any more.
  answer.catch(() => {});
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
