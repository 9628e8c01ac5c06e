/** Upload windows: from each time that a cron expression names, for a while. Both ends are outside. */
import { Cron } from 'croner';
import type { BackupWindow } from '../../../gen/types.ts';
import { parseDuration } from './durations.ts';

/** One opening of a window, in milliseconds since the epoch. */
export interface Slot {
  readonly start: number;
  readonly end: number;
}

/** Expressions with one field less than usual: the original let the day of the week away. */
const FIELDS_WITHOUT_WEEKDAY = 4;

/**
 * The last `count` openings that began before `now`, newest first. One that begins at this very instant does not
 * count yet. Fewer than `count` if the expression has no more of them, as with the 30th of February.
 */
export function slotsBefore(window: BackupWindow, now: number, count: number): Slot[] {
  const duration = parseDuration(window.duration);
  return cronOf(window)
    .previousRuns(count, new Date(now))
    .map((start) => ({ start: start.getTime(), end: start.getTime() + duration }))
    .filter(({ start }) => start < now);
}

/** Whether an upload may begin: without windows always, else if any of them is open. */
export function isOpen(windows: readonly BackupWindow[] | undefined, now: number): boolean {
  return (
    windows === undefined ||
    windows.length === 0 ||
    windows.some((window) => slotsBefore(window, now, 1).some((slot) => contains(slot, now)))
  );
}

/** Strictly between both ends. */
export function contains({ start, end }: Slot, time: number): boolean {
  return start < time && time < end;
}

/** The last opening that is over; undefined if there was none. Several later ones may be open at once. */
export function lastClosedSlot(window: BackupWindow, now: number): Slot | undefined {
  // Openings begin at whole seconds: of the last two that began up to a second late, one began in time.
  const latest = now - parseDuration(window.duration) + 1000;
  return slotsBefore(window, latest, 2).find(({ end }) => end <= now);
}

/** Building one takes long enough to be worth remembering; there are as many as collections have windows. */
const known = new Map<string, Cron>();
const MOST_KNOWN = 10_000;

function cronOf({ from, timeZone }: BackupWindow): Cron {
  const key = `${timeZone ?? ''} ${from}`;
  let cron = known.get(key);
  if (!cron) {
    const text = from.trim();
    const pattern =
      text.startsWith('@') || text.split(/\s+/).length !== FIELDS_WITHOUT_WEEKDAY ? text : `${text} *`;
    cron = new Cron(pattern, { paused: true, ...(timeZone !== undefined && { timezone: timeZone }) });
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, cron);
  }
  return cron;
}
