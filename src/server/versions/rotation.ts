/**
 * Which versions are removed after a new one was stored. Pure functions of what is stored and the server's time.
 *
 * Whatever the strategy: pinned versions, versions younger than `minAge` and the newest version are never removed, so
 * at least one always stays.
 */
import type { StrategySpec } from '../../../gen/types.ts';
import { parseAge } from '../collections/durations.ts';
import type { CollectionSpec } from '../configuration/configuration.ts';

/** What a decision depends on. */
export interface Candidate {
  readonly versionNumber: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly createdAt: number;
  readonly pinned: boolean;
}

type Strategy = <V extends Candidate>(newestFirst: readonly V[], spec: CollectionSpec) => Set<V>;

const STRATEGIES: Readonly<Record<string, (now: number) => Strategy>> = {
  fifo: () => keepNewest,
  'fifo-plus-older': keepNewestAndOlder,
  keep: () => keepByCalendar,
};

/** The collection names a strategy that does not exist. */
export class UnknownStrategy extends Error {
  override readonly name = 'UnknownStrategy';
}

/**
 * The versions to remove, oldest first, out of all that are stored, the new one included.
 *
 * Pinned versions do not count towards any of the strategy's numbers: they are kept besides.
 *
 * @throws {UnknownStrategy}
 */
export function versionsToRemove<V extends Candidate>(
  stored: readonly V[],
  spec: CollectionSpec,
  now: number,
): V[] {
  const name = spec.strategyName || 'fifo';
  const strategy = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (!strategy) throw new UnknownStrategy(`there is no strategy "${name}"`);
  const newestFirst = stored
    .filter(({ pinned }) => !pinned)
    .sort((a, b) => b.versionNumber - a.versionNumber);
  const kept = strategy(now)(newestFirst, spec);
  // Not Math.max(...): there may be more versions than a function may have arguments.
  const newest = stored.reduce((most, { versionNumber }) => Math.max(most, versionNumber), 0);
  const minAge = spec.strategySpec?.minAge ? parseAge(spec.strategySpec.minAge) : 0;
  return newestFirst
    .filter(
      (version) =>
        !kept.has(version) && version.versionNumber !== newest && now - version.createdAt >= minAge,
    )
    .reverse();
}

/** fifo: the newest `maxBackupsCount`. */
function keepNewest<V extends Candidate>(newestFirst: readonly V[], spec: CollectionSpec): Set<V> {
  return new Set(newestFirst.slice(0, spec.maxBackupsCount));
}

/**
 * fifo-plus-older: the newest `maxBackupsCount`, and of those behind them up to `maxOlderCopies` that are not older
 * than `keepLastOlderNotMoreThan`.
 *
 * The older copies shall be spread over that time, so it is cut into as many stretches as there may be copies, and the
 * first version of each stretch is kept. The stretches stand still in time: a version once chosen stays chosen until
 * it is too old. Without an age the newest of the older versions are kept.
 */
function keepNewestAndOlder(now: number): Strategy {
  return (newestFirst, spec) => {
    const kept = keepNewest(newestFirst, spec);
    const { keepLastOlderNotMoreThan: limit, maxOlderCopies = limit ? 1 : 0 }: StrategySpec =
      spec.strategySpec ?? {};
    const behind = newestFirst.filter((version) => !kept.has(version));
    if (!limit) return new Set([...kept, ...behind.slice(0, maxOlderCopies)]);
    const age = parseAge(limit);
    const stretch = Math.max(1, Math.ceil(age / Math.max(1, maxOlderCopies)));
    // Newest first, so the last one written into a place is the oldest of its stretch.
    const firstOf = new Map<number, (typeof newestFirst)[number]>();
    for (const version of behind) {
      if (now - version.createdAt <= age) firstOf.set(Math.floor(version.createdAt / stretch), version);
    }
    const older = [...firstOf.entries()].sort(([a], [b]) => b - a).slice(0, maxOlderCopies);
    return new Set([...kept, ...older.map(([, version]) => version)]);
  };
}

/**
 * keep: the newest `keepLast` versions, and the newest version of each of the last `keepDaily` days, `keepWeekly`
 * weeks, `keepMonthly` months and `keepYearly` years that have one, in the server's time zone.
 *
 * `maxBackupsCount` does not cut what these numbers keep. If none of them is given, it works as with fifo.
 */
function keepByCalendar<V extends Candidate>(newestFirst: readonly V[], spec: CollectionSpec): Set<V> {
  const {
    keepLast = 0,
    keepDaily = 0,
    keepWeekly = 0,
    keepMonthly = 0,
    keepYearly = 0,
  } = spec.strategySpec ?? {};
  if (keepLast + keepDaily + keepWeekly + keepMonthly + keepYearly === 0)
    return keepNewest(newestFirst, spec);
  return new Set([
    ...newestFirst.slice(0, keepLast),
    ...newestOfEach(newestFirst, keepDaily, dayOf),
    ...newestOfEach(newestFirst, keepWeekly, weekOf),
    ...newestOfEach(newestFirst, keepMonthly, (date) => dayOf(date).slice(0, 7)),
    ...newestOfEach(newestFirst, keepYearly, (date) => dayOf(date).slice(0, 4)),
  ]);
}

function newestOfEach<V extends Candidate>(
  newestFirst: readonly V[],
  count: number,
  periodOf: (date: Date) => string,
): V[] {
  const newest = new Map<string, V>();
  for (const version of newestFirst) {
    const period = periodOf(new Date(version.createdAt));
    if (!newest.has(period)) {
      if (newest.size === count) break;
      newest.set(period, version);
    }
  }
  return [...newest.values()];
}

/** `2026-03-29` in the server's time zone. */
function dayOf(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The Monday of the week, as a day: weeks of ISO 8601 begin on Mondays. */
function weekOf(date: Date): string {
  const weekday = (date.getDay() + 6) % 7;
  return dayOf(new Date(date.getFullYear(), date.getMonth(), date.getDate() - weekday, 12));
}
