/** Restores of a tampered version into PostgreSQL, many at a time, and what is wrong afterwards. */
import { join } from 'node:path';
import { Random } from '../../../fuzz/random.ts';
import { collection } from '../../../server/http/documents.ts';
import { root } from '../../sandbox.ts';
import { Client } from './client.ts';
import { Databases } from './database.ts';
import { FORMATS, type Format, type Keys, makeKeys } from './keys.ts';
import type { Case } from './places.ts';
import { Repository } from './server.ts';
import { allHeaders, type Stored, serveTampered } from './stored.ts';

/** Most cases wait for a network that does not come back, so many can do so at a time. */
const AT_ONCE = 10;

/** Who loads, and what made the dump that it loads. Paths stand in variables, as they do in a pod. */
export const LOADERS = {
  procedure: { backup: 'sh "$SCRIPTS/backup.sh"', restore: 'sh "$SCRIPTS/restore.sh"' },
  'pg_restore -1': {
    backup: 'pg_dump -Fc -Z0',
    restore: 'pg_restore -1 --clean --if-exists -d "$PGDATABASE"',
  },
  'psql -1': {
    backup: 'pg_dump --clean --if-exists',
    restore: 'psql -X -q -1 -v ON_ERROR_STOP=1 -f - >/dev/null',
  },
} as const;
export type Loader = keyof typeof LOADERS;
export const LOADER_NAMES = Object.keys(LOADERS) as Loader[];

/** What may end a restore of content that is not what was stored; see docs/client.md. */
const STATUSES = [1, 6, 11, 75];
/** The loader itself may notice that what is not encrypted was changed. */
const PLAIN_STATUSES = [...STATUSES, 3];

export interface Restore {
  format: Format;
  loader: Loader;
  /** Whether secrets are looked for. */
  watched?: boolean;
}

/** One restore of a tampered version. */
export interface Task extends Restore, Case {
  stored: Stored;
}

export interface Loads {
  restores: number;
  /** How often each exit status. */
  statuses: Record<string, number>;
  faults: string[];
}

export class LoadWorld {
  readonly databases: Databases;
  readonly keys: Keys;
  readonly #repository: Repository;
  #stored = new Map<string, Stored>();

  static async start(): Promise<LoadWorld> {
    const names = FORMATS.flatMap((format) => LOADER_NAMES.map((loader) => idOf(format, loader)));
    const documents = names.map((name) =>
      collection(name, { allowUnencrypted: true, maxOneVersionSize: '1G', maxCollectionSize: '9G' }),
    );
    const keys = await makeKeys();
    const databases = await Databases.start(Array.from({ length: AT_ONCE }, (_, index) => `copy${index}`));
    return new LoadWorld(databases, keys, await Repository.start(documents));
  }

  private constructor(databases: Databases, keys: Keys, repository: Repository) {
    this.databases = databases;
    this.keys = keys;
    this.#repository = repository;
  }

  async stop(): Promise<void> {
    await this.databases.stop();
    await this.#repository.remove();
  }

  /** The version that `make` stored with the loader's own backup command. */
  async stored(format: Format, loader: Loader): Promise<Stored> {
    const id = idOf(format, loader);
    const known = this.#stored.get(id);
    if (known) return known;
    const env = { ...this.databases.env('original'), ...this.#env(this.#repository.url) };
    const made = await Client.run(['make', '-i', id, ...this.keys.seal[format]], {
      env: { ...env, BM_CMD: LOADERS[loader].backup },
    });
    if (made.status !== 0) throw new Error(made.stderr);
    const { headers, bytes } = await this.#repository.download(id);
    this.#stored.set(id, { headers, bytes });
    return { headers, bytes };
  }

  /** Starts a restore into a database from whatever listens at the address. */
  start(url: string, database: string, { format, loader, watched = false }: Restore): Client {
    const env = { ...this.databases.env(database), ...this.#env(url), BM_CMD: LOADERS[loader].restore };
    return new Client(['restore', '-i', idOf(format, loader), ...this.keys.open[format]], {
      env,
      // Looking costs more than the restore.
      secrets: watched ? this.secrets : [],
    });
  }

  get secrets(): string[] {
    return [
      this.keys.passphrase,
      this.databases.password,
      this.#repository.token,
      'PGDATABASE"',
      '"$SCRIPTS',
    ];
  }

  /** A restore that nobody disturbs, without which the others would prove nothing; the database is as changed as before then. */
  async control(format: Format, loader: Loader, database = 'copy0'): Promise<string[]> {
    const stored = await this.stored(format, loader);
    const tampering = {
      headers: allHeaders(stored),
      bytes: stored.bytes,
      framing: 'own-length',
      end: 'clean',
      rest: 'never',
    } as const;
    const client = await serveTampered(stored, tampering, async (url) => {
      const started = this.start(url, database, { format, loader, watched: true });
      await started.ended;
      return started;
    });
    const { status, stderr } = await client.ended;
    const faults = (await client.remains()).map((what) => `${format}, ${loader}: ${what} is left`);
    client.forget();
    if (status !== 0) faults.push(`${format}, ${loader}: not restored: ${stderr}`);
    const data = (name: string) => this.databases.checksum(name).split('\n').slice(0, 3).join('\n');
    if (data(database) !== data('original')) faults.push(`${format}, ${loader}: not what was backed up`);
    this.databases.change(database);
    return faults;
  }

  /** Restores each case, many at a time, and looks at what is left. */
  async attempt(tasks: readonly Task[], progress?: (done: number) => void): Promise<Loads> {
    const loads: Loads = { restores: 0, statuses: {}, faults: [] };
    const waiting = [...tasks];
    const work = async (database: string) => {
      for (let task = waiting.shift(); task; task = waiting.shift()) {
        const { format, loader, name } = task;
        const faults = await this.#one(task, database, loads);
        loads.faults.push(...faults.map((fault) => `${format}, ${loader}, ${name}: ${fault}`));
        loads.restores++;
        progress?.(loads.restores);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => work(`copy${index}`)));
    return loads;
  }

  async #one(task: Task, database: string, loads: Loads): Promise<string[]> {
    const before = this.databases.checksum(database);
    const client = await serveTampered(task.stored, task.tampering, async (url) => {
      const started = this.start(url, database, { ...task, watched: loads.restores % 10 === 0 });
      await started.ended;
      return started;
    });
    const { status, stderr } = await client.ended;
    loads.statuses[status] = (loads.statuses[status] ?? 0) + 1;
    const faults: string[] = [];
    const documented = task.format === 'plain' ? PLAIN_STATUSES : STATUSES;
    if (!documented.includes(status)) faults.push(`exit status ${status}: ${stderr}`);
    if (!/level=error msg="[^"]/.test(stderr)) faults.push(`no reason is given: ${stderr}`);
    faults.push(...(await client.remains()).map((what) => `${what} is left`));
    client.forget();
    const sessions = await this.databases.sessions(database);
    if (sessions > 0) faults.push(`${sessions} sessions are left`);
    if (this.databases.checksum(database) !== before) {
      faults.push(`the database has changed: ${stderr}`);
      this.databases.create(database);
    }
    return faults;
  }

  #env(url: string): Record<string, string> {
    return {
      BM_URL: url,
      BM_AUTH_TOKEN: this.#repository.token,
      BM_PASSPHRASE: this.keys.passphrase,
      BM_LOG_FORMAT: 'text',
      SCRIPTS: join(root, 'procedures/postgres'),
    };
  }
}

export function idOf(format: Format, loader: Loader): string {
  return `${format}-${loader.replaceAll(/[\W_]+/g, '-')}`;
}

/** All faults of several runs, and how many there were. */
export function sum(all: readonly Loads[]): Loads {
  const statuses: Record<string, number> = {};
  for (const { statuses: some } of all)
    for (const [status, count] of Object.entries(some)) statuses[status] = (statuses[status] ?? 0) + count;
  return {
    restores: all.reduce((total, { restores }) => total + restores, 0),
    statuses,
    faults: all.flatMap(({ faults }) => faults),
  };
}

export { Random };
