/**
 * Measures the function side by side with what it is compared to, and writes the table into bench/README.md and the
 * numbers into bench/results/function.json.
 *
 *   npm run build && npm run bench
 *   npm run bench -- server                 the server instead, see server.ts
 *   npm run bench -- client                 the client instead, see client.ts
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { foreignList, resourceList } from './input.ts';
import { builds, findKustomize } from './kustomization.ts';
import { type Command, interleaved, type Measurement, peakMemory } from './measure.ts';
import { emitting, slicing } from './parts.ts';
import { type Case, renderReport } from './report.ts';

// Each of these ends the process itself.
if (process.argv[2] === 'server') await import('./server.ts');
if (process.argv[2] === 'client') await import('./client.ts');

const root = join(import.meta.dirname, '..');
const bundle = join(root, 'dist/expand-backups.cjs');
if (!existsSync(bundle)) throw new Error('dist/expand-backups.cjs is missing: npm run build');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const node = process.execPath;
const bare: Command = { name: 'bare Node.js', run: [node, join(root, 'bench/empty.cjs')] };

const cases: Case[] = [];
try {
  cases.push(start(), ...sizes(), passing(), kustomize(), emitting(), slicing());
} finally {
  rmSync(folder, { recursive: true });
}
const machine = {
  cpu: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  system: `${platform()} ${arch()}`,
  node: process.version,
  kustomize: findKustomize(root)?.version ?? 'not found',
};
mkdirSync(join(root, 'bench/results'), { recursive: true });
writeFileSync(
  join(root, 'bench/results/function.json'),
  `${JSON.stringify({ command: 'npm run bench', machine, cases }, null, 2)}\n`,
);
const readme = join(root, 'bench/README.md');
writeFileSync(readme, renderReport(readFileSync(readme, 'utf8'), machine, cases));
for (const { title, measured, verdict } of cases) {
  console.log(`${title}${verdict ? `: ${verdict}` : ''}`);
  for (const { name, median, min } of measured)
    console.log(`  ${name}: ${median.toFixed(1)} (${min.toFixed(1)}) ms`);
}

function expanding(name: string, text: string): Command {
  const input = join(folder, `${name.replaceAll(/\W/g, '-')}.yaml`);
  writeFileSync(input, text);
  return { name, run: [node, bundle], input };
}

function start(): Case {
  const measured = interleaved(60, [bare, expanding('one ScheduledBackup', resourceList(1, 0))]);
  return judged('Starting: one ScheduledBackup', measured, 2, 'of bare Node.js', 'at most 2.0');
}

function sizes(): Case[] {
  const sources = [100, 1000, 10_000];
  const commands = sources.map((count) => expanding(`${count} sources`, resourceList(count, 10 * count)));
  const measured = [...interleaved(15, commands.slice(0, 2)), ...interleaved(5, commands.slice(2))].map(
    (one, index) => ({ ...one, peak: peakMemory(commands[index] as Command) }),
  );
  return [
    judged(
      'Growing: ScheduledBackups among ten times as many others',
      measured,
      12,
      'for 10 times as many',
      'at most 12',
    ),
  ];
}

function passing(): Case {
  const measured = interleaved(20, [bare, expanding('10 MB of foreign resources', foreignList(10_000_000))]);
  return judged('Passing: nothing to expand', measured, 4, 'of bare Node.js', 'under 4');
}

function kustomize(): Case {
  const title = 'kustomize build: 100 ScheduledBackups among 1,000 resources';
  const found = findKustomize(root);
  if (!found) return { title, measured: [], verdict: 'not measured: kustomize was not found' };
  const program = join(folder, 'expand-backups');
  // By the Node.js that npm brings, whichever one is on the PATH.
  writeFileSync(program, `#!/bin/sh\nexec ${node} ${bundle}\n`, { mode: 0o755 });
  const measured = interleaved(
    7,
    builds(found.path, join(folder, 'builds'), { cat: '/bin/cat', 'expand-backups': program }),
  );
  const [, ...withFunction] = measured;
  return { ...judged(title, withFunction, 1.5, 'of the build with cat', 'at most 1.5'), measured };
}

/** The ratio of the last measurement to the one before it, against its target. */
function judged(title: string, measured: Measurement[], most: number, of: string, target: string): Case {
  const [before, last] = measured.slice(-2);
  const ratio = (last?.median ?? Number.NaN) / (before?.median ?? Number.NaN);
  const verdict = `${ratio.toFixed(2)} times ${of}, target ${target}: ${ratio <= most ? 'met' : 'MISSED'}`;
  return { title, measured, ratio, verdict };
}
