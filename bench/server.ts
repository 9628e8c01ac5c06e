/**
 * Measures the server: one upload beside a bare server that only hashes and writes, and the memory that eight transfers
 * at a time take. Writes its part of bench/README.md, and the numbers into bench/results/server.json.
 *
 *   npm run bench -- server                    transfers of 1 GiB
 *   npm run bench -- server --size 5GiB        as the goal has it: takes 45 GiB of disk
 *   ... --folder /somewhere                    on another disk than that of temporary files
 *   ... --program /some/backup-repository.mjs  another build than that in dist/
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pathOf } from '../src/wire/routes.ts';
import { summary } from './measure.ts';
import { curl, MIB, startBare, startOurs, writeSource } from './server-process.ts';
import { renderServerReport, type ServerResults, type Transfers } from './server-report.ts';

const root = join(import.meta.dirname, '..');
const RUNS = 7;
const PARALLEL = 8;

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1GiB' },
    runs: { type: 'string', default: String(RUNS) },
    folder: { type: 'string', default: tmpdir() },
    program: { type: 'string' },
    only: { type: 'string', default: 'throughput,memory' },
  },
});
const size = bytesOf(values.size);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const folder = mkdtempSync(join(values.folder, 'bench-server-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const file = join(root, 'bench/results/server.json');
const before = readResults();
const results: ServerResults = {
  command: 'npm run bench -- server',
  machine: {
    cpu: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${arch()}`,
    node: process.version,
  },
  ...(before?.throughput && { throughput: before.throughput }),
  memory: before?.memory ?? [],
};
if (values.only.includes('throughput')) results.throughput = await throughput();
if (values.only.includes('memory')) {
  const others = results.memory.filter((one) => one.bytes !== size);
  results.memory = [...others, await parallel()].sort((a, b) => a.bytes - b.bytes);
}
mkdirSync(join(root, 'bench/results'), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
const readme = join(root, 'bench/README.md');
writeFileSync(readme, renderServerReport(readFileSync(readme, 'utf8'), results));
console.log(JSON.stringify(results, null, 2));
process.exit(0);

/** One stream, in turns: the machine's other work falls upon both alike. */
async function throughput(): Promise<NonNullable<ServerResults['throughput']>> {
  const source = join(folder, 'source');
  const bytes = 1024 * MIB;
  writeSource(source, bytes);
  const bare = await startBare(join(folder, 'bare'));
  const { server, token } = await startOurs(join(folder, 'ours'), ['one'], values.program);
  const ours = uploadTo(server.url, token, 'one');
  const times: Record<'bare' | 'ours', number[]> = { bare: [], ours: [] };
  for (let run = -1; run < Number(values.runs); run++) {
    for (const name of run % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const)) {
      const seconds = await curl(['-T', source, ...(name === 'bare' ? [bare.url] : ours)]);
      // The first round only warms up.
      if (run >= 0) times[name].push(seconds * 1000);
    }
  }
  await Promise.all([bare.stop(), server.stop()]);
  rmSync(source);
  const measured = [summary('bare node:http', times.bare), summary('our server', times.ours)];
  // The median of the rounds' ratios: both halves of a round met the same machine.
  const ratios = times.bare.map((time, index) => time / (times.ours[index] ?? Number.NaN));
  const ratio = summary('', ratios).median;
  return { bytes, measured, ratio, load: loadavg()[0] ?? 0 };
}

/** Eight uploads, then eight downloads at a time. */
async function parallel(): Promise<Transfers> {
  const source = join(folder, 'source');
  writeSource(source, size);
  const names = Array.from({ length: PARALLEL }, (_, index) => `c${index}`);
  const { server, token } = await startOurs(join(folder, 'parallel'), names, values.program);
  const timed = async (each: (name: string) => Promise<number>) => {
    server.resetPeak();
    const start = performance.now();
    await Promise.all(names.map(each));
    const seconds = (performance.now() - start) / 1000;
    return { peak: server.peak(), mibPerSecond: (PARALLEL * size) / MIB / seconds };
  };
  const idle = server.peak();
  const uploads = await timed((name) => curl(['-T', source, ...uploadTo(server.url, token, name)]));
  const downloads = await timed((collectionId) => {
    const path = pathOf('download', { collectionId, version: 'latest' });
    return curl(['-H', `Authorization: Bearer ${token}`, `${server.url}${path}`]);
  });
  await server.stop();
  rmSync(source);
  rmSync(join(folder, 'parallel'), { recursive: true });
  return { bytes: size, parallel: PARALLEL, idle, uploads, downloads };
}

function uploadTo(url: string, token: string, collectionId: string): string[] {
  return [
    ...['-X', 'POST', '-H', `Authorization: Bearer ${token}`],
    `${url}${pathOf('upload', { collectionId })}`,
  ];
}

function bytesOf(text: string): number {
  const [, number, unit = 'MiB'] = /^(\d+)(MiB|GiB)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`--size ${text}: write 512MiB or 5GiB`);
  return Number(number) * (unit === 'GiB' ? 1024 * MIB : MIB);
}

function readResults(): ServerResults | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ServerResults;
  } catch {
    return undefined;
  }
}
