/** Lengths of time: `1h30m` in windows and flags, `7d` in ages. */
import { UserError } from '../../api/problem.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const AGE_UNITS: Readonly<Record<string, number>> = {
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
  y: 365 * DAY,
};

/** Milliseconds of a duration such as `45s`, `30m` or `1h30m`. @throws {UserError} */
export function parseDuration(text: string): number {
  const [all, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text.trim()) ?? [];
  if (!all) fail(text, 'duration', '30m or 1h30m');
  return Number(hours ?? 0) * HOUR + Number(minutes ?? 0) * MINUTE + Number(seconds ?? 0) * SECOND;
}

/** Milliseconds of an age such as `36h` or `7d`; a year has 365 days. @throws {UserError} */
export function parseAge(text: string): number {
  const [, number, unit] = /^([1-9]\d*)([mhdwy])$/.exec(text.trim()) ?? [];
  return number ? Number(number) * (AGE_UNITS[unit ?? ''] ?? Number.NaN) : fail(text, 'age', '36h or 7d');
}

/** A length of time for people, to two units: `3d 4h`, `12m`, `45s`. */
export function describeDuration(ms: number): string {
  const parts: [number, string][] = [
    [Math.floor(ms / DAY), 'd'],
    [Math.floor((ms % DAY) / HOUR), 'h'],
    [Math.floor((ms % HOUR) / MINUTE), 'm'],
    [Math.floor((ms % MINUTE) / SECOND), 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

function fail(text: string, what: string, example: string): never {
  throw new UserError({ code: 'invalid-value', message: `"${text}" is not a ${what} such as ${example}` });
}
