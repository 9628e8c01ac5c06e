/** The function's part of bench/README.md. */
import { barChart } from '../shared/bar-chart.ts';
import { lineChart } from '../shared/line-chart.ts';
import { machineText } from '../shared/machine.ts';
import { bytesText, figure, picture, table } from '../shared/markdown.ts';
import type { Measurement } from '../shared/measure.ts';
import type { Recording } from '../shared/results.ts';
import { toolsText } from '../shared/tools.ts';

export interface Case {
  /** By which charts and shortfalls find it. */
  id: string;
  title: string;
  /** Number of sources, where cases differ only in that. */
  count?: number;
  measured: Measurement[];
  ratio?: number;
  /** What the target was and whether it is met. */
  verdict?: string;
}

export interface FunctionResults extends Recording {
  cases: Case[];
}

/** What stands between the markers. */
export function renderFunction(results: FunctionResults): string {
  const { command, machine, tools, missing, minutes, cases } = results;
  return [
    `Made with \`${command}\` in ${minutes} minutes on ${machineText(machine)}; ${toolsText(tools)}.`,
    ...(missing.length > 0 ? [`Could not be had there: ${missing.join(', ')}.`] : []),
    'Wall times in milliseconds; all commands of a case run in turns.',
    '',
    picture('function-start', 'Start of the function beside bare Node.js, a Go function and helm template'),
    '',
    picture('function-growth', 'Time by number of ScheduledBackups, beside a Go function and helm template'),
    ...cases.flatMap(caseText),
  ].join('\n');
}

function caseText({ title, measured, verdict }: Case): string[] {
  const withPeak = measured.some(({ peak }) => peak !== undefined);
  const ours = measured.find(({ role }) => role === 'ours');
  const single = measured.filter(({ role }) => role === 'ours').length === 1;
  const head = ['', 'median', 'middle half', 'fastest', single ? 'by ours' : 'by the first', 'runs'];
  const base = (single ? ours : measured[0])?.median ?? Number.NaN;
  return [
    ...['', `### ${title}`, ''],
    ...(verdict ? [`**${verdict}**`, ''] : []),
    table(
      withPeak ? [...head, 'peak memory'] : head,
      measured.map((one) => row(one, base, withPeak)),
    ),
  ];
}

function row(one: Measurement, base: number, withPeak: boolean): (string | number)[] {
  const { name, median, lowerQuartile, upperQuartile, min, runs, peak } = one;
  const cells = [
    one.role === 'ours' ? `**${name}**` : name,
    figure(median),
    `${figure(lowerQuartile)} to ${figure(upperQuartile)}`,
    figure(min),
    (median / base).toFixed(2),
    runs,
  ];
  return withPeak ? [...cells, peak === undefined ? '' : bytesText(peak * 2 ** 20)] : cells;
}

/** Charts by file name. */
export function functionCharts({ cases }: FunctionResults): Record<string, string> {
  const start = cases.find(({ id }) => id === 'start');
  const alone = cases.filter(({ count }) => count !== undefined);
  const names = ['expand-backups', 'helm template', 'Go function'];
  return {
    ...(start && {
      'function-start': barChart({
        title: 'Rendering one ScheduledBackup',
        subtitle:
          'Milliseconds from start to end of the process; less is better. Whiskers: the middle half of all runs',
        groups: start.measured.map((one) => ({
          name: one.name,
          bars: [
            {
              ...{ value: one.median, low: one.lowerQuartile, high: one.upperQuartile },
              series: one.role === 'ours' ? 0 : 1,
            },
          ],
        })),
      }),
    }),
    ...(alone.length > 1 && {
      'function-growth': lineChart({
        title: 'Rendering many ScheduledBackups',
        subtitle:
          'Milliseconds, both axes logarithmic; less is better. The same objects come out of all three',
        xName: 'ScheduledBackups',
        lines: names.flatMap((name) => {
          const points = alone.flatMap(({ count = 0, measured }) => {
            const one = measured.find((measurement) => measurement.name === name);
            return one ? [{ x: count, y: one.median }] : [];
          });
          return points.length > 1 ? [{ name, points }] : [];
        }),
      }),
    }),
  };
}
