/** The server's part of bench/README.md. */
import { machineText } from '../shared/machine.ts';
import { bytesText, figure, picture, table } from '../shared/markdown.ts';
import type { Recording } from '../shared/results.ts';
import { toolsText } from '../shared/tools.ts';
import type { GrowthRow } from './growth.ts';
import type { Memory } from './memory.ts';
import type { Rate } from './requests.ts';
import type { Single } from './single.ts';
import type { TransferRow } from './transfers.ts';

export interface ServerResults extends Recording {
  single?: Single;
  transfers?: TransferRow[];
  memory?: Memory;
  rates?: Rate[];
  growth?: GrowthRow[];
}

const LEAST_RATIO = 0.8;
const MOST_MIB = 200;

/** What stands between the markers. */
export function renderServer(results: ServerResults): string {
  const { command, machine, tools, missing, minutes, single, transfers, memory, rates, growth } = results;
  return [
    `Made with \`${command}\` in ${minutes} minutes on ${machineText(machine)}; ${toolsText(tools)}.`,
    ...(missing.length > 0 ? [`Could not be had there: ${missing.join(', ')}.`] : []),
    ...(single ? singleText(single) : []),
    ...(transfers ? transfersText(transfers) : []),
    ...(memory ? memoryText(memory) : []),
    ...(rates ? ratesText(rates) : []),
    ...(growth ? growthText(growth) : []),
  ].join('\n');
}

function singleText({ bytes, measured, ratio, load }: Single): string[] {
  const speed = (milliseconds: number) => figure(bytes / 2 ** 20 / (milliseconds / 1000));
  return [
    ...['', `### One upload of ${bytesText(bytes)}`, ''],
    `**${ratio.toFixed(2)} of the bare server's throughput, target at least ${LEAST_RATIO}: ${met(ratio >= LEAST_RATIO)}** (load of the machine: ${load.toFixed(1)})`,
    '',
    table(
      ['', 'median MiB/s', 'middle half', 'fastest', 'runs'],
      measured.map(({ name, median, min, lowerQuartile, upperQuartile, runs }) => [
        ...[name, speed(median), `${speed(upperQuartile)} to ${speed(lowerQuartile)}`, speed(min), runs],
      ]),
    ),
  ];
}

function transfersText(rows: readonly TransferRow[]): string[] {
  const levels = [...new Set(rows.map(({ parallel }) => parallel))];
  const sizes = levels.map((level) => bytesText(rows.find(({ parallel }) => parallel === level)?.bytes ?? 0));
  const lines = groupBy(rows, ({ storage, server, direction }) => `${storage}|${direction}|${server}`);
  return [
    ...['', `### ${levels.join(', ')} transfers at a time`, ''],
    `Each of ${sizes.join(', ')}; MiB a second, all together; median of ${rows[0]?.mibPerSecond.runs} runs, slowest to fastest.`,
    ...['', picture('server-transfers', 'Throughput of parallel uploads and downloads'), ''],
    table(
      ['storage', 'direction', 'server', ...levels.map(String), 'memory of ours'],
      [...lines.values()].map((own) => {
        const [{ storage, server, direction, role } = rows[0] as TransferRow] = own;
        const cells = levels.map((level) => {
          const rate = own.find(({ parallel }) => parallel === level)?.mibPerSecond;
          return rate ? `${figure(rate.median)} (${figure(rate.min)} to ${figure(rate.max)})` : '';
        });
        const peak = Math.max(...own.map((one) => one.peak ?? 0));
        const name = role === 'ours' ? `**${server}**` : server;
        return [storage, direction, name, ...cells, peak > 0 ? `${peak} MiB` : ''];
      }),
      ['left', 'left', 'left', ...levels.map(() => 'right' as const), 'right'],
    ),
  ];
}

function memoryText({ bytes, parallel, idle, uploads, downloads }: Memory): string[] {
  const most = Math.max(uploads.peak, downloads.peak);
  return [
    ...['', `### Resident memory with ${parallel} transfers of ${bytesText(bytes)} at a time`, ''],
    `**At most ${most} MiB, target under ${MOST_MIB}: ${met(most < MOST_MIB)}**`,
    '',
    table(
      ['', 'most resident memory', 'MiB/s'],
      [
        ['before', `${idle} MiB`, ''],
        ['uploads', `${uploads.peak} MiB`, figure(uploads.mibPerSecond)],
        ['downloads', `${downloads.peak} MiB`, figure(downloads.mibPerSecond)],
      ],
    ),
  ];
}

function ratesText(rates: readonly Rate[]): string[] {
  return [
    ...['', '### Requests a second', '', 'Eight clients at a time, connections kept open; milliseconds.', ''],
    table(
      ['', 'a second', 'median', '99 of 100 within'],
      rates.map(({ name, perSecond, median, most }) => [
        name,
        figure(perSecond),
        figure(median),
        figure(most),
      ]),
    ),
  ];
}

function growthText(rows: readonly GrowthRow[]): string[] {
  return [
    ...['', '### Growing to many versions', ''],
    'Milliseconds, medians. Two collections have that many versions each: one keeps all, in the other each upload makes the oldest go;',
    'beside them is one of ten versions. An upload is of one kibibyte.',
    ...['', picture('server-growth', 'Latencies by number of versions in a collection'), ''],
    table(
      [
        ...['database', 'versions', 'upload', 'upload and rotate', 'list', 'upload beside', 'list beside'],
        ...['start', 'memory', 'bytes a version'],
      ],
      rows.map((row) => [
        ...[row.engine, row.rows.toLocaleString('en')],
        ...[row.upload, row.rotate, row.list, row.uploadSmall, row.listSmall, row.start].map(({ median }) =>
          figure(median),
        ),
        ...[`${row.peak} MiB`, row.bytesPerVersion ?? ''],
      ]),
    ),
  ];
}

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

function met(yes: boolean): string {
  return yes ? 'met' : 'MISSED';
}
