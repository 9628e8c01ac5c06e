/** Fixed-window counters for rate limits. */
import { sql } from 'kysely';
import { attempt, type Engine } from './engine.ts';
import type { CounterStore } from './metadata.ts';

/** How far behind a replica's clock may be to count into a newer window. */
const MOST_LAG_MS = 60_000;

export function counterStore(engine: Engine): CounterStore {
  const { db } = engine;
  return {
    hit: (key, windowMs, now) =>
      // Not repeatable: it would count twice.
      attempt(engine, false, async () => {
        const start = now - (now % windowMs);
        // Or the clock was turned back since: counting on in a window far ahead would refuse everybody until it comes.
        const lag = Math.max(windowMs, MOST_LAG_MS);
        const anew = sql`excluded.window_start > counters.window_start or counters.window_start > excluded.window_start + ${sql.lit(lag)}`;
        const row = await db
          .insertInto('counters')
          .values({ key, window_start: start, window_end: start + windowMs, hits: 1 })
          .onConflict((conflict) =>
            conflict.column('key').doUpdateSet({
              // A replica whose clock is a little behind counts into the newer window instead of reopening the old one.
              hits: sql<number>`case when ${anew} then 1 else counters.hits + 1 end`,
              window_end: sql<number>`case when ${anew} then excluded.window_end else counters.window_end end`,
              window_start: sql<number>`case when ${anew} then excluded.window_start else counters.window_start end`,
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
