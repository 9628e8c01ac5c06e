/** Kills the server again and again while clients use it, and counts what is wrong afterwards. */
import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEngines } from '../../../../src/server/engines.ts';
import { Sweeper } from '../../../../src/server/versions/sweeper.ts';
import { Random } from '../../../fuzz/random.ts';
import { collection } from '../../../server/http/documents.ts';
import { check, countObjects, type Findings } from './check.ts';
import { type Access, LARGEST, type Ledger, load } from './load.ts';
import { Server } from './server.ts';

/** How many versions each collection keeps: rotations are frequent. */
const KEEPS = { one: 1, two: 2, three: 3, four: 2, five: 4 };
/** Part of the kills that hit the server while it starts, that is migrates and sweeps. */
const WHILE_STARTING = 0.15;
const STARTING_MS = 900;
const SERVING_MS = 1500;

export interface Figures {
  kills: number;
  whileStarting: number;
  acknowledged: number;
  interrupted: number;
  downloads: number;
  lost: string[];
  half: string[];
  leftovers: string[];
  blocked: string[];
  wrong: string[];
  rotatedUnanswered: number;
  /** Objects without a version: most at once, and after a sweep that takes them for abandoned. */
  orphans: number;
  orphansAfterSweep: number;
  longestStartMs: number;
  seconds: number;
  fileSystem: string;
}

export interface Options {
  kills: number;
  seed: number;
  /** Most bytes of an upload. */
  largest?: number;
  /** Where a machine is slow, more kills are made until so much has happened. */
  atLeast?: { acknowledged: number; interrupted: number };
  /** Longest time between a start and the kill. */
  servingMs?: number;
  /** Folder to work in. */
  under?: string;
  /** Does something to the dead server's data after each kill. */
  sabotage?: (server: Server, ledgers: readonly Ledger[]) => void;
  /** Told after each kill. */
  progress?: (figures: Figures) => void;
}

export async function crashes(options: Options): Promise<Figures> {
  const { kills, seed, largest = LARGEST, servingMs = SERVING_MS, under, sabotage, progress } = options;
  const { acknowledged = 0, interrupted = 0 } = options.atLeast ?? {};
  const began = performance.now();
  // Of its own: clients take numbers in an order that the machine decides.
  const instants = new Random(seed);
  const content = new Random(seed + 1);
  const documents = Object.entries(KEEPS).map(([name, maxBackupsCount]) =>
    collection(name, { maxBackupsCount, maxOneVersionSize: '64M', maxCollectionSize: '1G' }),
  );
  const server = await Server.create(documents, under);
  const figures = noFigures(server);
  const ledgers = Object.entries(KEEPS).map(
    ([id, keeps]): Ledger => ({ id, keeps, sent: new Set(), acknowledged: new Map() }),
  );
  try {
    const access: Access = {
      url: server.url,
      token: '',
      random: () => content.next(),
      largest,
      counts: figures,
    };
    let orphans = 0;
    const start = async () => {
      const from = performance.now();
      server.spawn();
      await server.ready();
      figures.longestStartMs = Math.max(figures.longestStartMs, Math.round(performance.now() - from));
      access.token ||= await server.login();
    };
    const look = async () => {
      const found = await check(access, ledgers, server.objects, orphans);
      note(figures, found);
      orphans = found.orphans;
    };
    const enough = () => figures.acknowledged >= acknowledged && figures.interrupted >= interrupted;
    for (let kill = 0; kill < kills || (!enough() && kill < 10 * kills); kill++) {
      figures.kills++;
      if (kill > 0 && instants.chance(WHILE_STARTING)) {
        figures.whileStarting++;
        server.spawn();
        await sleep(instants.next() * STARTING_MS);
        await server.end('SIGKILL');
        continue;
      }
      await start();
      await look();
      const stop = new AbortController();
      const working = load(access, ledgers, stop.signal);
      await sleep(instants.next() * servingMs);
      await server.end('SIGKILL');
      stop.abort();
      await working;
      sabotage?.(server, ledgers);
      progress?.(figures);
    }
    await start();
    await look();
    await look();
    await server.end('SIGTERM');
    figures.orphansAfterSweep = await orphansAfterSweep(server, ledgers);
  } finally {
    server.remove();
  }
  figures.seconds = Math.round((performance.now() - began) / 1000);
  return figures;
}

/** What the sweeper leaves once objects without a version are old enough; it must take them and nothing else. */
async function orphansAfterSweep(server: Server, ledgers: readonly Ledger[]): Promise<number> {
  const { metadata, storage, close } = await openEngines(server);
  try {
    const quiet = { info() {}, warn() {}, error() {} };
    const sweeper = new Sweeper(
      {
        metadata,
        storage,
        clock: Date.now,
        log: quiet as never,
        leaseMs: 60_000,
        storageTimeoutMs: 60_000,
      },
      { intervalMs: 60_000, leftoverAgeMs: 0, orphanAgeMs: 0, alone: true },
    );
    await sweeper.sweep(true);
    let versions = 0;
    for (const { id } of ledgers) {
      for (const { objectKey } of await metadata.versions.list(id)) {
        if ((await storage.size(objectKey)) !== undefined) versions++;
      }
    }
    return countObjects(server.objects) - versions;
  } finally {
    await close();
  }
}

function note(figures: Figures, found: Findings): void {
  for (const name of ['lost', 'half', 'leftovers', 'blocked'] as const) figures[name].push(...found[name]);
  figures.rotatedUnanswered += found.rotatedUnanswered;
  figures.orphans = Math.max(figures.orphans, found.orphans);
}

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
};

function noFigures({ folder }: Server): Figures {
  const { type } = statfsSync(folder);
  const counts = { kills: 0, whileStarting: 0, acknowledged: 0, interrupted: 0, downloads: 0 };
  const faults = { lost: [], half: [], leftovers: [], blocked: [], wrong: [] };
  const orphans = { rotatedUnanswered: 0, orphans: 0, orphansAfterSweep: 0 };
  const fileSystem = FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`;
  return { ...counts, ...faults, ...orphans, longestStartMs: 0, seconds: 0, fileSystem };
}

/** Everything that must not have happened; empty if the server is as it should be. */
export function faults(figures: Figures): string[] {
  const { lost, half, leftovers, blocked, wrong, orphansAfterSweep } = figures;
  return [
    ...lost.map((what) => `lost: ${what}`),
    ...half.map((what) => `half there: ${what}`),
    ...leftovers.map((what) => `left over: ${what}`),
    ...blocked.map((what) => `blocked: ${what}`),
    ...wrong.map((what) => `wrong answer: ${what}`),
    ...(orphansAfterSweep > 0 ? [`${orphansAfterSweep} orphans that no sweep removes`] : []),
  ];
}
