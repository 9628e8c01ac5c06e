/** Resident memory while eight large transfers pass at a time. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from '../../src/wire/routes.ts';
import { rounded } from '../shared/statistics.ts';
import { type Transfer, transfer, writeSource } from './curl.ts';
import { startOurs } from './process.ts';

export interface Memory {
  /** Of each. */
  bytes: number;
  parallel: number;
  /** Most resident memory before the first transfer, in MiB. */
  idle: number;
  uploads: Phase;
  downloads: Phase;
}

interface Phase {
  /** Most resident memory while they ran, in MiB. */
  peak: number;
  /** All together. */
  mibPerSecond: number;
}

const PARALLEL = 8;

export async function measureMemory(folder: string, bytes: number, program?: string): Promise<Memory> {
  mkdirSync(folder);
  const source = join(folder, 'source');
  writeSource(source, bytes);
  const names = Array.from({ length: PARALLEL }, (_, index) => `c${index}`);
  const { server, token } = await startOurs(join(folder, 'ours'), { collections: names, program });
  const timed = async (each: (collectionId: string) => Transfer): Promise<Phase> => {
    server.resetPeak();
    const seconds = await transfer(names.map(each), ['-H', `Authorization: Bearer ${token}`]);
    return {
      peak: Math.round(server.peak()),
      mibPerSecond: rounded((PARALLEL * bytes) / 2 ** 20 / seconds),
    };
  };
  const idle = Math.round(server.peak());
  const uploads = await timed((collectionId) => ({
    url: server.url + pathOf('upload', { collectionId }),
    upload: source,
    method: 'POST',
  }));
  const downloads = await timed((collectionId) => ({
    url: server.url + pathOf('download', { collectionId, version: 'latest' }),
  }));
  await server.stop();
  rmSync(folder, { recursive: true });
  return { bytes, parallel: PARALLEL, idle, uploads, downloads };
}
