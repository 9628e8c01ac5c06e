/**
 * Measures function, client and server beside what people would use instead, and makes bench/README.md and
 * bench/charts/ of it. Installs the peers that are missing, and says which could not be had.
 *
 *   npm run bench                              everything, in less than 20 minutes
 *   npm run bench -- function|client|server    one part
 *   npm run bench -- report                    tables and charts anew from what was recorded, without measuring
 *
 * Options, all for quick looks or large ones: see `HELP`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureClient } from './client/measure.ts';
import { measureFunction } from './function/measure.ts';
import { writeReport } from './report.ts';
import { measureServer, SERVER_PARTS } from './server/measure.ts';
import { bytesOf, countOf } from './shared/arguments.ts';
import { say } from './shared/progress.ts';
import { saveResults } from './shared/results.ts';
import { root, toolPath } from './shared/tools.ts';

const HELP = `usage: npm run bench -- [function] [client] [server] [options]
       npm run bench -- report

  --size 256MiB      client: data; server: one upload, and the smaller ones together. Defaults 256MiB and 1GiB
  --runs 3           how often each thing is measured. Defaults by what it is
  --most 10000       function: ScheduledBackups; server: versions in a collection, at most
  --minutes 5.5      client: after which no further round begins
  --folder /dev/shm  where the data is. Default of the client: memory; of the server: the disk of temporary files
  --only borg        client: only what has this in its name; server: single,transfers,memory,rates,growth
  --program file.mjs server: another build than that in dist/
  --no-install       go on with the peers that are there
  --no-build         measure what is in dist/
  --dry              print the results instead of recording them
`;

const PARTS = ['function', 'client', 'server'] as const;
type Part = (typeof PARTS)[number];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string' },
    runs: { type: 'string' },
    most: { type: 'string' },
    minutes: { type: 'string', default: '5.5' },
    folder: { type: 'string' },
    only: { type: 'string', default: '' },
    program: { type: 'string' },
    'no-install': { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const runs = countOf('--runs', values.runs);
const most = countOf('--most', values.most);

const MEASURE = {
  function: () => measureFunction({ runs, most: most ?? 10_000 }),
  client: () =>
    measureClient({
      ...{ bytes: bytesOf(values.size ?? '256MiB'), runs: runs ?? 3, minutes: Number(values.minutes) },
      // In memory, so that it is not the disk that is measured.
      ...{ folder: values.folder ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), only: values.only },
    }),
  server: () =>
    measureServer({
      ...{ bytes: bytesOf(values.size ?? '1GiB'), runs: runs ?? 5, folder: values.folder ?? tmpdir() },
      parts: SERVER_PARTS.filter((part) => values.only === '' || values.only.split(',').includes(part)),
      ...{ most: most ?? 100_000, program: values.program },
    }),
} satisfies Record<Part, () => Promise<{ missing: string[] }>>;

// Folders of measurements are removed when the process exits, so it must not be killed by these.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const unknown = positionals.find((word) => word !== 'report' && !PARTS.some((part) => part === word));
if (values.help || unknown !== undefined) {
  process.stderr.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else if (positionals.includes('report')) {
  writeReport();
} else {
  await main(PARTS.filter((part) => positionals.length === 0 || positionals.includes(part)));
}

async function main(parts: readonly Part[]): Promise<void> {
  process.env.PATH = [toolPath, process.env.PATH].join(delimiter);
  if (!values['no-install']) {
    say('installing peers');
    execFileSync(join(import.meta.dirname, 'install.sh'), [parts.join(' ')], { stdio: 'inherit' });
  }
  if (!values['no-build']) {
    say('building');
    execFileSync(process.execPath, [join(root, 'scripts/build.ts')], { stdio: 'inherit' });
  }
  for (const part of parts) {
    say(`measuring the ${part}`);
    try {
      const results = await MEASURE[part]();
      if (results.missing.length > 0) say(`${part}: could not be had: ${results.missing.join(', ')}`);
      if (values.dry) console.log(JSON.stringify(results, null, 2));
      else saveResults(part, results);
    } catch (error) {
      // The other parts are worth having all the same.
      console.error(error);
      process.exitCode = 1;
    }
    if (!values.dry) writeReport();
  }
  say(values.dry ? 'done' : 'done: bench/README.md, bench/charts/, bench/results/');
}
