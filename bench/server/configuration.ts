/** What our server is told before it is measured. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePassword } from '../../src/server/access/password.ts';
import { PASSWORD, USER } from './process.ts';

/** Writes a user who may do anything, and collections that keep so many versions. */
export async function writeConfiguration(
  folder: string,
  collections: ReadonlyMap<string, number>,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const apiVersion = 'backups.riotkit.org/v1alpha1';
  const spec = { password: await encodePassword(PASSWORD), roles: ['systemAdmin'] };
  const documents = [
    { apiVersion, kind: 'BackupUser', metadata: { name: USER }, spec },
    ...[...collections].map(([name, count]) => ({
      apiVersion,
      kind: 'BackupCollection',
      metadata: { name },
      spec: {
        filenameTemplate: 'version-${version}.age',
        maxBackupsCount: count,
        // Room enough, so that no quota decides what is measured.
        maxOneVersionSize: '20G',
        maxCollectionSize: `${20 * (count + 1)}G`,
        strategyName: 'fifo',
        accessControl: [{ userName: USER, roles: ['collectionManager'] }],
      },
    })),
  ];
  const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  writeFileSync(join(folder, 'all.yaml'), text);
}
