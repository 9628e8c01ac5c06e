/** Backups that go well, of any size, and back: byte for byte, and in how much memory. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Content, writeData } from '../../../../bench/client/data.ts';
import { Client } from './client.ts';
import type { Format } from './keys.ts';
import { proofFolder } from './programs.ts';
import type { UploadWorld } from './uploads.ts';

/** The issue's. */
export const MOST_MIB = 150;

export interface RoundTrip {
  format: Format;
  content: Content;
  bytes: number;
  flags?: readonly string[];
}

export interface RoundTripFigures extends RoundTrip {
  storedBytes: number;
  makeMiB: number;
  restoreMiB: number;
  makeSeconds: number;
  restoreSeconds: number;
  faults: string[];
}

/** A file with the content, for as long as the work takes. */
export async function withData<T>(
  content: Content,
  bytes: number,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const file = join(proofFolder, `${content}-${bytes}`);
  try {
    await writeData(file, bytes, content);
    return await work(file);
  } finally {
    rmSync(file, { force: true });
  }
}

export async function roundTrip(
  world: UploadWorld,
  collection: string,
  file: string,
  trip: RoundTrip,
  more: Readonly<Record<string, string>> = {},
): Promise<RoundTripFigures> {
  const { format, bytes, flags = [] } = trip;
  const env = { ...world.env(), ...more, FILE: file };
  const faults: string[] = [];
  const run = async (args: readonly string[], command: string) => {
    const begin = performance.now();
    const client = new Client(args, { env: { ...env, BM_CMD: command } });
    const { status, stderr, peakMiB } = await client.ended;
    faults.push(...(await client.remains()));
    client.forget();
    const name = `${args[0]} of ${bytes} bytes of ${trip.content}, ${format}`;
    if (status !== 0) faults.push(`${name}: ${status} ${stderr}`);
    if (peakMiB > MOST_MIB) faults.push(`${name}: ${Math.round(peakMiB)} MiB of memory`);
    return { peakMiB, seconds: (performance.now() - begin) / 1000 };
  };
  const made = await run(['make', '-i', collection, ...world.keys.seal[format], ...flags], 'cat "$FILE"');
  const version = (await world.repository.versions(collection)).at(-1);
  // At its end, cmp says whether there is less or more than in the file.
  const restored = await run(['restore', '-i', collection, ...world.keys.open[format]], 'cmp - "$FILE"');
  return {
    ...trip,
    storedBytes: version?.filesize ?? 0,
    makeMiB: Math.round(made.peakMiB),
    restoreMiB: Math.round(restored.peakMiB),
    makeSeconds: Math.round(made.seconds * 10) / 10,
    restoreSeconds: Math.round(restored.seconds * 10) / 10,
    faults,
  };
}
