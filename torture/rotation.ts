/**
 * What rotation should leave, written again from docs/server.md and not from the server's code, so that the two can disagree.
 * Versions are told apart by number; a later number is a later version, whatever its clock said.
 */

export interface Policy {
  /** Newest versions that stay whatever else, at least one: `maxBackupsCount`, or `keepLast`. */
  newest: number;
  /** fifo-plus-older: how many behind those, and how old they may be. */
  older?: { copies: number; ageMs: number };
  /** keep: the newest version of each of so many days. */
  days?: number;
  /** Younger ones are never removed. */
  minAgeMs?: number;
}

export interface Rotated {
  number: number;
  createdAt: number;
  pinned: boolean;
}

const DAY_MS = 86_400_000;

/** The numbers that rotation removes if it runs at this time, ascending. */
export function rotatedAway(policy: Policy, versions: readonly Rotated[], now: number): number[] {
  const candidates = versions.filter(({ pinned }) => !pinned).sort((a, b) => b.number - a.number);
  const stays = new Set(candidates.slice(0, policy.newest));
  const rest = candidates.slice(policy.newest);
  if (policy.older) for (const version of olderCopies(rest, policy.older, now)) stays.add(version);
  for (const version of newestOfDays(candidates, policy.days ?? 0)) stays.add(version);
  return candidates
    .filter(({ createdAt }) => now - createdAt >= (policy.minAgeMs ?? 0))
    .filter((version) => !stays.has(version))
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}

/** The allowed age is cut into as many stretches as there may be copies; of each the first version stays. */
function olderCopies(
  behind: readonly Rotated[],
  { copies, ageMs }: { copies: number; ageMs: number },
  now: number,
): Rotated[] {
  const length = Math.ceil(ageMs / copies);
  const first = new Map<number, Rotated>();
  for (const version of behind) {
    if (now - version.createdAt > ageMs) continue;
    const stretch = Math.floor(version.createdAt / length);
    const known = first.get(stretch);
    if (!known || version.number < known.number) first.set(stretch, version);
  }
  const newestFirst = [...first.keys()].sort((a, b) => b - a).slice(0, copies);
  return newestFirst.flatMap((stretch) => first.get(stretch) ?? []);
}

/** Days of UTC, which the servers of these tests run in; found from the newest version on, as far as they are needed. */
function newestOfDays(candidates: readonly Rotated[], days: number): Rotated[] {
  const newest = new Map<number, Rotated>();
  for (const version of candidates) {
    const day = Math.floor(version.createdAt / DAY_MS);
    if (newest.has(day)) continue;
    if (newest.size === days) break;
    newest.set(day, version);
  }
  return [...newest.values()];
}
