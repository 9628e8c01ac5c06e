/** Whether a collection gets its versions as often as it should. */
import { describeDuration, parseAge } from '../collections/durations.ts';
import { lastClosedSlot } from '../collections/windows.ts';
import type { CollectionSpec } from '../configuration/configuration.ts';

/**
 * The time that the newest version must not be older than: by `expectEvery`, else the beginning of the last window that
 * is over. Undefined if nothing is expected.
 */
export function dueSince(spec: CollectionSpec, now: number): number | undefined {
  if (spec.expectEvery) return now - parseAge(spec.expectEvery);
  const starts = (spec.windows ?? []).flatMap((window) => lastClosedSlot(window, now)?.start ?? []);
  // A backup need not use every one of several windows, as the original has it.
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

/** True if there should be a version newer than `newestAt`, undefined for none at all. */
export function isOverdue(spec: CollectionSpec, newestAt: number | undefined, now: number): boolean {
  if (newestAt === undefined) return spec.mayBeEmpty !== true;
  const due = dueSince(spec, now);
  return due !== undefined && newestAt < due;
}

/** What is wrong, as a sentence; empty if nothing is. */
export function explainFreshness(spec: CollectionSpec, newestAt: number | undefined, now: number): string {
  if (newestAt === undefined || !isOverdue(spec, newestAt, now)) return '';
  const expected = spec.expectEvery
    ? `a version is expected every ${spec.expectEvery}`
    : 'the last backup window passed without a new version';
  return `the newest version is ${describeDuration(now - newestAt)} old, ${expected}`;
}
