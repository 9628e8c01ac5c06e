/** The client's part of bench/README.md. */
import { type Bar, barChart } from '../shared/bar-chart.ts';
import { machineText } from '../shared/machine.ts';
import { bytesText, figure, picture, table } from '../shared/markdown.ts';
import { toolsText } from '../shared/tools.ts';
import { aimsTable } from './aims.ts';
import type { ClientResults, Row } from './rows.ts';

/** What stands between the markers. */
export function renderClient(results: ClientResults): string {
  const { command, machine, tools, missing, minutes, tables, changed } = results;
  const percent = `${changed * 100} %`;
  return [
    `Made with \`${command}\` in ${minutes} minutes on ${machineText(machine)}; ${toolsText(tools)}.`,
    ...(missing.length > 0 ? [`Could not be had there: ${missing.join(', ')}.`] : []),
    ...tables.flatMap(({ data, bytes, rows, second }) => [
      ...['', `### ${bytesText(bytes)} of ${nameOf(data)}`, ''],
      picture(`client-backup-${slug(data)}`, `Throughput of first backups of ${nameOf(data)}`),
      ...[
        '',
        'First backup:',
        '',
        rowsTable(
          rows.filter(({ group }) => group === 'backup'),
          'stored',
        ),
      ],
      ...['', `Second backup, with ${percent} of the data changed in clusters of 64 KiB:`, ''],
      rowsTable(second, 'added'),
      ...['', picture(`client-second-${slug(data)}`, `Bytes that two backups of ${nameOf(data)} take`)],
      ...['', 'Restore:', '', rowsTable(rows.filter(({ group }) => group === 'restore'))],
    ]),
    ...['', '### What was aimed at', '', aimsTable(results)],
  ].join('\n');
}

function rowsTable(rows: readonly Row[], stored?: string): string {
  const withPeak = rows.some(({ peakMiB }) => peakMiB !== undefined);
  const head = ['', 'MB/s', 'slowest to fastest', 'runs', 'CPU seconds'];
  return table(
    [...head, ...(withPeak ? ['peak memory'] : []), ...(stored ? [stored] : [])],
    rows.map((row) => [
      row.role === 'ours' ? `**${row.name}**` : row.name,
      figure(row.megabytesPerSecond),
      `${figure(row.slowest)} to ${figure(row.fastest)}`,
      row.runs,
      figure(row.cpuSeconds),
      ...(withPeak ? [`${figure(row.peakMiB ?? Number.NaN)} MiB`] : []),
      ...(stored ? [bytesText(row.storedBytes ?? 0)] : []),
    ]),
  );
}

/** Charts by file name. */
export function clientCharts({ tables, changed }: ClientResults): Record<string, string> {
  return Object.fromEntries(
    tables.flatMap(({ data, bytes, rows, second }) => [
      [
        `client-backup-${slug(data)}`,
        barChart({
          title: `First backup of ${bytesText(bytes)} of ${nameOf(data)}`,
          subtitle: 'MB of data a second; more is better. Whiskers: slowest and fastest run',
          groups: rows
            .filter(({ group }) => group === 'backup')
            .map((row) => ({ name: row.name, bars: [speed(row)] })),
        }),
      ],
      [
        `client-second-${slug(data)}`,
        barChart({
          title: `What two backups take, with ${changed * 100} % of ${nameOf(data)} changed between them`,
          subtitle: 'MiB stored; less is better',
          series: ['first backup', 'second backup'],
          groups: second.map((row) => ({
            name: row.name,
            bars: [
              stored(
                rows.find(({ name, group }) => name === row.name && group === 'backup'),
                0,
              ),
              stored(row, 1),
            ],
          })),
        }),
      ],
    ]),
  );
}

function speed({ megabytesPerSecond: value, slowest: low, fastest: high, role }: Row): Bar {
  return { value, low, high, series: role === 'ours' ? 0 : 1 };
}

function stored(row: Row | undefined, series: number): Bar {
  return { value: (row?.storedBytes ?? 0) / 2 ** 20, series };
}

/** For a sentence. */
function nameOf(data: string): string {
  return data === 'incompressible' ? 'incompressible bytes' : data;
}

function slug(data: string): string {
  return data.toLowerCase().replaceAll(/\W+/g, '-');
}
