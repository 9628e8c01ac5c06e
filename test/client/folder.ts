/** Private folders of tests, removed at the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backup-maker-test-'));
  folders.push(folder);
  return folder;
}
