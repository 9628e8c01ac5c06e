/** Fixed-window counters for rate limits. */
import { sql } from 'kysely';
import { attempt, type Engine } from './engine.ts';
import type { CounterStore } from './metadata.ts';

export function counterStore(engine: Engine): CounterStore {
  const { db } = engine;
  return {
    hit: (key, windowMs, now) =>
      // Not repeatable: it would count twice.
      attempt(engine, false, async () => {
        const start = now - (now % windowMs);
        const row = await db
          .insertInto('counters')
          .values({ key, window_start: start, window_end: start + windowMs, hits: 1 })
          .onConflict((conflict) =>
            conflict.column('key').doUpdateSet({
              // A replica whose clock is a little behind counts into the newer window instead of reopening the old one.
              hits: sql<number>`case when excluded.window_start > counters.window_start then 1 else counters.hits + 1 end`,
              window_end: sql<number>`case when excluded.window_start > counters.window_start then excluded.window_end else counters.window_end end`,
              window_start: sql<number>`case when excluded.window_start > counters.window_start then excluded.window_start else counters.window_start end`,
            }),
          )
          .returning('hits')
          .executeTakeFirstOrThrow();
        return row.hits;
      }),

    purge: (before) =>
      attempt(engine, true, async () => {
        await db.deleteFrom('counters').where('window_end', '<=', before).execute();
      }),
  };
}
