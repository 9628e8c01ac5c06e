/** Stored versions and their numbers. */
import { sql, type Transaction } from 'kysely';
import { attempt, type Engine } from './engine.ts';
import { holdsLease } from './leases.ts';
import { type Lease, LeaseLost, type Version, type VersionStore } from './metadata.ts';
import type { Schema } from './schema.ts';
import { toOutline, toVersion, toVersionRow } from './version-rows.ts';

/** Rows read at a time, and keys named in one statement. */
const PAGE = 500;

export function versionStore(engine: Engine): VersionStore {
  const { db } = engine;
  const live = () => db.selectFrom('versions').selectAll().where('deleted_at', 'is', null);

  return {
    nextNumber: (collectionId) =>
      attempt(engine, true, async () => {
        const row = await db
          .selectFrom('numbers')
          .select('last_number')
          .where('collection_id', '=', collectionId)
          .executeTakeFirst();
        return (row?.last_number ?? 0) + 1;
      }),

    register: (version, lease, now) => {
      const complete = { ...version, pinned: false, createdAt: now, updatedAt: now, deletedAt: null };
      // Repeatable, because a version that is already there by the same id counts as registered.
      return attempt(engine, true, () =>
        db.transaction().execute((transaction) => commit(engine, transaction, complete, lease)),
      );
    },

    list: (collectionId) =>
      attempt(engine, true, async () => {
        const rows = await live()
          .where('collection_id', '=', collectionId)
          .orderBy('version_number')
          .execute();
        return rows.map(toVersion);
      }),

    outlines: (collectionId) =>
      attempt(engine, true, async () => {
        const rows = await db
          .selectFrom('versions')
          .select(['id', 'version_number', 'filesize', 'pinned', 'created_at'])
          .where('collection_id', '=', collectionId)
          .where('deleted_at', 'is', null)
          .orderBy('version_number')
          .execute();
        return rows.map(toOutline);
      }),

    find: (collectionId, versionNumber) =>
      attempt(engine, true, async () => {
        // A number that no version can have; PostgreSQL would not even compare it.
        if (!Number.isSafeInteger(versionNumber)) return undefined;
        const row = await live()
          .where('collection_id', '=', collectionId)
          .where('version_number', '=', versionNumber)
          .executeTakeFirst();
        return row && toVersion(row);
      }),

    latest: (collectionId) =>
      attempt(engine, true, async () => {
        const row = await live()
          .where('collection_id', '=', collectionId)
          .orderBy('version_number', 'desc')
          .limit(1)
          .executeTakeFirst();
        return row && toVersion(row);
      }),

    softDelete: async (ids, now, { force = false, sparing } = {}) => {
      const marked: Version[] = [];
      for (let start = 0; start < ids.length; start += PAGE) {
        // Not repeatable: a second run would not return what the first had marked.
        const rows = await attempt(engine, false, () =>
          db.transaction().execute(async (transaction) => {
            if (sparing !== undefined && !(await leavesOne(engine, transaction, sparing, ids))) return [];
            let update = transaction
              .updateTable('versions')
              .set({ deleted_at: now, updated_at: now })
              .where('id', 'in', ids.slice(start, start + PAGE))
              .where('deleted_at', 'is', null);
            if (!force) update = update.where('pinned', '=', 0);
            return update.returningAll().execute();
          }),
        );
        marked.push(...rows.map(toVersion));
      }
      return marked;
    },

    setPinned: (id, pinned, now) =>
      attempt(engine, true, async () => {
        const { numUpdatedRows } = await db
          .updateTable('versions')
          .set({ pinned: pinned ? 1 : 0, updated_at: now })
          .where('id', '=', id)
          .where('deleted_at', 'is', null)
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),

    pendingRemovals: (limit) =>
      attempt(engine, true, async () => {
        const rows = await db
          .selectFrom('versions')
          .selectAll()
          .where('deleted_at', 'is not', null)
          .where('removed_at', 'is', null)
          .orderBy('deleted_at')
          .limit(limit)
          .execute();
        return rows.map(toVersion);
      }),

    removed: (id, now) =>
      attempt(engine, true, async () => {
        await db
          .updateTable('versions')
          .set({ removed_at: now, updated_at: now })
          .where('id', '=', id)
          .where('deleted_at', 'is not', null)
          .where('removed_at', 'is', null)
          .execute();
      }),

    all: async function* () {
      let last: { collection_id: string; version_number: number } | undefined;
      for (;;) {
        const after = last;
        const rows = await attempt(engine, true, () => {
          let page = live().orderBy('collection_id').orderBy('version_number').limit(PAGE);
          if (after) {
            page = page.where(
              sql<boolean>`(collection_id, version_number) > (${after.collection_id}, ${after.version_number})`,
            );
          }
          return page.execute();
        });
        for (const row of rows) yield toVersion(row);
        last = rows.at(-1);
        if (rows.length < PAGE) return;
      }
    },

    isReferenced: (objectKey) =>
      attempt(engine, true, async () => {
        const row = await db
          .selectFrom('versions')
          .select('id')
          .where('object_key', '=', objectKey)
          .where('removed_at', 'is', null)
          .limit(1)
          .executeTakeFirst();
        return row !== undefined;
      }),

    firstStoredAt: (collectionId) =>
      attempt(engine, true, async () => {
        const row = await db
          .selectFrom('versions')
          .select('created_at')
          .where('collection_id', '=', collectionId)
          .orderBy('version_number')
          .limit(1)
          .executeTakeFirst();
        return row?.created_at;
      }),

    totals: () =>
      attempt(engine, true, async () => {
        const rows = await db
          .with('sums', (query) =>
            query
              .selectFrom('versions')
              .where('deleted_at', 'is', null)
              .groupBy('collection_id')
              .select([
                'collection_id',
                sql<number>`count(*)`.as('count'),
                // PostgreSQL sums bigint to numeric, which would come back as text.
                sql<number>`cast(sum(filesize) as bigint)`.as('bytes'),
                sql<number>`max(version_number)`.as('newest'),
              ]),
          )
          .selectFrom('sums')
          .innerJoin('versions', (join) =>
            join
              .onRef('versions.collection_id', '=', 'sums.collection_id')
              .onRef('versions.version_number', '=', 'sums.newest'),
          )
          .select([
            'sums.collection_id',
            'sums.count',
            'sums.bytes',
            'versions.created_at',
            'versions.filesize',
          ])
          .orderBy('sums.collection_id')
          .execute();
        return rows.map((row) => ({
          collectionId: row.collection_id,
          count: row.count,
          bytes: row.bytes,
          newestAt: row.created_at,
          newestSize: row.filesize,
        }));
      }),
  };
}

/** Whether another version than these is live. Two that ask at once for the same collection wait for each other. */
async function leavesOne(
  engine: Engine,
  transaction: Transaction<Schema>,
  collectionId: string,
  ids: readonly string[],
): Promise<boolean> {
  if (engine.locksRows) {
    const number = transaction.selectFrom('numbers').select('last_number');
    await number.where('collection_id', '=', collectionId).forUpdate().execute();
  }
  const live = await transaction
    .selectFrom('versions')
    .select('id')
    .where('collection_id', '=', collectionId)
    .where('deleted_at', 'is', null)
    // Of more than are leaving, one stays.
    .limit(ids.length + 1)
    .execute();
  const leaving = new Set(ids);
  return live.some(({ id }) => !leaving.has(id));
}

/** The only place where a version comes into being. */
async function commit(
  engine: Engine,
  transaction: Transaction<Schema>,
  version: Version,
  lease: Lease,
): Promise<Version> {
  // First, because its lock makes an earlier attempt of ours, whose answer was lost, end before we look for its row.
  const held = await holdsLease(engine, transaction, lease);
  const before = await transaction
    .selectFrom('versions')
    .selectAll()
    .where('id', '=', version.id)
    .where('object_key', '=', version.objectKey)
    .executeTakeFirst();
  if (before) return toVersion(before);
  if (!held)
    throw new LeaseLost(`the right to write "${lease.name}" was lost: it ran out, or somebody else has it`);
  await transaction.insertInto('versions').values(toVersionRow(version)).execute();
  await transaction
    .insertInto('numbers')
    .values({ collection_id: version.collectionId, last_number: version.versionNumber })
    .onConflict((conflict) =>
      conflict
        .column('collection_id')
        .doUpdateSet((row) => ({ last_number: row.ref('excluded.last_number') }))
        .whereRef('numbers.last_number', '<', 'excluded.last_number'),
    )
    .execute();
  return version;
}
