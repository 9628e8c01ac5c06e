/** Ratios of throughput that were promised, and whether they are met. */
import { table } from '../shared/markdown.ts';
import type { ClientResults } from './rows.ts';

interface Aim {
  data: string;
  ours: string;
  peer: RegExp;
  /** Ours by the peer, at least. */
  least: number;
}

const AIMS: readonly Aim[] = [
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

function aim(data: string, ours: string, peer: RegExp, least: number): Aim {
  return { data, ours, peer, least };
}

export function aimsTable({ tables }: Pick<ClientResults, 'tables'>): string {
  const rows = AIMS.flatMap(({ data, ours, peer, least }) => {
    const all = tables.find((one) => one.data === data)?.rows.filter(({ group }) => group === 'backup') ?? [];
    const mine = all.find(({ name }) => name === ours);
    // The strictest reading: of several peers, the fastest.
    const [best] = all
      .filter(({ name }) => peer.test(name))
      .sort((a, b) => b.megabytesPerSecond - a.megabytesPerSecond);
    if (!mine || !best) return [];
    const ratio = mine.megabytesPerSecond / best.megabytesPerSecond;
    return [[data, ours, best.name, ratio.toFixed(2), least.toFixed(1), ratio >= least ? 'yes' : '**no**']];
  });
  const text = ['left', 'left', 'left', 'right', 'right', 'left'] as const;
  return table(['data', 'ours', 'to', 'ratio', 'aim', 'met'], rows, text);
}
