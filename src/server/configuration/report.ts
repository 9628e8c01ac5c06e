/** Tells the operator, in the log, what is wrong with the configuration: when it begins, and when it is over. */
import type { Log } from '../versions/log.ts';
import type { ConfigurationProvider } from './configuration.ts';

/**
 * Logs every problem that there is, once, and from then on each that comes and each that goes. Returns how to end that.
 *
 * It looks every now and then rather than being told, so that it is the same for every provider, and says nothing of what
 * lasts for moments: a user that is there before its Secret, a connection that was made anew.
 */
export function reportProblems(
  configuration: Pick<ConfigurationProvider, 'problems'>,
  log: Pick<Log, 'info' | 'warn'>,
  everyMs = 1000,
): () => void {
  let known: ReadonlySet<string> = new Set();
  const look = () => {
    const found = new Set(configuration.problems());
    for (const problem of found)
      if (!known.has(problem)) log.warn({ problem }, 'the configuration has a problem');
    for (const problem of known)
      if (!found.has(problem)) log.info({ problem }, 'the configuration no longer has this problem');
    known = found;
  };
  look();
  const timer = setInterval(look, everyMs).unref();
  return () => clearInterval(timer);
}
