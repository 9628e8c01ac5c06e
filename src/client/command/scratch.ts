/**
 * A folder for the command's temporary files, so that a killed command leaves none. The guard makes it: whoever makes it must be the one
 * that outlives our process, or a SIGKILL between making it and starting the guard would leave it behind.
 */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Report } from '../report.ts';

/** A path that nothing has, and that nobody could guess. */
export function nameScratch(env: NodeJS.ProcessEnv): string {
  return join(resolve(env.TMPDIR || tmpdir()), `backup-maker-${randomUUID()}`);
}

/** Never throws: what is left is told. */
export async function removeScratch(folder: string, report: Report): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    report.warn(`the command's temporary files in ${folder} could not be removed`, { folder });
  }
}

/** For the very end of our process. Never throws. */
export function removeScratchNow(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // The guard tries it again.
  }
}
