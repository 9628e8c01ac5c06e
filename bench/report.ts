/** The measurements as a table for bench/README.md. */
import type { Measurement } from './measure.ts';

export interface Case {
  title: string;
  measured: Measurement[];
  /** Median of the last by that of the one before. */
  ratio?: number;
  /** What the target was and whether it is met. */
  verdict?: string;
}

const begin = '<!-- measured: begin -->';
const end = '<!-- measured: end -->';

/** The text with its measured part renewed. */
export function renderReport(
  text: string,
  machine: Readonly<Record<string, string>>,
  cases: readonly Case[],
): string {
  const [before = '', rest = ''] = text.split(begin);
  const after = rest.split(end)[1] ?? '';
  const { cpu, memory, system, node, kustomize } = machine;
  const lines = [
    `Made with \`npm run build && npm run bench\` on ${cpu}, ${memory}, ${system}; Node.js ${node}, kustomize ${kustomize}.`,
    'Wall times in milliseconds; all commands of a case run in turns.',
    ...cases.flatMap(table),
  ];
  return `${before}${begin}\n\n${lines.join('\n')}\n\n${end}${after}`;
}

function table({ title, measured, verdict }: Case): string[] {
  const withPeak = measured.some(({ peak }) => peak !== undefined);
  const first = measured[0]?.median ?? Number.NaN;
  return [
    '',
    `### ${title}`,
    '',
    ...(verdict ? [`**${verdict}**`, ''] : []),
    `| | median | middle half | fastest | by the first | runs |${withPeak ? ' peak memory |' : ''}`,
    `| --- | ---: | ---: | ---: | ---: | ---: |${withPeak ? ' ---: |' : ''}`,
    ...measured.map((one) => row(one, first, withPeak)),
  ];
}

function row(
  { name, median, lowerQuartile, upperQuartile, min, runs, peak }: Measurement,
  first: number,
  withPeak: boolean,
): string {
  const cells = [
    name,
    show(median),
    `${show(lowerQuartile)} to ${show(upperQuartile)}`,
    show(min),
    (median / first).toFixed(2),
    runs,
  ];
  return `| ${cells.join(' | ')} |${withPeak ? ` ${Math.round(peak ?? 0)} MiB |` : ''}`;
}

function show(milliseconds: number): string {
  return milliseconds < 100 ? milliseconds.toFixed(1) : Math.round(milliseconds).toLocaleString('en');
}
