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

const isPipe = ({ peer }: Ratio) => /\| curl$|^curl \|/.test(peer);

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
    explains: ({ part, what, metric }) =>
      part === 'client' && what.startsWith('second') && metric !== 'memory',
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
    explains: (ratio) => ratio.part === 'client' && (isPipe(ratio) || ratio.metric === 'CPU'),
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

/** What stands between the markers: one row for each peer and measure, with the worst of its ratios. */
export function renderShortfalls(ratios: readonly Ratio[], all: number): string {
  const groups = Map.groupBy(
    ratios,
    ({ part, peer, metric, what }) => `${part}|${kindOf(what)}|${peer}|${metric}`,
  );
  const rows = [...groups.values()].map((own) => {
    const values = own.map(({ value }) => value).sort((a, b) => a - b);
    const [worst = Number.NaN] = values;
    const best = values.at(-1) ?? worst;
    const [{ what, peer, metric, ours }] = own as [Ratio, ...Ratio[]];
    const explanation = explanationOf(own[0] as Ratio);
    const range =
      worst.toFixed(2) === best.toFixed(2) ? worst.toFixed(2) : `${worst.toFixed(2)} to ${best.toFixed(2)}`;
    const why = explanation ? `[${explanation.title}](#${explanation.anchor})` : '**not explained yet**';
    return [own.length > 1 ? kindOf(what) : what, ours, peer, metric, range, why];
  });
  const head = ['what', 'ours', 'peer', 'measure', 'ratio', 'why'];
  const align = ['left', 'left', 'left', 'left', 'right', 'left'] as const;
  return [
    `${all - ratios.length} of ${all} ratios are 1.00 or better; these are not. Above 1.0, ours is better, whatever is measured.`,
    '',
    table(head, rows, align),
  ].join('\n');
}

/** What was done, without on how much of what. */
function kindOf(what: string): string {
  if (/ScheduledBackups? .*nothing else|ScheduledBackups? among/.test(what)) return 'many ScheduledBackups';
  return what.replace(/ of (SQL text|incompressible)$|, \d+ at a time$/, '');
}
