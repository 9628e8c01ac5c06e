/**
 * Removes what is not needed any more: objects of deleted versions, leftovers of interrupted uploads, objects that
 * never got a row, expired sessions and counters.
 */
import type { Version } from '../metadata/metadata.ts';
import type { VersionDependencies } from './dependencies.ts';
import { HeldLease } from './held-lease.ts';

export interface SweepSettings {
  /** Time between two sweeps. Milliseconds. */
  intervalMs: number;
  /** Age from which leftovers of uploads are taken for abandoned. Longer than any upload. Milliseconds. */
  leftoverAgeMs: number;
  /** Age from which an object without a row is taken for abandoned. Milliseconds. */
  orphanAgeMs: number;
  /** True if no other process uses this storage, so that at start every leftover is abandoned. */
  alone: boolean;
}

export interface Sweep {
  objects: number;
  leftovers: number;
  orphans: number;
  sessions: number;
}

const LEASE = 'sweep';
const LEASE_MS = 60_000;
const PAGE = 100;
/** How long expired sessions stay listed, and counters of rate limits stay at all. */
const SESSIONS_KEPT_MS = 7 * 24 * 3_600_000;
const COUNTERS_KEPT_MS = 3_600_000;
/** Keys as `newObjectKey` makes them. Anything else in the storage is not ours to remove. */
const OUR_KEY = /^([^/]+)\/(\d+)-[0-9a-f]{12}-/;

export class Sweeper {
  readonly #dependencies: VersionDependencies;
  readonly #settings: SweepSettings;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = new AbortController();

  constructor(dependencies: VersionDependencies, settings: SweepSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** Sweeps now and then periodically. What fails is logged and tried again the next time. */
  start(): void {
    this.#schedule(true);
    this.#timer = setInterval(() => this.#schedule(false), this.#settings.intervalMs);
    this.#timer.unref();
  }

  /** Resolves once nothing is running any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort();
    await this.#running;
  }

  /** Removes the objects of deleted versions in the background. */
  remove(versions: readonly Version[]): void {
    if (versions.length === 0) return;
    this.#run(async () => {
      for (const version of versions) await this.#removeObject(version);
    });
  }

  /** One sweep; does nothing if another replica is at it. `atStart`: no upload of this process has begun yet. */
  async sweep(atStart: boolean): Promise<Sweep | undefined> {
    const { metadata, storage, clock, log } = this.#dependencies;
    const { alone, leftoverAgeMs } = this.#settings;
    const lease = await HeldLease.acquire(metadata.leases, LEASE, LEASE_MS);
    if (!lease) return undefined;
    const stopped = AbortSignal.any([lease.lost, this.#stopped.signal]);
    try {
      const now = clock();
      const result: Sweep = {
        objects: await this.#removeDeleted(stopped),
        leftovers: await storage.sweep(alone && atStart ? now : now - leftoverAgeMs),
        orphans: await this.#removeOrphans(stopped),
        sessions: await metadata.sessions.purge(now - SESSIONS_KEPT_MS),
      };
      await metadata.counters.purge(now - COUNTERS_KEPT_MS);
      if (Object.values(result).some((count) => count > 0)) log.info({ swept: result }, 'swept');
      return result;
    } finally {
      await lease.release();
    }
  }

  async #removeDeleted(stopped: AbortSignal): Promise<number> {
    let count = 0;
    for (;;) {
      const versions = await this.#dependencies.metadata.versions.pendingRemovals(PAGE);
      let removed = 0;
      for (const version of versions) {
        if (stopped.aborted) return count;
        if (await this.#removeObject(version)) removed++;
      }
      count += removed;
      // A page of nothing but failures would come again for ever.
      if (versions.length < PAGE || removed === 0) return count;
    }
  }

  async #removeObject(version: Version): Promise<boolean> {
    const { metadata, storage, clock, log } = this.#dependencies;
    try {
      await storage.remove(version.objectKey);
      await metadata.versions.removed(version.id, clock());
      return true;
    } catch (error) {
      log.warn({ err: error, object: version.objectKey }, 'an object could not be removed and will be later');
      return false;
    }
  }

  /**
   * Objects without a row. A database that was lost or restored from an older copy makes good versions look like
   * orphans, so an object is removed only if the database has proof of being older and newer than it: a version of the
   * collection from before it, and a number higher than its own.
   */
  async #removeOrphans(stopped: AbortSignal): Promise<number> {
    const { metadata, storage, clock, log } = this.#dependencies;
    const before = clock() - this.#settings.orphanAgeMs;
    let count = 0;
    for await (const { key, writtenAt } of storage.list()) {
      if (stopped.aborted) break;
      const [, collectionId = '', number] = OUR_KEY.exec(key) ?? [];
      if (collectionId === '' || writtenAt >= before || (await metadata.versions.isReferenced(key))) continue;
      // Deleted ones count too: where rotation is quick, none that is left is as old as what has become an orphan.
      const first = (await metadata.versions.firstStoredAt(collectionId)) ?? Number.POSITIVE_INFINITY;
      if (first >= writtenAt || (await metadata.versions.nextNumber(collectionId)) <= Number(number))
        continue;
      log.warn({ object: key }, 'removing an object that belongs to no version');
      await storage.remove(key);
      count++;
    }
    return count;
  }

  #schedule(atStart: boolean): void {
    this.#run(() => this.sweep(atStart));
  }

  #run(work: () => Promise<unknown>): void {
    // Without the results, of which each would hold all before it.
    this.#running = Promise.allSettled([this.#running, this.#guard(work)]).then(() => {});
  }

  async #guard(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#dependencies.log.error({ err: error }, 'sweeping failed and will be tried again');
    }
  }
}
