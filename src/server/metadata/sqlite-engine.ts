/** SQLite: the database of a server that is one process, in one file. */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import type { Engine } from './engine.ts';
import { AlreadyExists, MetadataUnavailable } from './metadata.ts';
import { migrate } from './migrations.ts';
import type { Schema } from './schema.ts';
import { sqliteCode, sqliteDialect, sqliteExtendedCode } from './sqlite-driver.ts';

export interface SqliteOptions {
  /** Milliseconds since the epoch; for tests that turn the clock. */
  clock: () => number;
}

/** Opens a database file, or one in memory if `file` is `:memory:`. Throws `MetadataUnavailable` if it cannot. */
export async function openSqlite(file: string, { clock }: SqliteOptions): Promise<Engine> {
  // Only here, because the other engine's users need not pay for it.
  const { DatabaseSync: Database } = await import('node:sqlite');
  let database: DatabaseSync | undefined;
  try {
    if (file !== ':memory:') createPrivately(file);
    // Waiting for other processes is the driver's work: SQLite's own way would block every request.
    database = new Database(file, { timeout: 0, enableForeignKeyConstraints: true });
    await configure(database);
  } catch (error) {
    database?.close();
    throw sqliteFailure(error).error;
  }
  const opened = database;
  const db = new Kysely<Schema>({ dialect: sqliteDialect(async () => opened) });
  // Opens Kysely's side of it, so that `close` closes the file even if nothing was ever asked.
  await db.connection().execute(async () => {});
  const engine: Engine = {
    db,
    volatileCounters: true,
    locksRows: false,
    now: () => sql`${clock()}`,
    failure: sqliteFailure,
    migrate: () => migrate(engine),
    close: () => db.destroy(),
  };
  return engine;
}

/** Creates the file for its owner alone before SQLite would create it for all; its companions take over its mode. */
function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'ax', 0o600));
    chmodSync(file, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function configure(database: DatabaseSync): Promise<void> {
  // Write-ahead log: readers do not wait. FULL: what was committed survives a power cut; NORMAL would lose the last
  // commits, and an answer already given would be a lie.
  await patiently(() => database.exec('pragma journal_mode = wal'));
  database.exec('pragma synchronous = full');
  database.exec('pragma foreign_keys = on');
  // Counters are lost with the process anyway: in memory, they cost no flush on every request.
  database.exec('pragma temp_store = memory');
  database.exec(`create temp table counters (
    key text primary key, window_start integer not null, window_end integer not null, hits integer not null
  ) without rowid`);
}

/** Changing to the write-ahead log needs the database for itself for an instant. */
async function patiently(work: () => void): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      return work();
    } catch (error) {
      if (sqliteCode(error) !== 5 || left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** By primary result code of SQLite: what a person can do about it. */
const MEANINGS: Readonly<Record<number, string>> = {
  5: 'the database is locked by another process that has been writing for too long',
  6: 'the database is locked by another process that has been writing for too long',
  7: 'there is not enough memory for the database',
  8: 'the database file, or the folder that it is in, is read-only: make both writable for the user that runs the server',
  10: 'the disk that holds the database reports an input/output error',
  11: 'the database file is damaged: stop the server and restore the file from a backup',
  13: 'the disk that holds the database is full: free some space',
  14: 'the database file cannot be opened: check that its folder exists and is writable for the user that runs the server',
  26: 'the database file is not an SQLite database',
};

const UNIQUE = 2067;
const PRIMARY_KEY = 1555;

function sqliteFailure(error: unknown): ReturnType<Engine['failure']> {
  const extended = sqliteExtendedCode(error);
  if (extended === UNIQUE || extended === PRIMARY_KEY) {
    return { error: new AlreadyExists('there is a row with the same key', { cause: error }), again: 'never' };
  }
  const meaning = MEANINGS[sqliteCode(error) ?? 0] ?? fileMeaning(error);
  return { error: meaning ? new MetadataUnavailable(meaning, { cause: error }) : error, again: 'never' };
}

function fileMeaning(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return MEANINGS[14];
    case 'EROFS':
      return MEANINGS[8];
    case 'ENOSPC':
    case 'EDQUOT':
      return MEANINGS[13];
    case 'EISDIR':
    case 'ENOTDIR':
    case 'EEXIST':
      return 'the path of the database is a folder, or passes through a file';
    case 'ERR_INVALID_STATE':
      return 'the database was closed';
    default:
      return undefined;
  }
}
