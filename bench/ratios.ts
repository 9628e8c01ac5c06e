/** Everything that was measured beside a peer, as ratios: above 1.0 ours is better, whatever is measured. */
import type { ClientResults, Row } from './client/rows.ts';
import type { FunctionResults } from './function/report.ts';
import type { ServerResults } from './server/report.ts';
import type { TransferRow } from './server/transfers.ts';

export interface Results {
  function?: FunctionResults | undefined;
  client?: ClientResults | undefined;
  server?: ServerResults | undefined;
}

export type Metric = 'time' | 'throughput' | 'CPU' | 'memory' | 'stored bytes';

export interface Ratio {
  part: 'function' | 'client' | 'server';
  /** What was done, such as "first backup of SQL text". */
  what: string;
  metric: Metric;
  ours: string;
  peer: string;
  /** Above 1.0, ours is better. */
  value: number;
}

export function ratiosOf(results: Results): Ratio[] {
  return [
    ...(results.function?.cases ?? []).flatMap(functionRatios),
    ...(results.client?.tables ?? []).flatMap(({ data, rows, second }) => [
      ...clientRatios(
        `first backup of ${data}`,
        rows.filter(({ group }) => group === 'backup'),
      ),
      ...clientRatios(`second backup of ${data}`, second),
      ...clientRatios(
        `restore of ${data}`,
        rows.filter(({ group }) => group === 'restore'),
      ),
    ]),
    ...serverRatios(results.server),
  ];
}

/** Those in which a peer is better, as the tables show it. */
export function shortfalls(ratios: readonly Ratio[]): Ratio[] {
  return ratios.filter(({ value }) => Number(value.toFixed(2)) < 1);
}

function functionRatios({ title, measured }: FunctionResults['cases'][number]): Ratio[] {
  const [ours] = measured.filter(({ role }) => role === 'ours');
  if (!ours) return [];
  return measured
    .filter(({ role }) => role === 'peer')
    .flatMap((peer) => {
      const common = { part: 'function', what: title, ours: ours.name, peer: peer.name } as const;
      return [
        ratio({ ...common, metric: 'time' }, peer.median, ours.median),
        ratio({ ...common, metric: 'memory' }, peer.peak, ours.peak),
      ].flat();
    });
}

function clientRatios(what: string, rows: readonly Row[]): Ratio[] {
  return rows
    .filter(({ role }) => role === 'peer')
    .flatMap((peer) => {
      const ours = rows.find(({ role, name }) => role === 'ours' && name === peer.against);
      if (!ours) return [];
      const common = { part: 'client', what, ours: ours.name, peer: peer.name } as const;
      return [
        ratio({ ...common, metric: 'throughput' }, ours.megabytesPerSecond, peer.megabytesPerSecond),
        ratio({ ...common, metric: 'CPU' }, peer.cpuSeconds, ours.cpuSeconds),
        ratio({ ...common, metric: 'memory' }, peer.peakMiB, ours.peakMiB),
        ratio({ ...common, metric: 'stored bytes' }, peer.storedBytes, ours.storedBytes),
      ].flat();
    });
}

function serverRatios(server: ServerResults | undefined): Ratio[] {
  const transfers = server?.transfers ?? [];
  const same = (a: TransferRow, b: TransferRow) =>
    a.storage === b.storage && a.direction === b.direction && a.parallel === b.parallel;
  const parallel = transfers
    .filter(({ role }) => role === 'peer')
    .flatMap((peer) => {
      const ours = transfers.find((row) => row.role === 'ours' && same(row, peer));
      const what = `${peer.direction}s on ${peer.storage}, ${peer.parallel} at a time`;
      const names = { ours: ours?.server ?? '', peer: peer.server };
      return ratio(
        { part: 'server', what, metric: 'throughput', ...names },
        ours?.mibPerSecond.median,
        peer.mibPerSecond.median,
      );
    });
  const single = server?.single;
  const what = 'one large upload';
  return [
    ...(single
      ? ratio(
          { part: 'server', what, metric: 'throughput', ours: 'backup-repository', peer: 'bare node:http' },
          single.ratio,
          1,
        )
      : []),
    ...parallel,
  ];
}

/** Nothing where one of the two was not measured. */
function ratio(of: Omit<Ratio, 'value'>, dividend: number | undefined, divisor: number | undefined): Ratio[] {
  const value = (dividend ?? Number.NaN) / (divisor ?? Number.NaN);
  return Number.isFinite(value) ? [{ ...of, value }] : [];
}
