/** The comparisons of the function, each a table of the report. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, interleaved, type Measurement, usable, WARM, withPeaks } from '../shared/measure.ts';
import { say } from '../shared/progress.ts';
import { findProgram, root } from '../shared/tools.ts';
import { chartValues, templateOf, writeChart } from './expansion.ts';
import { foreignList, resourceList } from './input.ts';
import { builds } from './kustomization.ts';
import type { Case } from './report.ts';

/** Scales all numbers of runs, for a quick look. */
export interface Effort {
  runs: (usual: number) => number;
  /** Largest number of sources. */
  most: number;
}

export function functionCases(folder: string, { runs, most }: Effort): Case[] {
  const node = process.execPath;
  const bundle = join(root, 'dist/expand-backups.cjs');
  const bare: Command = {
    name: 'bare Node.js',
    run: [node, join(import.meta.dirname, 'empty.cjs')],
    role: 'reference',
  };
  const templateFile = join(folder, 'template.yaml');
  const template = templateOf(node, bundle);
  writeFileSync(templateFile, template);
  const chart = writeChart(folder, template);

  const file = (name: string, text: string) => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(path, text);
    return path;
  };
  const ours = (input: string, name = 'expand-backups'): Command => ({
    name,
    run: [node, bundle],
    input,
    role: 'ours',
  });
  const goPeer = (input: string): Command[] => {
    const program = findProgram('go-peer');
    return program
      ? [{ name: 'Go function', run: [program], input, env: { TEMPLATE: templateFile }, role: 'peer' }]
      : [];
  };
  const helm = (count: number): Command[] => {
    const program = findProgram('helm');
    const values = file(`values-${count}`, chartValues(count));
    return program
      ? [
          {
            name: 'helm template',
            run: [program, 'template', 'backups', chart, '--values', values],
            role: 'peer',
          },
        ]
      : [];
  };

  const start = (): Case => {
    const input = file('one', resourceList(1, 0));
    const commands = usable([bare, ours(input), ...goPeer(input), ...helm(1)], say);
    const measured = withPeaks(commands, interleaved(runs(40), commands, WARM));
    return {
      ...{ id: 'start', title: 'Starting: one ScheduledBackup', measured },
      ...judged(measured, 'bare Node.js', 'expand-backups', 2, 'of bare Node.js', 'at most 2.0'),
    };
  };

  // 10,000 would be 115 MB of output, on which the peers work for minutes.
  const peers = (): Case[] =>
    [10, 100, 1000]
      .filter((count) => count <= most)
      .map((count) => {
        const input = file(`alone-${count}`, resourceList(count, 0));
        const commands = usable([ours(input), ...goPeer(input), ...helm(count)], say);
        const measured = interleaved(runs(count < 1000 ? 9 : 5), commands, WARM);
        return {
          ...{
            id: `alone-${count}`,
            title: `${count.toLocaleString('en')} ScheduledBackups and nothing else`,
          },
          ...{ count, measured: withPeaks(commands, measured) },
        };
      });

  const growth = (): Case => {
    const counts = [100, 1000, 10_000].filter((count) => count <= most);
    const commands = counts.map((count) =>
      ours(file(`among-${count}`, resourceList(count, 10 * count)), `${count} sources`),
    );
    const few = interleaved(runs(11), commands.slice(0, 2));
    const many = commands.length > 2 ? interleaved(runs(3), commands.slice(2), WARM) : [];
    const measured = withPeaks(commands, [...few, ...many]);
    const [before, last] = counts.slice(-2).map((count) => `${count} sources`);
    return {
      ...{ id: 'growth', title: 'Growing: ScheduledBackups among ten times as many others', measured },
      ...judged(measured, before, last, 12, 'for 10 times as many', 'at most 12'),
    };
  };

  const among = (): Case => {
    const count = Math.min(1000, most);
    const input = file(`among-peer-${count}`, resourceList(count, 10 * count));
    const commands = usable([ours(input), ...goPeer(input)], say);
    const title = `${count.toLocaleString('en')} ScheduledBackups among ${(10 * count).toLocaleString('en')} others`;
    return { id: 'among', title, measured: withPeaks(commands, interleaved(runs(7), commands, WARM)) };
  };

  const passing = (): Case => {
    const input = file('foreign', foreignList(10_000_000));
    const commands = usable([bare, ours(input), ...goPeer(input)], say);
    const measured = interleaved(runs(11), commands, WARM);
    return {
      ...{ id: 'passing', title: '10 MB of foreign resources, nothing to expand', measured },
      ...judged(measured, 'bare Node.js', 'expand-backups', 4, 'of bare Node.js', 'under 4'),
    };
  };

  const kustomize = (): Case[] => {
    const program = findProgram('kustomize');
    if (!program) return [];
    const us = join(folder, 'expand-backups');
    // By the Node.js that npm brings, whichever one is on the PATH.
    writeFileSync(us, `#!/bin/sh\nexec ${node} ${bundle}\n`, { mode: 0o755 });
    const others: Record<string, string> = {};
    const go = findProgram('go-peer');
    if (go) {
      others['Go function'] = join(folder, 'go-function');
      writeFileSync(others['Go function'], `#!/bin/sh\nTEMPLATE=${templateFile} exec ${go}\n`, {
        mode: 0o755,
      });
    }
    const programs = { cat: '/bin/cat', 'expand-backups': us, ...others };
    // Each takes up to half a minute, nearly all of which is kustomize's own: so is the memory. The other two only tell where it goes.
    const { judged: compared = [], told: beside = [] } = Object.groupBy(
      builds(program, join(folder, 'builds'), programs),
      ({ name }) => (name === 'cat' || name === 'expand-backups' ? 'judged' : 'told'),
    );
    const measured = [
      ...interleaved(runs(7), compared, { ...WARM, mostMs: 75_000 }),
      ...interleaved(1, beside, WARM),
    ];
    return [
      {
        ...{
          id: 'kustomize',
          title: 'kustomize build: 100 ScheduledBackups among 1,000 resources',
          measured,
        },
        ...judged(measured, 'cat', 'expand-backups', 1.5, 'of the build with cat', 'at most 1.5'),
      },
    ];
  };

  const told = <T>(name: string, measure: () => T): T => {
    say(`function: ${name}`);
    return measure();
  };
  return [
    told('start', start),
    ...told('many sources', peers),
    ...[told('growth', growth), told('among others', among), told('nothing to expand', passing)],
    ...told('kustomize build', kustomize),
  ];
}

/** The ratio of one measurement to another, against its target. */
function judged(
  measured: readonly Measurement[],
  reference = '',
  ours = '',
  most: number,
  of: string,
  target: string,
): Pick<Case, 'ratio' | 'verdict'> {
  const medianOf = (name: string) => measured.find((one) => one.name === name)?.median ?? Number.NaN;
  const ratio = medianOf(ours) / medianOf(reference);
  return {
    ratio,
    verdict: `${ratio.toFixed(2)} times ${of}, target ${target}: ${ratio <= most ? 'met' : 'MISSED'}`,
  };
}
