/** Connections to PostgreSQL that fail in bounded time and never take the process with them. */
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Pool, PoolClient, PoolConfig } from 'pg';

export interface PoolOptions {
  maxConnections?: number;
  connectTimeoutMs?: number;
  statementTimeoutMs?: number;
}

const CONNECT_MS = 5000;
const STATEMENT_MS = 15_000;
const IDLE_MS = 30_000;

/** A pool as Kysely wants it. Connects when it is first used. */
export async function openPool(url: string, options: PoolOptions): Promise<PostgresPool> {
  const { default: pg } = await import('pg');
  const statement = options.statementTimeoutMs ?? STATEMENT_MS;
  const config: PoolConfig = {
    connectionString: url,
    application_name: 'backup-repository',
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    // The server's own limits first; ours only ends the wait for a server, or a network, that is silent.
    statement_timeout: statement,
    lock_timeout: statement,
    idle_in_transaction_session_timeout: statement,
    query_timeout: statement + Math.min(statement, 2000),
    types: {
      getTypeParser: (oid, format) => (oid === INT8 ? parseInt8 : pg.types.getTypeParser(oid, format)),
    },
  };
  const pool = new pg.Pool(config);
  // A connection that is lost while nobody uses it is no event: the pool makes another one.
  pool.on('error', () => {});
  // Lost while in use: the statement under way fails by itself. Heard from before the pool hands the connection out:
  // the end of a session may arrive together with its beginning, ahead of whoever awaits the connection.
  pool.on('connect', (client) => client.on('error', () => {}));
  return new DiscardingPool(pool);
}

const INT8 = 20;

/** Numbers in our tables are bytes, milliseconds and counts: all below 2^53, or something is very wrong. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`the database holds a number that is too large: ${text}`);
  return value;
}

/** A pool that does not take back a connection whose last statement got no answer: the next user would wait for it. */
class DiscardingPool implements PostgresPool {
  readonly #pool: Pool;
  readonly #wrapped = new WeakMap<PoolClient, PostgresPoolClient>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  get options(): object {
    return this.#pool.options;
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#pool.connect();
    const known = this.#wrapped.get(client);
    if (known) return known;
    const wrapped = discarding(client);
    this.#wrapped.set(client, wrapped);
    return wrapped;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

function discarding(client: PoolClient): PostgresPoolClient {
  let broken = false;
  const query = async <R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> => {
    try {
      const { command, rowCount, rows } = await client.query(sql, [...parameters]);
      // pg knows more commands, of which Kysely asks nothing, and no count for those that have none.
      return { command: command as PostgresQueryResult<R>['command'], rowCount: rowCount ?? 0, rows };
    } catch (error) {
      // An error that PostgreSQL itself reported has a five-letter state; the connection is then as good as before.
      broken ||= !isReported(error);
      throw error;
    }
  };
  return {
    query: query as PostgresPoolClient['query'],
    release: (destroy = false) => client.release(destroy || broken),
  };
}

/** True if PostgreSQL answered with this error, rather than the connection to it having failed. */
export function isReported(error: unknown): error is Error & { code: string } {
  return (
    error instanceof Error &&
    'code' in error &&
    /^[0-9A-Z]{5}$/.test(String(error.code)) &&
    'severity' in error
  );
}
