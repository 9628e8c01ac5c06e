/** What Node.js can set a timer to. */

/** Timers count in 32 bits, and what is longer fires at once. 24 days and 20 hours. */
const LONGEST_MS = 2 ** 31 - 1;

/** The time for a timer or `AbortSignal.timeout`: what is longer than the longest comes down to that. */
export function timerMs(ms: number): number {
  return Math.min(ms, LONGEST_MS);
}
