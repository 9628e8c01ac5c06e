/** Whether PostgreSQL and MinIO are there. On its own, because what starts them cannot even be loaded where PostgreSQL is missing. */
import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** What two replicas need and this machine does not have; looked for where `test/e2e/install-server.sh` puts it. */
export function missingEngines(): string[] {
  const folders = [
    process.env.TOOLS_DIR ?? join(root, '.tools/bin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  const has = (program: string) => folders.some((folder) => existsSync(join(folder, program)));
  const postgres = has('postgres') || globSync('/usr/lib/postgresql/*/bin/postgres').length > 0;
  return [...(postgres ? [] : ['PostgreSQL']), ...(has('minio') ? [] : ['MinIO'])];
}
