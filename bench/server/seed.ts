/** Databases as they are after years: rows put into the real tables, without their objects. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Engine } from '../../src/server/metadata/engine.ts';
import { openPostgres } from '../../src/server/metadata/postgres-engine.ts';
import { openSqlite } from '../../src/server/metadata/sqlite-engine.ts';
import { toVersionRow } from '../../src/server/metadata/version-rows.ts';

/** Rows in one statement. */
const BATCH = 500;
const DAY_MS = 86_400_000;

/** Gives each collection so many live versions, one a day until yesterday, by the server's own schema. */
export async function seed(url: string, collections: ReadonlyMap<string, number>): Promise<void> {
  const engine = await open(url);
  try {
    await engine.migrate();
    for (const [collectionId, count] of collections) await fill(engine, collectionId, count);
  } finally {
    await engine.close();
  }
}

function open(url: string): Promise<Engine> {
  if (url.startsWith('postgres:')) return openPostgres(url, {});
  return openSqlite(url.slice('sqlite://'.length), { clock: Date.now });
}

async function fill({ db }: Engine, collectionId: string, count: number): Promise<void> {
  const now = Date.now();
  await db.transaction().execute(async (transaction) => {
    for (let from = 1; from <= count; from += BATCH) {
      const length = Math.min(BATCH, count - from + 1);
      const rows = Array.from({ length }, (_, index) => {
        const versionNumber = from + index;
        const createdAt = now - (count - versionNumber + 1) * DAY_MS;
        const filename = `version-${versionNumber}.age`;
        return toVersionRow({
          ...{ id: randomUUID(), collectionId, versionNumber, filename },
          objectKey: `${collectionId}/${versionNumber}-${randomBytes(6).toString('hex')}-${filename}`,
          ...{
            filesize: 1024,
            sha256: randomBytes(32).toString('hex'),
            format: 'age',
            contentEncoding: 'zstd',
          },
          ...{ user: 'bench', uploadedBySessionId: randomBytes(32).toString('hex'), pinned: false },
          ...{ createdAt, updatedAt: createdAt, deletedAt: null },
        });
      });
      await transaction.insertInto('versions').values(rows).execute();
    }
    if (count > 0)
      await transaction
        .insertInto('numbers')
        .values({ collection_id: collectionId, last_number: count })
        .execute();
  });
}
