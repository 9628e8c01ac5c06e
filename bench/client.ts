/**
 * Measures the client beside pipes of stock tools and other backup programs, in turns, and writes its part of
 * bench/README.md and bench/results/client.json.
 *
 *   npm run bench -- client                     1 GiB each of SQL text and of random bytes, 5 runs
 *   npm run bench -- client --size 256MiB --runs 3 --folder /dev/shm
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES, missing, versions } from './client-cases.ts';
import { writeData } from './client-data.ts';
import { type ClientResults, type Row, renderClientReport } from './client-report.ts';
import { type Cost, costOf } from './pipeline.ts';
import { startOurs } from './server-process.ts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1GiB' },
    runs: { type: 'string', default: '5' },
    folder: { type: 'string', default: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() },
    only: { type: 'string', default: '' },
    dry: { type: 'boolean', default: false },
  },
});
const [, amount = '1', unit = 'GiB'] = /^(\d+)(MiB|GiB)$/.exec(values.size) ?? [];
const size = Number(amount) * (unit === 'GiB' ? 2 ** 30 : 2 ** 20);
const program = join(root, 'dist/backup-maker/backup-maker.mjs');
if (!existsSync(program)) throw new Error('dist/backup-maker is missing: npm run build');

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const folder = mkdtempSync(join(values.folder, 'bench-client-'));
process.once('exit', () => {
  try {
    execFileSync('gpgconf', ['--homedir', join(folder, 'keys/gnupg'), '--kill', 'all'], { stdio: 'ignore' });
  } catch {
    // There is no gpg here, or its agent is gone.
  }
  rmSync(folder, { recursive: true, force: true });
});

const lacking = missing();
const cases = CASES.filter(
  ({ needs, name }) => needs.every((tool) => !lacking.includes(tool)) && name.includes(values.only),
);
const collections = cases.flatMap(({ stored = '' }) => /collection\/([\w-]+)/.exec(stored)?.[1] ?? []);
const { server, token } = await startOurs(join(folder, 'server'), collections);
const env = { ...makeKeys(), URL: server.url, BM_URL: server.url, TOKEN: token, BM_AUTH_TOKEN: token };

const tables: ClientResults['tables'] = [];
for (const data of ['SQL text', 'incompressible'] as const) {
  const file = join(folder, 'data');
  await writeData(file, size, data === 'SQL text' ? 'sql' : 'random');
  tables.push({ data, bytes: size, rows: await measure({ ...env, DATA: file }) });
  rmSync(file);
}
await server.stop();

const results: ClientResults = {
  command: 'npm run bench -- client',
  machine: {
    cpu: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${arch()}`,
    node: process.version,
    load: loadavg()[0] ?? 0,
  },
  versions: versions(),
  missing: lacking,
  runs: Number(values.runs),
  tables,
};
if (!values.dry) {
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(join(root, 'bench/results/client.json'), `${JSON.stringify(results, null, 2)}\n`);
  const readme = join(root, 'bench/README.md');
  writeFileSync(readme, renderClientReport(readFileSync(readme, 'utf8'), results));
}
for (const { data, rows } of tables) {
  console.log(data);
  for (const row of rows) console.log(`  ${JSON.stringify(row)}`);
}
process.exit();

function makeKeys(): Record<string, string> {
  const keys = join(folder, 'keys');
  const repos = join(folder, 'repos');
  mkdirSync(join(keys, 'gnupg'), { recursive: true, mode: 0o700 });
  mkdirSync(repos);
  const maker = (...args: string[]) => execFileSync(process.execPath, [program, ...args], { stdio: 'pipe' });
  maker('keygen', '--out', join(keys, 'age'));
  maker('keygen', '--format', 'openpgp', '--email', 'bench@example.org', '--out', join(keys, 'pgp'));
  if (!lacking.includes('gpg'))
    execFileSync(
      'gpg',
      ['--homedir', join(keys, 'gnupg'), '--batch', '--quiet', '--import', join(keys, 'pgp')],
      {
        stdio: 'pipe',
      },
    );
  writeFileSync(join(keys, 'passphrase'), 'bench\n');
  return {
    KEYS: keys,
    REPOS: repos,
    MAKER: program,
    PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
    BORG_PASSPHRASE: 'bench',
    BORG_BASE_DIR: repos,
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
  };
}

/** All cases in turns; restores read what the backups of the same round have stored. */
async function measure(variables: NodeJS.ProcessEnv): Promise<Row[]> {
  const costs = cases.map((): Cost[] => []);
  const stored = cases.map(() => 0);
  for (let round = -1; round < Number(values.runs); round++) {
    for (const [index, { before, run, stored: count }] of cases.entries()) {
      if (before) shell(before, variables);
      const cost = await costOf(run, variables, folder);
      if (round < 0) continue;
      costs[index]?.push(cost);
      if (count) stored[index] = Number(shell(count, variables));
    }
  }
  return cases.map(({ name, group }, index) => {
    const all = costs[index] ?? [];
    const rates = all.map(({ seconds }) => size / 1e6 / seconds);
    return {
      name,
      group,
      megabytesPerSecond: rounded(median(rates)),
      slowest: rounded(Math.min(...rates)),
      fastest: rounded(Math.max(...rates)),
      cpuSeconds: rounded(median(all.map(({ cpuSeconds }) => cpuSeconds))),
      peakMiB: rounded(Math.max(...all.map(({ peakMiB }) => peakMiB))),
      ...(group === 'backup' && { storedBytes: stored[index] ?? 0 }),
    };
  });
}

function shell(script: string, variables: NodeJS.ProcessEnv): string {
  return execFileSync('/bin/bash', ['-euo', 'pipefail', '-c', script], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
