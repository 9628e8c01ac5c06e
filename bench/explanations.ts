/**
 * Which paragraph of bench/README.md explains which shortfall. A test compares: none may be without one, and every
 * paragraph must be there.
 */

import type { Ratio } from './ratios.ts';
import { table } from './shared/markdown.ts';

interface Explanation {
  /** `<a id="…">` in bench/README.md, above the paragraph. */
  anchor: string;
  /** What the link says. */
  title: string;
  explains: (ratio: Ratio) => boolean;
}

export const EXPLANATIONS: readonly Explanation[] = [
  {
    anchor: 'slower-start',
    title: 'Starting Node.js',
    explains: ({ part, metric, peer }) =>
      part === 'function' && metric === 'time' && peer !== 'yaml.stringify',
  },
  {
    anchor: 'memory-function',
    title: "Node.js's memory",
    explains: ({ part, metric }) => part === 'function' && metric === 'memory',
  },
  {
    anchor: 'no-deduplication',
    title: 'No deduplication yet',
    explains: ({ part, what, metric, peer }) =>
      part === 'client' && what.startsWith('second') && metric !== 'memory' && !peer.endsWith('| curl'),
  },
  {
    anchor: 'stored-bytes',
    title: "Compressors' levels",
    explains: ({ part, metric }) => part === 'client' && metric === 'stored bytes',
  },
  {
    anchor: 'memory-client',
    title: "Node.js's memory",
    explains: ({ part, metric }) => part === 'client' && metric === 'memory',
  },
  {
    anchor: 'restore-pipes',
    title: 'Restores verify before they end',
    explains: ({ part, what }) => part === 'client' && what.startsWith('restore'),
  },
  {
    anchor: 'cpu-client',
    title: 'What a byte costs in Node.js',
    explains: ({ part }) => part === 'client',
  },
  {
    anchor: 'server-bare',
    title: 'Flushing, access and checks',
    explains: ({ part, what, peer }) => part === 'server' && !what.includes('S3') && peer.startsWith('bare'),
  },
  {
    anchor: 'server-s3',
    title: 'Two servers on the way',
    explains: ({ part, what }) => part === 'server' && what.includes('S3'),
  },
];

/** The paragraph for a shortfall; undefined if there is none. */
export function explanationOf(ratio: Ratio): Explanation | undefined {
  return EXPLANATIONS.find(({ explains }) => explains(ratio));
}

/** What stands between the markers: one row for each thing done, measure and reason, with all its peers. */
export function renderShortfalls(ratios: readonly Ratio[], all: number): string {
  const groups = Map.groupBy(ratios, (ratio) =>
    [ratio.part, kindOf(ratio.what), ratio.metric, explanationOf(ratio)?.anchor].join('|'),
  );
  const rows = [...groups.values()].map((own) => {
    const [{ what, metric }] = own as [Ratio, ...Ratio[]];
    const explanation = explanationOf(own[0] as Ratio);
    const why = explanation ? `[${explanation.title}](#${explanation.anchor})` : '**not explained yet**';
    return [own.length > 1 ? kindOf(what) : what, metric, peersText(own), why];
  });
  return [
    `${all - ratios.length} of ${all} ratios are 1.00 or better; these are not. Above 1.0, ours is better, whatever is measured.`,
    '',
    table(['what', 'measure', 'ratio to whom', 'why'], rows, ['left', 'left', 'left', 'left']),
  ].join('\n');
}

/** "0.85 to 0.95 age | curl; 0.97 restic dump", the worst first. */
function peersText(ratios: readonly Ratio[]): string {
  return [...Map.groupBy(ratios, ({ peer }) => peer)]
    .map(([peer, own]) => {
      const values = own.map(({ value }) => value.toFixed(2)).sort();
      const [worst = '', best = worst] = [values[0], values.at(-1)];
      return { worst, text: `${worst === best ? worst : `${worst} to ${best}`} ${peer}` };
    })
    .sort((a, b) => Number(a.worst) - Number(b.worst))
    .map(({ text }) => text)
    .join('; ');
}

/** What was done, without on how much of what. */
function kindOf(what: string): string {
  if (/ScheduledBackups? .*nothing else|ScheduledBackups? among/.test(what)) return 'many ScheduledBackups';
  return what.replace(/ of (SQL text|incompressible)$|, \d+ at a time$/, '');
}
