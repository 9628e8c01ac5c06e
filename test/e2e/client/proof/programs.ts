/** The programs as they are shipped, copied: a build that runs meanwhile changes nothing. */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith, root } from '../../sandbox.ts';

export const proofFolder = folderWith();

const dist = join(root, 'dist');
if (!existsSync(join(dist, 'backup-maker/backup-maker.mjs'))) throw new Error('npm run build comes first');
for (const name of ['backup-maker', 'backup-repository'])
  cpSync(join(dist, name), join(proofFolder, 'dist', name), { recursive: true });

export const CLIENT = join(proofFolder, 'dist/backup-maker/backup-maker.mjs');
export const SERVER = join(proofFolder, 'dist/backup-repository/backup-repository.mjs');
