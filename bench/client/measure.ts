/** Measures the client beside pipes of stock tools and other backup programs, in turns. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startOurs } from '../server/process.ts';
import { say } from '../shared/progress.ts';
import { record } from '../shared/results.ts';
import { findTools, root } from '../shared/tools.ts';
import { CASES, type Case } from './cases.ts';
import { writeChanged } from './changes.ts';
import { writeData } from './data.ts';
import { makeKeys, stopAgents } from './keys.ts';
import { type Cost, costOf, type Options, peakOf } from './pipeline.ts';
import { type ClientResults, type Row, rowOf, type Taken } from './rows.ts';

export const CLIENT_TOOLS = ['gpg', 'age', 'zstd', 'curl', 'restic', 'borg', 'kopia'] as const;
/** Of the data, between the first backup and the second. */
const CHANGED = 0.01;

export interface ClientOptions {
  bytes: number;
  /** Most rounds that count. */
  runs: number;
  /** After which no further round is begun, as long as there are two. */
  minutes: number;
  /** Where data, server and repositories are. */
  folder: string;
  /** Part of the names of the cases that are measured. */
  only: string;
}

export async function measureClient(options: ClientOptions): Promise<ClientResults> {
  const { tools, missing } = findTools(CLIENT_TOOLS);
  const cases = CASES.filter(
    ({ needs, name }) => !needs.some((tool) => missing.includes(tool)) && name.includes(options.only),
  );
  const program = join(root, 'dist/backup-maker/backup-maker.mjs');
  const folder = mkdtempSync(join(options.folder, 'bench-client-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const collections = cases.flatMap(({ collection }) => collection ?? []);
  // Without a grace that only clients without a digest pay: pipes into curl would each wait a second for nothing.
  const { server, token } = await startOurs(join(folder, 'server'), {
    collections,
    flags: ['--hang-up-grace', '0s'],
  });
  try {
    const env = {
      ...makeKeys(folder, program, !missing.includes('gpg')),
      ...{ URL: server.url, BM_URL: server.url, TOKEN: token, BM_AUTH_TOKEN: token },
    };
    return await record('npm run bench -- client', tools, missing, async () => {
      const tables: ClientResults['tables'] = [];
      for (const data of ['SQL text', 'incompressible'] as const) {
        const files = { first: join(folder, 'data-1'), second: join(folder, 'data-2') };
        await writeData(files.first, options.bytes, data === 'SQL text' ? 'sql' : 'random');
        await writeChanged(files.first, files.second, CHANGED);
        say(`client: ${data}`);
        const taken = await rounds(cases, files, { env, cwd: folder }, options);
        tables.push({ data, bytes: options.bytes, ...rowsOf(cases, taken, options.bytes) });
      }
      return { changed: CHANGED, tables };
    });
  } finally {
    await server.stop();
    stopAgents(folder);
    remove();
  }
}

interface Files {
  first: string;
  second: string;
}

/** All cases in turns, after one round that measures memory and warms up. */
async function rounds(
  cases: readonly Case[],
  files: Files,
  pipes: Options,
  options: ClientOptions,
): Promise<Taken[]> {
  const taken = cases.map((): Taken => ({ first: [], second: [], peaks: [], stored: 0, added: 0 }));
  const deadline = performance.now() + (options.minutes * 60_000) / 2;
  for (let round = -1; round < options.runs; round++) {
    const began = performance.now();
    say(`client: round ${round + 1} of ${options.runs}${round < 0 ? ', for memory' : ''}`);
    for (const [index, one] of cases.entries()) {
      const into = taken[index];
      if (!into || into.failed) continue;
      try {
        await runOnce(one, into, files, pipes, round < 0);
      } catch (error) {
        if (one.role === 'ours') throw error;
        say(`client: ${one.name} is left out: ${(error as Error).message}`);
        into.failed = true;
      }
    }
    const lasted = performance.now() - began;
    if (round >= 1 && performance.now() + lasted > deadline) break;
  }
  return taken;
}

async function runOnce(
  one: Case,
  into: Taken,
  files: Files,
  pipes: Options,
  forMemory: boolean,
): Promise<void> {
  const at = (data: string, archive: string): Options => ({
    ...pipes,
    env: { ...pipes.env, DATA: data, ARCHIVE: archive },
  });
  const first = at(files.first, 'first');
  const second = at(files.second, 'second');
  if (one.before) shell(one.before, first);
  if (forMemory) into.peaks.push(await peakOf(one.run, first));
  else into.first.push(await costOf(one.run, first));
  if (one.stored) into.stored = Number(shell(one.stored, first));
  if (!one.again) return;
  const cost: Cost = await costOf(one.run, second);
  if (!forMemory) into.second.push(cost);
  const now = Number(shell(one.stored ?? 'echo 0', second));
  into.added = one.again === 'stored whole' ? now : now - into.stored;
}

function rowsOf(
  cases: readonly Case[],
  taken: readonly Taken[],
  bytes: number,
): { rows: Row[]; second: Row[] } {
  const working = [...cases.entries()].filter(([index]) => !taken[index]?.failed);
  const rows = working.map(([index, one]) => rowOf(one, bytes, taken[index], 'first'));
  const again = working.filter(([, one]) => one.again);
  return { rows, second: again.map(([index, one]) => rowOf(one, bytes, taken[index], 'second')) };
}

function shell(script: string, { env, cwd }: Options): string {
  return execFileSync('/bin/bash', ['-euo', 'pipefail', '-c', script], {
    ...{ env: { ...process.env, ...env }, cwd, encoding: 'utf8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}
