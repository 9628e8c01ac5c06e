/** The engines that need nothing: SQLite in memory and a temporary folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMetadata } from '../../../src/server/metadata/open-metadata.ts';
import { openStorage } from '../../../src/server/storage/open-storage.ts';
import type { Engines } from './in-process.ts';

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export async function sqliteAndFolder(): Promise<Engines & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'backup-repository-'));
  folders.push(folder);
  const metadata = await openMetadata('sqlite::memory:');
  await metadata.migrate();
  return { metadata, storage: await openStorage(`file://${folder}/objects`), folder };
}
