/** Waits for a result, but not for ever. */
import { timerMs } from '../timers.ts';

/** The result of the work; throws what `late` makes if it is not there in time. The work itself is not stopped. */
export async function within<T>(timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timerMs(timeoutMs));
  });
  // If it fails after the time is up, nobody is interested any more.
  work.catch(() => {});
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
