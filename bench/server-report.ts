/** The server's part of bench/README.md. */
import type { Measurement } from './measure.ts';

export interface Transfers {
  /** Of each. */
  bytes: number;
  parallel: number;
  /** Most resident memory before the first transfer, in MiB. */
  idle: number;
  uploads: Phase;
  downloads: Phase;
}

interface Phase {
  /** Most resident memory while they ran, in MiB. */
  peak: number;
  /** All together. */
  mibPerSecond: number;
}

export interface ServerResults {
  command: string;
  machine: Readonly<Record<'cpu' | 'memory' | 'system' | 'node', string>>;
  throughput?: {
    bytes: number;
    /** Milliseconds: the bare server, then ours. */
    measured: Measurement[];
    /** Throughput of ours by that of the bare server: median over the rounds. */
    ratio: number;
    /** What else the machine did, as the system counts it. */
    load: number;
  };
  memory: Transfers[];
}

const begin = '<!-- measured-server: begin -->';
const end = '<!-- measured-server: end -->';
const LEAST_RATIO = 0.8;
const MOST_MIB = 200;

/** The text with the server's part renewed; added at the end if there is none. */
export function renderServerReport(text: string, results: ServerResults): string {
  const known = text.includes(begin) ? text : `${text.trimEnd()}\n\n${INTRODUCTION}\n\n${begin}\n${end}\n`;
  const [before = '', rest = ''] = known.split(begin);
  const after = rest.split(end)[1] ?? '';
  const { cpu, memory, system, node } = results.machine;
  const lines = [
    `Made with \`${results.command}\` on ${cpu}, ${memory}, ${system}; Node.js ${node}.`,
    ...throughput(results),
    ...transfers(results.memory),
  ];
  return `${before}${begin}\n\n${lines.join('\n')}\n\n${end}${after}`;
}

const INTRODUCTION = `# Measurements of the server

The server as it is run, with SQLite and a folder, flushed to the disk. \`curl -T\` sends a file that looks like age and cannot be
compressed; the bare server is \`bench/server-bare.ts\`: \`node:http\`, SHA-256, one file, \`fdatasync\`. Both take turns on
the same disk. Look at ratios: the machine had other work, and its disk is shared.`;

function throughput({ throughput: measurement }: ServerResults): string[] {
  if (!measurement) return [];
  const { bytes, measured, ratio, load } = measurement;
  const rows = measured.map(({ name, median, min, lowerQuartile, upperQuartile, runs }) =>
    [
      ...['', name, speed(bytes, median)],
      ...[`${speed(bytes, upperQuartile)} to ${speed(bytes, lowerQuartile)}`, speed(bytes, min), runs, ''],
    ]
      .join(' | ')
      .trim(),
  );
  return [
    '',
    `### One upload of ${size(bytes)}`,
    '',
    `**${ratio.toFixed(2)} of the bare server's throughput, target at least ${LEAST_RATIO}: ${met(ratio >= LEAST_RATIO)}** (load of the machine: ${load.toFixed(1)})`,
    '',
    '| | median MiB/s | middle half | fastest | runs |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
  ];
}

function transfers(all: readonly Transfers[]): string[] {
  const last = all.at(-1);
  if (!last) return [];
  const most = Math.max(...all.flatMap(({ uploads, downloads }) => [uploads.peak, downloads.peak]));
  return [
    '',
    `### Resident memory with ${last.parallel} transfers at a time`,
    '',
    `**At most ${Math.round(most)} MiB, target under ${MOST_MIB}: ${met(most < MOST_MIB)}**`,
    '',
    '| each | before | uploads | downloads | uploads MiB/s | downloads MiB/s |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...all.map(
      ({ bytes, idle, uploads, downloads }) =>
        `| ${size(bytes)} | ${Math.round(idle)} MiB | ${Math.round(uploads.peak)} MiB | ${Math.round(downloads.peak)} MiB | ${Math.round(uploads.mibPerSecond)} | ${Math.round(downloads.mibPerSecond)} |`,
    ),
  ];
}

function speed(bytes: number, milliseconds: number): string {
  return Math.round(bytes / 2 ** 20 / (milliseconds / 1000)).toLocaleString('en');
}

function size(bytes: number): string {
  return bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GiB` : `${bytes / 2 ** 20} MiB`;
}

function met(yes: boolean): string {
  return yes ? 'met' : 'MISSED';
}
