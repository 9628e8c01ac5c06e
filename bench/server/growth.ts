/** What a version costs when there are very many already, and what starting costs then. */
import { globSync, mkdirSync, statSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { pathOf } from '../../src/wire/routes.ts';
import { Postgres } from '../../test/e2e/server/engines/processes.ts';
import { say } from '../shared/progress.ts';
import { rounded, type Summary, summarize } from '../shared/statistics.ts';
import { type Ours, startOurs } from './process.ts';
import { call } from './requests.ts';
import { seed } from './seed.ts';

export interface GrowthRow {
  engine: 'SQLite' | 'PostgreSQL';
  /** Versions in each of the two large collections. */
  rows: number;
  /** Milliseconds from starting the process until it listened, and answered a login. */
  start: Summary;
  /** Milliseconds of an upload of a kibibyte to the collection that has all these. */
  upload: Summary;
  /** The same where each upload makes the oldest version go. */
  rotate: Summary;
  /** To a collection of ten beside the large ones. */
  uploadSmall: Summary;
  /** Milliseconds until all versions were listed: of the large collection, and of one of ten. */
  list: Summary;
  listSmall: Summary;
  /** Of the database, for each version. */
  bytesPerVersion?: number;
  /** Most resident memory of the server over all this, in MiB. */
  peak: number;
}

export interface GrowthOptions {
  folder: string;
  sizes: readonly number[];
  /** Of each latency. */
  runs: number;
  withPostgres: boolean;
  program?: string | undefined;
}

const SMALL = 10;
/** After which no further round begins, as long as three count. */
const MOST_MS = 15_000;
const LEAST_ROUNDS = 3;
const STARTS = 3;
/** Replicas share it; one alone needs it too where the database is PostgreSQL. */
const SIGNING_KEY = 'for measurements only, nothing is signed with it that anybody wants';

export async function measureGrowth(options: GrowthOptions): Promise<GrowthRow[]> {
  mkdirSync(options.folder);
  const rows: GrowthRow[] = [];
  for (const size of options.sizes) {
    const folder = join(options.folder, `sqlite-${size}`);
    const file = join(folder, 'data/backups.db');
    rows.push(await measureOne('SQLite', size, folder, `sqlite://${file}`, () => sizeOf(file), options));
  }
  if (!options.withPostgres) return rows;
  const postgres = await Postgres.create();
  try {
    for (const size of options.sizes) {
      const name = `versions_${size}`;
      postgres.sql(`create database ${name}`);
      const bytes = () => Number(postgres.sql(`select pg_database_size('${name}')`));
      const folder = join(options.folder, `postgres-${size}`);
      rows.push(await measureOne('PostgreSQL', size, folder, postgres.url(name), bytes, options));
    }
  } finally {
    await postgres.stop();
  }
  return rows;
}

async function measureOne(
  engine: GrowthRow['engine'],
  rows: number,
  folder: string,
  database: string,
  bytes: () => number,
  { runs, program }: GrowthOptions,
): Promise<GrowthRow> {
  say(`server: ${engine} with ${rows.toLocaleString('en')} versions`);
  await seed(database, new Map([['small', 0]]));
  const empty = bytes();
  await seed(
    database,
    new Map([
      ['large', rows],
      ['full', rows],
      ['small', SMALL],
    ]),
  );
  const bytesPerVersion = rows > 0 ? Math.round((bytes() - empty) / (2 * rows)) : undefined;
  const start = () =>
    startOurs(folder, {
      // Only `full` is full: each upload to it makes the oldest version go.
      collections: new Map([
        ['large', rows + 100_000],
        ['full', Math.max(1, rows)],
        ['small', 1000],
      ]),
      flags: ['--database', database, '--log-level', 'info'],
      env: { BR_JWT_SECRET_KEY: SIGNING_KEY },
      program,
    });
  const starts: number[] = [];
  let ours: Ours | undefined;
  for (let count = 0; count < STARTS; count++) {
    await ours?.server.stop();
    ours = await start();
    starts.push(ours.server.startMs);
  }
  if (!ours) throw new Error('no start');
  const { server } = ours;
  server.resetPeak();
  const times = await latencies(ours, runs);
  const peak = Math.round(server.peak());
  await server.stop();
  return {
    ...{ engine, rows, start: summarize(starts), ...times, peak },
    ...(bytesPerVersion !== undefined && { bytesPerVersion: rounded(bytesPerVersion) }),
  };
}

type Latencies = Pick<GrowthRow, 'upload' | 'rotate' | 'uploadSmall' | 'list' | 'listSmall'>;

/** In turns; the first round only warms up. */
async function latencies({ server, token }: Ours, runs: number): Promise<Latencies> {
  const agent = new Agent({ keepAlive: true });
  const headers = { Authorization: `Bearer ${token}` };
  const body = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), Buffer.alloc(1000)]);
  const upload = (collectionId: string) => () =>
    call(agent, { url: server.url + pathOf('upload', { collectionId }), method: 'POST', headers, body });
  const list = (collectionId: string) => () =>
    call(agent, { url: server.url + pathOf('versions', { collectionId }), headers });
  const tasks: Record<keyof Latencies, () => Promise<number>> = {
    upload: upload('large'),
    rotate: upload('full'),
    uploadSmall: upload('small'),
    list: list('large'),
    listSmall: list('small'),
  };
  const taken = Object.fromEntries(Object.keys(tasks).map((name) => [name, [] as number[]]));
  const began = performance.now();
  for (let round = -1; round < runs; round++) {
    if (round >= LEAST_ROUNDS && performance.now() - began > MOST_MS) break;
    for (const [name, task] of Object.entries(tasks)) {
      const time = await task();
      if (round >= 0) taken[name]?.push(time);
    }
  }
  agent.destroy();
  const of = (name: keyof Latencies) => summarize(taken[name] ?? []);
  return {
    ...{ upload: of('upload'), rotate: of('rotate'), uploadSmall: of('uploadSmall') },
    ...{ list: of('list'), listSmall: of('listSmall') },
  };
}

/** With its companions: what was written last is in the log. */
function sizeOf(file: string): number {
  return globSync(`${file}*`).reduce((sum, path) => sum + statSync(path).size, 0);
}
