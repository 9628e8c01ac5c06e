/** The action ledger: what must not happen twice. */
import { attempt, type Engine } from './engine.ts';
import type { Action, ActionStore } from './metadata.ts';
import type { ActionRow } from './schema.ts';

/** The collection belongs to it, or one tenant could occupy the actions of another by guessing their names. */
type Identity = Pick<Action, 'collectionId' | 'namespace' | 'name' | 'runId'>;

export function actionStore(engine: Engine): ActionStore {
  const { db } = engine;
  const select = ({ collectionId, namespace, name, runId }: Identity) =>
    db
      .selectFrom('actions')
      .selectAll()
      .where('collection_id', '=', collectionId)
      .where('namespace', '=', namespace)
      .where('name', '=', name)
      .where('run_id', '=', runId);
  const update = ({ collectionId, namespace, name, runId }: Identity) =>
    db
      .updateTable('actions')
      .where('collection_id', '=', collectionId)
      .where('namespace', '=', namespace)
      .where('name', '=', name)
      .where('run_id', '=', runId);
  const updateOurs = (key: Identity & Pick<Action, 'holder'>) =>
    update(key).where('state', '=', 'running').where('holder', '=', key.holder);

  return {
    // Every step is a statement that decides alone, so no transaction is needed; and repeatable, because a claim that
    // is already ours is granted again.
    claim: (action, leaseMs, now, retry) =>
      attempt(engine, true, async () => {
        const { holder } = action;
        const inserted = await db
          .insertInto('actions')
          .values({ ...toRow(action), lease_until: now + leaseMs, created_at: now, updated_at: now })
          .onConflict((conflict) =>
            conflict.columns(['collection_id', 'namespace', 'name', 'run_id']).doNothing(),
          )
          .returningAll()
          .executeTakeFirst();
        if (inserted) return { outcome: 'claimed', action: toAction(inserted) };

        const claimed = await update(action)
          .set({
            ...{
              state: 'running',
              holder,
              lease_until: now + leaseMs,
              updated_at: now,
              version_number: null,
            },
            operation: action.operation,
          })
          .where((where) => {
            const ours = where.and({ state: 'running', holder });
            if (!retry) return where.and([ours, where('lease_until', '>', now)]);
            const runOut = where.and([where('state', '=', 'running'), where('lease_until', '<=', now)]);
            return where.or([ours, runOut, where('state', '=', 'failed')]);
          })
          .returningAll()
          .executeTakeFirst();
        if (claimed) return { outcome: 'claimed', action: toAction(claimed) };

        const found = toAction(await select(action).executeTakeFirstOrThrow());
        if (found.state !== 'running') return { outcome: found.state, action: found };
        return { outcome: found.leaseUntil > now ? 'running' : 'failed', action: found };
      }),

    renew: (key, leaseMs, now) =>
      attempt(engine, true, async () => {
        const { numUpdatedRows } = await updateOurs(key)
          .set({ lease_until: now + leaseMs, updated_at: now })
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),

    finish: (key, state, versionNumber, now) =>
      attempt(engine, true, async () => {
        const { numUpdatedRows } = await updateOurs(key)
          .set({ state, version_number: versionNumber, updated_at: now })
          .executeTakeFirst();
        if (numUpdatedRows > 0n) return true;
        // It may be that a first attempt got through and only its answer was lost.
        const found = await select(key)
          .where('holder', '=', key.holder)
          .where('state', '=', state)
          .executeTakeFirst();
        return found !== undefined && found.version_number === versionNumber;
      }),

    find: (collectionId, namespace, name, runId) =>
      attempt(engine, true, async () => {
        const row = await select({ collectionId, namespace, name, runId }).executeTakeFirst();
        return row && toAction(row);
      }),
  };
}

function toRow(action: Identity & Pick<Action, 'operation' | 'holder'>) {
  return {
    namespace: action.namespace,
    name: action.name,
    run_id: action.runId,
    collection_id: action.collectionId,
    operation: action.operation,
    state: 'running',
    holder: action.holder,
    version_number: null,
  } as const;
}

function toAction(row: ActionRow): Action {
  return {
    namespace: row.namespace,
    name: row.name,
    runId: row.run_id,
    collectionId: row.collection_id,
    operation: row.operation,
    state: row.state,
    holder: row.holder,
    leaseUntil: row.lease_until,
    versionNumber: row.version_number,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
