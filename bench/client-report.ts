/** The client's part of bench/README.md. */

export interface Row {
  name: string;
  group: 'backup' | 'restore';
  /** Of the data, in millions of bytes. Median of all runs. */
  megabytesPerSecond: number;
  slowest: number;
  fastest: number;
  cpuSeconds: number;
  peakMiB: number;
  storedBytes?: number;
}

export interface ClientResults {
  command: string;
  machine: { cpu: string; memory: string; system: string; node: string; load: number };
  versions: string[];
  missing: string[];
  runs: number;
  tables: { data: string; bytes: number; rows: Row[] }[];
}

const begin = '<!-- measured-client: begin -->';
const end = '<!-- measured-client: end -->';

const INTRODUCTION = `# Measurements of the client

\`backup-maker make\` and \`restore\` beside pipes of stock tools to the same server, and beside restic and borg, which write to a local
repository without a network. All take turns in one run; data, server and repositories are in memory. CPU seconds are those of
the client's side, with everything it starts; so is the memory, which is what all its processes hold at one time.`;

/** Ratios that were promised: of which row, to which, at least. */
const AIMS: readonly { data: string; ours: string; group: Row['group']; peer: RegExp; least: number }[] = [
  aim('SQL text', 'backup-maker, age, zstd', /^restic/, 2.0),
  aim('SQL text', 'backup-maker, age, zstd', /^borg/, 1.8),
  aim('incompressible', 'backup-maker, age, zstd', /^restic/, 1.4),
  aim('incompressible', 'backup-maker, age, zstd', /^borg/, 1.8),
  ...['SQL text', 'incompressible'].flatMap((data) => [
    aim(data, 'backup-maker, age, zstd', /^zstd -1 .*(age|gpg)/, 1.0),
    aim(data, 'backup-maker, age, not compressed', /^(age|gpg -z0) /, 1.0),
    aim(data, 'backup-maker, age, zstd', /^the original/, 6),
    aim(data, 'backup-maker, OpenPGP, zstd', /^gpg -z0/, 0.9),
    aim(data, 'backup-maker, OpenPGP, not compressed', /^gpg -z0/, 0.9),
  ]),
];

function aim(data: string, ours: string, peer: RegExp, least: number) {
  return { data, ours, group: 'backup' as const, peer, least };
}

/** The text with the client's part renewed; added at the end if there is none. */
export function renderClientReport(text: string, results: ClientResults): string {
  const known = text.includes(begin) ? text : `${text.trimEnd()}\n\n${INTRODUCTION}\n\n${begin}\n${end}\n`;
  const [before = '', rest = ''] = known.split(begin);
  const after = rest.split(end)[1] ?? '';
  const { cpu, memory, system, node } = results.machine;
  const lines = [
    `Made with \`${results.command}\` on ${cpu}, ${memory}, ${system}; Node.js ${node}, ${results.versions.join(', ')}. Median of ${results.runs} runs.`,
    ...(results.missing.length > 0 ? [`Not to be had there: ${results.missing.join(', ')}.`] : []),
    ...results.tables.flatMap(({ data, bytes, rows }) => tableOf(data, bytes, rows)),
    '',
    ...aimsOf(results),
  ];
  return `${before}${begin}\n\n${lines.join('\n')}\n\n${end}${after}`;
}

function tableOf(data: string, bytes: number, rows: readonly Row[]): string[] {
  return [
    '',
    `## ${bytes / 2 ** 20} MiB of ${data}`,
    '',
    '| | MB/s (slowest to fastest) | CPU seconds | peak MiB | stored bytes |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| ${row.group}: ${row.name} | ${row.megabytesPerSecond} (${row.slowest} to ${row.fastest}) | ${row.cpuSeconds} | ${row.peakMiB} | ${row.storedBytes ?? ''} |`,
    ),
  ];
}

function aimsOf({ tables }: ClientResults): string[] {
  const lines = AIMS.flatMap(({ data, ours, group, peer, least }) => {
    const rows = tables.find((table) => table.data === data)?.rows.filter((row) => row.group === group) ?? [];
    const mine = rows.find(({ name }) => name === ours);
    // The strictest reading: of several peers, the fastest.
    const [best] = rows
      .filter(({ name }) => peer.test(name))
      .sort((a, b) => b.megabytesPerSecond - a.megabytesPerSecond);
    if (!mine || !best) return [];
    const ratio = mine.megabytesPerSecond / best.megabytesPerSecond;
    return [
      `| ${data} | ${ours} | ${best.name} | ${ratio.toFixed(2)} | ${least.toFixed(1)} | ${ratio >= least ? 'yes' : '**no**'} |`,
    ];
  });
  return ['| data | ours | to | ratio | aim | met |', '| --- | --- | --- | --- | --- | --- |', ...lines];
}
