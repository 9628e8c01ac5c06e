/** Measures the server: transfers, rates, memory, and what growing costs. */
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../shared/progress.ts';
import { loadResults, record } from '../shared/results.ts';
import { findTools, type Tool } from '../shared/tools.ts';
import { measureGrowth } from './growth.ts';
import { measureMemory } from './memory.ts';
import { measureRates } from './rates.ts';
import type { ServerResults } from './report.ts';
import { measureSingle } from './single.ts';
import { measureTransfers } from './transfers.ts';

export const SERVER_PARTS = ['single', 'transfers', 'memory', 'rates', 'growth'] as const;
export type ServerPart = (typeof SERVER_PARTS)[number];

export interface ServerOptions {
  /** Of one large transfer, and of the smaller ones of a level together. */
  bytes: number;
  runs: number;
  parts: readonly ServerPart[];
  /** On the disk that is to be measured. */
  folder: string;
  /** Largest number of versions in a collection. */
  most: number;
  program?: string | undefined;
}

const LEVELS = [1, 8, 64];
const SIZES = [0, 1000, 10_000, 100_000];
const RATE_SECONDS = 3;

export async function measureServer(options: ServerOptions): Promise<ServerResults> {
  const { bytes, runs, parts, most, program } = options;
  const folder = mkdtempSync(join(options.folder, 'bench-server-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const { tools, missing } = findPeers();
  const withMinio = !missing.includes('minio');
  const withPostgres = !missing.includes('postgres');
  const wants = (part: ServerPart) => {
    if (parts.includes(part)) say(`server: ${part}`);
    return parts.includes(part);
  };
  const before = loadResults<ServerResults>('server');
  try {
    const results = await record('npm run bench -- server', tools, missing, async () => {
      const measured: Partial<ServerResults> = {};
      if (wants('single'))
        measured.single = await measureSingle(join(folder, 'single'), bytes, runs, program);
      if (wants('transfers'))
        measured.transfers = await measureTransfers({
          ...{ folder: join(folder, 'transfers'), bytes: bytes / 2, runs: Math.min(runs, 3), levels: LEVELS },
          ...{ withMinio, program },
        });
      if (wants('memory')) measured.memory = await measureMemory(join(folder, 'memory'), bytes, program);
      if (wants('rates')) measured.rates = await measureRates(join(folder, 'rates'), RATE_SECONDS, program);
      if (wants('growth'))
        measured.growth = await measureGrowth({
          ...{ folder: join(folder, 'growth'), sizes: SIZES.filter((size) => size <= most) },
          ...{ runs: Math.max(3, 2 * runs - 1), withPostgres, program },
        });
      return measured;
    });
    // What was not measured now stays as it was recorded.
    return { ...before, ...results };
  } finally {
    remove();
  }
}

/** PostgreSQL is not on the PATH where Debian installs it. */
function findPeers(): { tools: Tool[]; missing: string[] } {
  const { tools, missing } = findTools(['curl', 'minio']);
  const [bin] = globSync('/usr/lib/postgresql/*/bin').sort().reverse();
  if (bin === undefined || !existsSync(join(bin, 'postgres'))) missing.push('postgres');
  else tools.push({ name: 'PostgreSQL', version: bin.split('/').at(-2) ?? '' });
  return { tools, missing };
}
