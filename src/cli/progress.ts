/** Progress in words: how much, how fast, since when, and how long to go. */
import type { Fields, Progress } from '../client/report.ts';

/** When a phase began. */
export interface Moment {
  phase: string;
  at: number;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Powers of 1024, with three digits: `1.46 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.5 would round up to four digits.
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(value >= 999.5 ? 4 : 3)} ${UNITS[unit]}`;
}

/** `0:07`, `12:03`, `1:02:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const padded = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}

export function describeProgress(
  { phase, plain, stored, total }: Progress,
  elapsedMs: number,
): { text: string; fields: Fields } {
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const rate = plain / seconds;
  const done = total ? Math.min(1, stored / total) : undefined;
  const remaining = done ? (seconds / done) * (1 - done) : undefined;
  const text = [
    `${phase} ${formatBytes(plain)}`,
    ...(done === undefined
      ? [`${formatBytes(stored)} stored`]
      : [`${bar(done)} ${Math.floor(done * 100)} %`]),
    `${formatBytes(Math.round(rate))}/s`,
    formatSeconds(seconds),
    ...(remaining === undefined ? [] : [`${formatSeconds(remaining)} left`]),
  ].join('  ');
  return {
    text,
    fields: {
      bytes: plain,
      storedBytes: stored,
      totalBytes: total,
      bytesPerSecond: Math.round(rate),
      elapsedSeconds: Math.round(seconds),
      remainingSeconds: remaining === undefined ? undefined : Math.round(remaining),
    },
  };
}

const BAR = 20;

function bar(part: number): string {
  const full = Math.round(part * BAR);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`;
}
