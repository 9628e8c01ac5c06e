/**
 * SQLite for Kysely on Node's own `node:sqlite`.
 *
 * Kysely's own driver is not used for three reasons: its transactions begin without the write lock and then fail in the
 * middle when another process writes; a busy database would block the whole event loop instead of one request; and
 * statements would be prepared again each time.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

/** How long a statement waits for another process that writes. */
const BUSY_MS = 5000;
const PREPARED = 200;

/** The dialect. `open` is called once, at the first query. */
export function sqliteDialect(open: () => Promise<DatabaseSync>): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new SqliteDriver(open),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** SQLite does change tables within transactions; Kysely is only careful because of some pragmas that we do not use. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #open: () => Promise<DatabaseSync>;
  #database: DatabaseSync | undefined;
  #connection: SqliteConnection | undefined;

  constructor(open: () => Promise<DatabaseSync>) {
    this.#open = open;
  }

  async init(): Promise<void> {
    this.#database = await this.#open();
    this.#connection = new SqliteConnection(this.#database);
  }

  /** There is one connection; Kysely hands it to one user at a time, because the adapter says so. */
  async acquireConnection(): Promise<DatabaseConnection> {
    if (!this.#connection) throw new Error('the database is not open');
    return this.#connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk or an I/O error has rolled back by itself.
    if (this.#database?.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database?.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    for (const deadline = Date.now() + BUSY_MS; ; ) {
      try {
        return this.#run<R>(sql, parameters);
      } catch (error) {
        // Only a statement outside a transaction, or the first or last of one, can find the database busy.
        if (!isBusy(error) || Date.now() > deadline) throw error;
        await sleep(5 + Math.random() * 20);
      }
    }
  }

  #run<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    const statement = this.#prepare(sql);
    const values = parameters as (string | number | bigint | null)[];
    if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    if (this.#prepared.size >= PREPARED) this.#prepared.clear();
    this.#prepared.set(sql, statement);
    return statement;
  }

  // biome-ignore lint/correctness/useYield: nothing here streams; lists are read in pages
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('not supported: read in pages');
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY;
}

/** The primary result code of an error that SQLite reported; undefined if it is another kind of error. */
export function sqliteCode(error: unknown): number | undefined {
  const code = sqliteExtendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

/** The result code with SQLite's detail, such as which constraint was violated. */
export function sqliteExtendedCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode;
}
