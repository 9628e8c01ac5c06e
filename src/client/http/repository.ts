/** Opens a backup repository: what the parts of this room are put together to. */
import { failure } from '../failure.ts';
import { ask, type Call, dataOf } from './calls.ts';
import { readCollections } from './collection-message.ts';
import { openConnection } from './connection.ts';
import type { Repository, RepositoryOptions } from './contract.ts';
import { download } from './download.ts';
import { health } from './health.ts';
import { claim, finish, renew } from './ledger.ts';
import { type Attempt, quoted } from './reasons.ts';
import { endingWith, patient } from './retries.ts';
import { Session } from './session.ts';
import { upload } from './upload.ts';
import { readVersions } from './version-message.ts';

export type { Credentials, Download, Repository, RepositoryOptions, Upload, Uploaded } from './contract.ts';

/** Most time that noting the end of an action may take after a signal: less than a pod has between SIGTERM and SIGKILL. */
const FINISH_MS = 20_000;
/** And without one, if it went well: a server that is away for a minute must not make a failure of it. */
const FINISH_PATIENTLY_MS = 5 * 60_000;
/** Tries in that time, on top of those that a download has. */
const FINISH_TRIES = 10;

/** Connects to nothing yet. @throws {UserError} `usage` if URL, credentials or authorities cannot be right */
export function openRepository(options: RepositoryOptions): Repository {
  const closed = new AbortController();
  const connection = openConnection({
    ...options,
    // What is still under way when all is over, such as a download that nobody reads any more, must not begin anew.
    signal: AbortSignal.any([options.signal, closed.signal]),
  });
  const session = new Session(connection, options.credentials);
  const { secrets } = session;
  const attempt = (doing: string): Attempt => ({ doing, connection, secrets });
  const get = async (doing: string, call: Call): Promise<Record<string, unknown>> => {
    const to = attempt(doing);
    return dataOf(await ask(to, session, call), to);
  };

  return {
    limitTo: (scope) => session.limitTo(scope),
    login: () => session.open(),
    whoami: () => get('ask who we are', { route: 'whoami' }),
    async collections() {
      return readCollections((await get('list collections', { route: 'collections' })).collections);
    },
    async versions(collectionId) {
      const doing = `list the versions of ${named(collectionId)}`;
      return readVersions((await get(doing, { route: 'versions', parameters: { collectionId } })).versions);
    },
    health: async (collectionId, code) =>
      health(attempt(`check the health of ${named(collectionId)}`), collectionId, code),
    upload: async (collectionId, content, details) =>
      upload(attempt(`upload to ${named(collectionId)}`), session, collectionId, content, details),
    async download(collectionId, version, signal) {
      const doing = `download version ${quoted(version, secrets)} of ${named(collectionId)}`;
      return download(endingWith(attempt(doing), signal), session, { collectionId, version });
    },
    claim: async (collectionId, key, details) =>
      claim(attempt(`claim the action ${key.namespace}/${key.name}`), session, collectionId, {
        ...key,
        ...details,
      }),
    renew: async (collectionId, key, leaseSeconds) =>
      renew(attempt(`renew the claim of ${key.namespace}/${key.name}`), session, collectionId, {
        ...key,
        leaseSeconds,
      }),
    async finish(collectionId, key, end) {
      const done = end.state === 'done';
      const doing = `note the end of ${key.namespace}/${key.name}`;
      // Also after the signal: an action that was stopped must not look as if it went on.
      await outlasting(options.signal, done ? FINISH_PATIENTLY_MS : FINISH_MS, (signal) => {
        const lasting = { ...(done ? patient(connection, FINISH_TRIES) : connection), signal };
        return finish({ doing, connection: lasting, secrets }, session, collectionId, { ...key, ...end });
      });
    },
    async close({ keepSession = false } = {}) {
      if (!keepSession) await session.end();
      closed.abort(failure('interrupted', 'the connection to the server was closed'));
      connection.close();
    },
  };
}

/** Gives the work a signal of its own: aborted after that time, or some seconds after `stopped`. */
async function outlasting(
  stopped: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const endIn = (limitMs: number) =>
    timers.push(
      setTimeout(
        () => over.abort(failure('unreachable', `the server did not hear of it within ${limitMs / 1000} s`)),
        limitMs,
      ),
    );
  const hurry = () => endIn(FINISH_MS);
  endIn(ms);
  if (stopped.aborted) hurry();
  stopped.addEventListener('abort', hurry, { once: true });
  try {
    await work(over.signal);
  } finally {
    stopped.removeEventListener('abort', hurry);
    for (const timer of timers) clearTimeout(timer);
  }
}

/** @throws {UserError} `usage` if it is empty, which would lead to other addresses */
function named(collectionId: string): string {
  if (collectionId === '' || /^\.+$/.test(collectionId)) {
    throw failure('usage', 'the collection has no name: give one with --collection-id');
  }
  return `the collection "${collectionId}"`;
}
