/** The server's charts, by file name. */
import { barChart } from '../shared/bar-chart.ts';
import { lineChart } from '../shared/line-chart.ts';
import type { GrowthRow } from './growth.ts';
import type { ServerResults } from './report.ts';
import type { TransferRow } from './transfers.ts';

export function serverCharts({ transfers, growth }: ServerResults): Record<string, string> {
  return {
    ...(transfers && { 'server-transfers': transfersChart(transfers) }),
    ...(growth && { 'server-growth': growthChart(growth) }),
  };
}

function transfersChart(rows: readonly TransferRow[]): string {
  const groups = new Map<string, TransferRow[]>();
  for (const row of rows) {
    const name = `${row.direction}, ${row.storage}, ${row.parallel} at a time`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  const order = (name: string) =>
    (name.startsWith('download') ? 1000 : 0) +
    (name.includes('S3') ? 500 : 0) +
    Number(/(\d+) at/.exec(name)?.[1]);
  return barChart({
    title: 'Uploads and downloads, one and many at a time',
    subtitle: 'MiB a second, all together; more is better. Whiskers: slowest and fastest run',
    series: ['backup-repository', 'bare node:http on a folder, MinIO itself on S3'],
    groups: [...groups]
      .sort(([a], [b]) => order(a) - order(b))
      .map(([name, own]) => ({
        name,
        bars: own
          .sort((a) => (a.role === 'ours' ? -1 : 1))
          .map(({ role, mibPerSecond: { median, min, max } }) => ({
            ...{ value: median, low: min, high: max, series: role === 'ours' ? 0 : 1 },
          })),
      })),
  });
}

/** No logarithm of nothing: an empty collection stands where one version would. */
function growthChart(rows: readonly GrowthRow[]): string {
  const lineOf = (
    name: string,
    engine: GrowthRow['engine'],
    key: 'upload' | 'rotate' | 'list' | 'uploadSmall',
  ) => ({
    name,
    points: rows
      .filter((row) => row.engine === engine)
      .map((row) => ({ x: Math.max(1, row.rows), y: row[key].median })),
  });
  const lines = [
    lineOf('upload and rotate, SQLite', 'SQLite', 'rotate'),
    lineOf('upload beside it, SQLite', 'SQLite', 'uploadSmall'),
    lineOf('list, SQLite', 'SQLite', 'list'),
    lineOf('upload and rotate, PostgreSQL', 'PostgreSQL', 'rotate'),
    lineOf('list, PostgreSQL', 'PostgreSQL', 'list'),
  ];
  return lineChart({
    title: 'Latency as a collection grows',
    subtitle: 'Milliseconds, both axes logarithmic; less is better',
    xName: 'versions in the collection',
    lines: lines.filter(({ points }) => points.length > 1),
    xText: (x) => (x === 1 ? '0' : x.toLocaleString('en')),
  });
}
