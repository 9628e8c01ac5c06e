/** A whole run: the worlds that its rounds need, and the rounds of each world one after the other, the worlds side by side. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Reader } from './play/content.ts';
import { type Played, playRound } from './play/round.ts';
import type { Tools } from './play/stage.ts';
import { noCounts, type Run } from './report.ts';
import { drawRound, KINDS, type KindName, type Round, type WorldName } from './scenario.ts';
import { Disk } from './worlds/disk.ts';
import { missingEngines } from './worlds/engines.ts';
import { Single } from './worlds/single.ts';
import type { World } from './worlds/world.ts';

export interface Options {
  seed: number;
  /** Numbers of the rounds to play. */
  rounds: readonly number[];
  /** Only these; absent: all that this machine can play. */
  kinds?: readonly KindName[];
  /** Folder to work in. */
  under?: string;
  /** Told after each round. */
  tell?: (played: readonly Played[]) => void;
  /** Does something between the rounds' operations and the look at what they left. */
  sabotage?: (world: World) => void;
  /** Told if the rounds of a world cannot be played. */
  warn?: (what: string) => void;
  /** Ends the run after the round that is being played. */
  signal?: AbortSignal;
}

const MEMORY = '/dev/shm';
const root = join(import.meta.dirname, '..');

export async function torture(options: Options): Promise<Run> {
  const began = performance.now();
  // A kill ends a process and not the kernel, so memory shows as much as a disk does, and does not wait for others that write.
  const under = options.under ?? (existsSync(MEMORY) ? MEMORY : tmpdir());
  const folder = mkdtempSync(join(under, 'torture-'));
  // For the engines; PostgreSQL is another user than we are.
  chmodSync(folder, 0o711);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  const { kinds, leftOut } = playable(options.kinds);
  const rounds = options.rounds.map((number) => drawRound(options.seed, number, kinds));
  const tools = await prepareTools(folder);
  const played: Played[] = [];
  const faults: string[] = [];
  const lanes = lanesOf(rounds).map(async ({ name, ours }) => {
    const world = await startWorld(name, tools.server, folder).catch((error: Error) => {
      options.warn?.(`${ours.length} rounds (${name}) cannot be played: ${error.message}`);
      throw error;
    });
    try {
      for (const round of ours) {
        if (options.signal?.aborted) break;
        played.push(await playRound(round, world, tools, folder, options.sabotage));
        options.tell?.(played);
      }
    } finally {
      faults.push(...(await world.stop()));
    }
  });
  for (const lane of await Promise.allSettled(lanes))
    if (lane.status === 'rejected') faults.push(String((lane.reason as Error).stack));
  if (faults.length === 0 && played.every((each) => each.faults.length === 0))
    rmSync(folder, { recursive: true, force: true });
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  const seconds = Math.round((performance.now() - began) / 1000);
  const { seed } = options;
  return { seed, rounds: rounds.length, seconds, played, counts: tools.counts, leftOut, faults };
}

/** How many worlds of a kind there are side by side: most rounds need a single server, and most of a round is waiting. */
const WORLDS: Readonly<Record<WorldName, number>> = { single: 3, small: 1, replicas: 1 };

/** Rounds of one lane are played one after the other, in a world of their own. */
function lanesOf(rounds: readonly Round[]): { name: WorldName; ours: Round[] }[] {
  return (Object.entries(WORLDS) as [WorldName, number][]).flatMap(([name, count]) => {
    const all = rounds.filter(({ world }) => world === name);
    const lanes = Array.from({ length: count }, (_, lane) =>
      all.filter((_, index) => index % count === lane),
    );
    return lanes.filter((ours) => ours.length > 0).map((ours) => ({ name, ours }));
  });
}

async function startWorld(name: WorldName, program: string, folder: string): Promise<World> {
  if (name !== 'replicas') return Single.start(program, folder, name === 'small');
  const { Replicas } = await import('./worlds/replicas.ts');
  return Replicas.start(folder);
}

/** Which kinds this machine can play, and why not the others. */
function playable(wanted: readonly KindName[] = KINDS.map(({ name }) => name)): {
  kinds: KindName[];
  leftOut: Run['leftOut'];
} {
  const cannot: Partial<Record<WorldName, string>> = {};
  if (!Disk.possible()) cannot.small = 'this user may not mount a disk: run it as root';
  const missing = missingEngines();
  if (missing.length > 0)
    cannot.replicas = `${missing.join(' and ')} cannot be found: test/e2e/install-server.sh installs it`;
  const of = (world: WorldName) =>
    KINDS.filter((kind) => kind.world === world && wanted.includes(kind.name)).map(({ name }) => name);
  const leftOut = Object.entries(cannot).flatMap(([world, why]) => {
    const names = of(world as WorldName);
    return names.length > 0 ? [{ names, why }] : [];
  });
  const kinds = wanted.filter((name) => !leftOut.some(({ names }) => names.includes(name)));
  return { kinds, leftOut };
}

async function prepareTools(folder: string): Promise<Tools & { server: string }> {
  const dist = join(root, 'dist');
  const programs = ['backup-maker', 'backup-repository'];
  for (const name of programs) {
    if (!existsSync(join(dist, name))) throw new Error('npm run build comes first');
    // Copied, so that a build meanwhile changes nothing.
    cpSync(join(dist, name), join(folder, 'dist', name), { recursive: true });
  }
  const [client = '', server = ''] = programs.map((name) => join(folder, 'dist', name, `${name}.mjs`));
  const passphrase = randomBytes(8).toString('hex');
  const keys = { age: join(folder, 'age'), openpgp: join(folder, 'openpgp'), passphrase };
  for (const format of ['age', 'openpgp'] as const) {
    const args = [client, 'keygen', '--format', format, '--out', keys[format]];
    const { status, stderr } = spawnSync(process.execPath, args, {
      env: { PATH: process.env.PATH, BM_PASSPHRASE: passphrase },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  }
  const run = randomBytes(4).toString('hex');
  return {
    client,
    server,
    keys,
    reader: await Reader.with(keys),
    sealed: new Map(),
    run,
    counts: noCounts(),
  };
}
