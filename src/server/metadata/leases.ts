/** Rights that at most one holder has, across replicas. */
import { randomUUID } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { attempt, type Engine } from './engine.ts';
import type { Lease, LeaseStore } from './metadata.ts';
import type { Schema } from './schema.ts';

export function leaseStore(engine: Engine): LeaseStore {
  const { db } = engine;
  const after = (ttlMs: number) => sql<number>`${engine.now()} + ${sql.lit(Math.round(ttlMs))}`;

  return {
    acquire: (name, ttlMs) => {
      const holder = randomUUID();
      return attempt(engine, true, async () => {
        const row = await db
          .insertInto('leases')
          .values({ name, holder, expires_at: after(ttlMs) })
          .onConflict((conflict) =>
            conflict
              .column('name')
              .doUpdateSet((row) => ({ holder: row.ref('excluded.holder'), expires_at: after(ttlMs) }))
              // Our own: the first attempt got through, only its answer was lost.
              .where((where) =>
                where.or([
                  where('leases.expires_at', '<=', engine.now()),
                  where('leases.holder', '=', holder),
                ]),
              ),
          )
          .returning('holder')
          .executeTakeFirst();
        return row && { name, holder };
      });
    },

    renew: ({ name, holder }, ttlMs) =>
      attempt(engine, true, async () => {
        const { numUpdatedRows } = await db
          .updateTable('leases')
          .set({ expires_at: after(ttlMs) })
          .where('name', '=', name)
          .where('holder', '=', holder)
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),

    release: ({ name, holder }) =>
      attempt(engine, true, async () => {
        await db.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute();
      }),

    releaseAll: () =>
      attempt(engine, true, async () => {
        await db.deleteFrom('leases').execute();
      }),
  };
}

/** True if the lease is held now; nobody can take it over until the transaction ends. */
export async function holdsLease(
  engine: Engine,
  transaction: Transaction<Schema>,
  lease: Lease,
): Promise<boolean> {
  // Locked before it is judged: whoever is taking it over at this instant has then finished, or waits for us.
  let query = transaction
    .selectFrom('leases')
    .select(['holder', 'expires_at'])
    .where('name', '=', lease.name);
  if (engine.locksRows) query = query.forUpdate();
  const row = await query.executeTakeFirst();
  if (row?.holder !== lease.holder) return false;
  const live = await transaction
    .selectFrom('leases')
    .select('name')
    .where('name', '=', lease.name)
    .where('expires_at', '>', engine.now())
    .executeTakeFirst();
  return live !== undefined;
}
