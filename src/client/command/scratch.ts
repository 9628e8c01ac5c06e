/** A folder for the command's temporary files, so that a killed command leaves none. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Report } from '../report.ts';

/** @returns a new empty folder that only we can enter, or undefined where none can be made, as on a read-only file system. */
export async function makeScratch(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    return await mkdtemp(join(resolve(env.TMPDIR || tmpdir()), 'backup-maker-'));
  } catch {
    return undefined;
  }
}

/** Never throws: what is left is told. */
export async function removeScratch(folder: string | undefined, report: Report): Promise<void> {
  if (folder === undefined) return;
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    report.warn(`the command's temporary files in ${folder} could not be removed`, { folder });
  }
}

/** For the very end of our process. Never throws. */
export function removeScratchNow(folder: string | undefined): void {
  try {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  } catch {
    // The guard tries it again.
  }
}
