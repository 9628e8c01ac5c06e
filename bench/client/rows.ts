/** One row of a table of the client: what all rounds of a case come down to. */
import type { Recording } from '../shared/results.ts';
import { rounded, summarize } from '../shared/statistics.ts';
import type { Case } from './cases.ts';
import type { Cost } from './pipeline.ts';

export interface Row {
  name: string;
  group: 'backup' | 'restore';
  role: 'ours' | 'peer';
  /** Of a peer: the row of ours that does the same work. */
  against?: string;
  runs: number;
  /** Of the data, in millions of bytes. Median of all runs. */
  megabytesPerSecond: number;
  slowest: number;
  fastest: number;
  /** Median of all runs. */
  cpuSeconds: number;
  /** Of the first backup or restore, in a run of its own. */
  peakMiB?: number;
  /** Of a second backup: what it added. */
  storedBytes?: number;
}

export interface ClientResults extends Recording {
  /** Share of the data that changes between the first backup and the second. */
  changed: number;
  tables: { data: string; bytes: number; rows: Row[]; second: Row[] }[];
}

/** What was measured of one case. */
export interface Taken {
  first: Cost[];
  second: Cost[];
  peaks: number[];
  stored: number;
  added: number;
  /** A peer that does not work here. */
  failed?: boolean;
}

export function rowOf(
  { name, group, role, against }: Case,
  bytes: number,
  taken: Taken = { first: [], second: [], peaks: [], stored: 0, added: 0 },
  which: 'first' | 'second',
): Row {
  const costs = taken[which];
  const rates = summarize(costs.map(({ seconds }) => bytes / 1e6 / seconds));
  const stored = which === 'first' ? taken.stored : taken.added;
  return {
    ...{ name, group, role, ...(against && { against }), runs: costs.length },
    ...{ megabytesPerSecond: rates.median, slowest: rates.min, fastest: rates.max },
    cpuSeconds: summarize(costs.map(({ cpuSeconds }) => cpuSeconds)).median,
    ...(which === 'first' && { peakMiB: rounded(Math.max(...taken.peaks)) }),
    ...(group === 'backup' && { storedBytes: stored }),
  };
}
