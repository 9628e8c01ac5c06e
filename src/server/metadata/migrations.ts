/** The schema's history. A migration that was released is never changed: write another one below it. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { UserError } from '../../api/problem.ts';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';

/** Any number, as long as nobody else's program that uses the same database has the same. */
const LOCK = 7_102_340_551_283;

/** Brings the schema up to date. All or nothing; whoever comes second waits for the first and finds nothing to do. */
export async function migrate(engine: Engine): Promise<void> {
  await engine.db.transaction().execute(async (transaction) => {
    // Kysely has a lock of its own, but makes the table of migrations before it takes that; SQLite's transactions
    // exclude each other anyway.
    if (engine.locksRows) await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
    await migrateWithin(transaction, engine.volatileCounters);
  });
}

async function migrateWithin(transaction: Transaction<Schema>, volatileCounters: boolean): Promise<void> {
  const migrator = new Migrator({
    db: transaction,
    provider: { getMigrations: async () => migrations(volatileCounters) },
    migrationTableName: 'schema_migrations',
    migrationLockTableName: 'schema_migrations_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    throw new UserError(
      {
        code: 'conflict',
        message:
          'the database was set up by a newer release of the server than this one: run that release, or restore the database as it was before the upgrade',
      },
      { cause: error },
    );
  }
  throw error;
}

function migrations(volatileCounters: boolean): Record<string, Migration> {
  return {
    '001-versions': { up: versions },
    '002-sessions': { up: sessions },
    '003-leases': { up: leases },
    '004-counters': { up: (db) => (volatileCounters ? Promise.resolve() : counters(db)) },
    '005-actions': { up: actions },
  };
}

async function versions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('versions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('collection_id', 'text', (column) => column.notNull())
    .addColumn('version_number', 'bigint', (column) => column.notNull())
    .addColumn('filename', 'text', (column) => column.notNull())
    .addColumn('object_key', 'text', (column) => column.notNull())
    .addColumn('filesize', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('format', 'text', (column) => column.notNull())
    .addColumn('content_encoding', 'text', (column) => column.notNull())
    .addColumn('user_name', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('pinned', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .addColumn('removed_at', 'bigint')
    .addUniqueConstraint('versions_number', ['collection_id', 'version_number'])
    .execute();
  await db.schema.createIndex('versions_object').on('versions').column('object_key').execute();
  // Partial, so that rotation does not read the history: a collection has few live versions and many deleted ones.
  await sql`create index versions_live on versions (collection_id, version_number) where deleted_at is null`.execute(
    db,
  );
  await sql`create index versions_to_remove on versions (deleted_at) where deleted_at is not null and removed_at is null`.execute(
    db,
  );
  await db.schema
    .createTable('numbers')
    .addColumn('collection_id', 'text', (column) => column.primaryKey())
    .addColumn('last_number', 'bigint', (column) => column.notNull())
    .execute();
}

async function sessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_name', 'text', (column) => column.notNull())
    .addColumn('access_key_name', 'text', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('requester_ip', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('deactivated', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('sessions_of_user')
    .on('sessions')
    .columns(['user_name', 'created_at'])
    .execute();
  await db.schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute();
}

async function leases(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('leases')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
}

/** Unlogged: counters may be lost with the database's process, and are written on every request. */
async function counters(db: Kysely<unknown>): Promise<void> {
  await sql`create unlogged table counters (
    key text primary key, window_start bigint not null, window_end bigint not null, hits bigint not null
  )`.execute(db);
}

async function actions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('actions')
    .addColumn('namespace', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('run_id', 'text', (column) => column.notNull())
    .addColumn('collection_id', 'text', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('lease_until', 'bigint', (column) => column.notNull())
    .addColumn('version_number', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('actions_key', ['collection_id', 'namespace', 'name', 'run_id'])
    .execute();
}
