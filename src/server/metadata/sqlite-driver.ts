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

interface Prepared {
  statement: StatementSync;
  /** Names of the columns that it gives back; none if it gives nothing back. */
  columns: readonly string[];
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

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
    const { statement, columns } = this.#prepare(sql);
    const values = parameters as (string | number | bigint | null)[];
    if (columns.length === 0) return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
    const rows: object[] = [];
    // As arrays, see `#prepare`. To the end in any case: a statement that was left in the middle would hold its locks.
    for (const row of statement.iterate(...values) as Iterable<unknown>) {
      rows.push(Array.isArray(row) ? toObject(columns, row) : (row as object));
    }
    return { rows: rows as R[] };
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    // Of objects Node.js makes dictionaries, which take eight times as long in a heap as small as ours: 100,000 versions were
    // read in nine seconds, for which nobody else was served, and are in one.
    statement.setReturnArrays?.(true);
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) };
    if (this.#prepared.size >= PREPARED) this.#prepared.clear();
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  // biome-ignore lint/correctness/useYield: nothing here streams; lists are read in pages
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('not supported: read in pages');
  }
}

function toObject(columns: readonly string[], values: readonly unknown[]): object {
  const object: Record<string, unknown> = {};
  for (let at = 0; at < columns.length; at++) object[columns[at] as string] = values[at];
  return object;
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
