/** One upload beside a bare server that only hashes and writes: what access, limits, checks and metadata cost. */
import { mkdirSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { pathOf } from '../../src/wire/routes.ts';
import { type Measurement, named } from '../shared/measure.ts';
import { ratioOfRounds } from '../shared/statistics.ts';
import { transfer, writeSource } from './curl.ts';
import { startBare, startOurs } from './process.ts';

export interface Single {
  bytes: number;
  /** Milliseconds: the bare server, then ours. */
  measured: Measurement[];
  /** Throughput of ours by that of the bare server: median over the rounds. */
  ratio: number;
  /** What else the machine did, as the system counts it. */
  load: number;
}

export async function measureSingle(
  folder: string,
  bytes: number,
  runs: number,
  program?: string,
): Promise<Single> {
  mkdirSync(folder);
  const source = join(folder, 'source');
  writeSource(source, bytes);
  const bare = await startBare(join(folder, 'bare'));
  const { server, token } = await startOurs(join(folder, 'ours'), { collections: ['one'], program });
  const load = loadavg()[0] ?? 0;
  const send = {
    bare: () => transfer([{ url: `${bare.url}/one`, upload: source }]),
    ours: () =>
      transfer(
        [{ url: server.url + pathOf('upload', { collectionId: 'one' }), upload: source, method: 'POST' }],
        ['-H', `Authorization: Bearer ${token}`],
      ),
  };
  const times: Record<keyof typeof send, number[]> = { bare: [], ours: [] };
  for (let run = -1; run < runs; run++) {
    for (const name of run % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const)) {
      const seconds = await send[name]();
      // The first round only warms up.
      if (run >= 0) times[name].push(seconds * 1000);
    }
  }
  await Promise.all([bare.stop(), server.stop()]);
  rmSync(folder, { recursive: true });
  const measured = [
    named({ name: 'bare node:http', role: 'peer' }, times.bare),
    named({ name: 'backup-repository', role: 'ours' }, times.ours),
  ];
  return { bytes, measured, ratio: ratioOfRounds(times.bare, times.ours), load };
}
