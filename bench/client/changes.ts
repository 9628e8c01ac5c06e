/** The day after: the same data with a little of it changed. */
import { copyFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { xorshift } from './random.ts';

/** Databases write whole pages near each other, so changes come in clusters; scattered ones would spare no tool anything. */
export const CLUSTER = 64 * 1024;

/** Where clusters are overwritten so that `share` of the file changes: spread evenly, each once, in ascending order. */
export function changedOffsets(bytes: number, share: number, seed = 7): number[] {
  const clusters = Math.floor(bytes / CLUSTER);
  const count = Math.min(clusters, Math.max(1, Math.round(clusters * share)));
  const random = xorshift(seed);
  const stride = clusters / count;
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor(index * stride);
    const width = Math.max(1, Math.floor((index + 1) * stride) - from);
    return (from + (random() % width)) * CLUSTER;
  });
}

/** Copies a file and overwrites that share of it, by what stands elsewhere in it, so that it compresses as before. */
export async function writeChanged(source: string, target: string, share: number): Promise<void> {
  copyFileSync(source, target);
  const file = await open(target, 'r+');
  try {
    const { size } = await file.stat();
    const piece = Buffer.alloc(CLUSTER);
    const random = xorshift(11);
    for (const offset of changedOffsets(size, share)) {
      await file.read(piece, 0, CLUSTER, (offset + size / 2) % (size - CLUSTER));
      // Moved text would be found again by deduplication, and would be no change at all.
      for (let at = random() % 50; at < CLUSTER; at += 40 + (random() % 20)) piece[at] = 97 + (random() % 26);
      await file.write(piece, 0, CLUSTER, offset);
    }
  } finally {
    await file.close();
  }
}
