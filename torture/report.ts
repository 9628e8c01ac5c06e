/** What a run says while it goes on, and at its end. */

import type { Played } from './play/round.ts';
import type { Counts } from './play/stage.ts';
import { KINDS } from './scenario.ts';

export interface Run {
  seed: number;
  rounds: number;
  seconds: number;
  played: readonly Played[];
  counts: Counts;
  /** Kinds that this machine cannot play, and why. */
  leftOut: readonly { names: readonly string[]; why: string }[];
  /** What was wrong with the end of the worlds. */
  faults: readonly string[];
}

export function noCounts(): Counts {
  return { operations: {}, disturbances: {}, acknowledged: 0, refused: 0, unknown: 0, compared: 0 };
}

export function progress({
  played,
  rounds,
  began,
}: {
  played: readonly Played[];
  rounds: number;
  began: number;
}): string {
  const failed = played.filter(({ faults }) => faults.length > 0).length;
  const seconds = Math.round((performance.now() - began) / 1000);
  return `${played.length} of ${rounds} rounds, ${failed} failed, ${seconds} s`;
}

export function summary(run: Run): string {
  const { seed, rounds, played, counts, leftOut, seconds, faults } = run;
  const failed = played.filter((each) => each.faults.length > 0);
  const kinds = KINDS.flatMap(({ name, what }) => {
    const of = played.filter(({ round }) => round.kind === name);
    if (of.length === 0) return [];
    const ms = of.reduce((sum, each) => sum + each.ms, 0) / of.length;
    const bad = of.filter((each) => each.faults.length > 0).length;
    return [`${name.padEnd(9)}${pad(of.length)}${pad(bad)}${pad(Math.round(ms))}   ${what}`];
  });
  return [
    `kind     ${['rounds', 'failed', 'ms each'].map(pad).join('')}`,
    ...kinds,
    `all      ${pad(played.length)}${pad(failed.length)}   in ${seconds} s, seed ${seed}`,
    ...(played.length < rounds ? [`time was up: ${rounds - played.length} rounds were not played`] : []),
    '',
    `operations       ${list(counts.operations)}`,
    `got in the way   ${list(grouped(counts.disturbances))}`,
    `uploads          acknowledged ${counts.acknowledged}, refused ${counts.refused}, nobody could know ${counts.unknown}`,
    `compared         ${counts.compared} versions, byte for byte`,
    ...leftOut.map(({ names, why }) => `left out         ${names.join(', ')}: ${why}`),
    ...failed.flatMap(describe.bind(undefined, seed)),
    ...faults.map((fault) => `\nat the end: ${fault}`),
  ].join('\n');
}

/** What is wrong with a round, and how to play it again. */
export function describe(seed: number, { round, faults, kept }: Played): string[] {
  return [
    '',
    `round ${round.number} (${round.kind}) failed:`,
    ...faults.map((fault) => `  ${fault.trim().split('\n').join('\n    ')}`),
    `  kept in ${kept}; to play it alone: npm run torture -- --seed ${seed} --round ${round.number}`,
  ];
}

function pad(value: string | number): string {
  return String(value).padStart(9);
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

/** Jumps of the clock are many. */
function grouped(counts: Readonly<Record<string, number>>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, count] of Object.entries(counts)) {
    const group = name.replace(/ by .*/, '');
    sums[group] = (sums[group] ?? 0) + count;
  }
  return sums;
}
