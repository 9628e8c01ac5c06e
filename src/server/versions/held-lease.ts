/** A lease that is kept for as long as the work takes, and a signal for when it is lost. */
import type { Lease, LeaseStore } from '../metadata/metadata.ts';

/** How soon a lease that could not be given back is tried again: its collection is blocked meanwhile. */
const RELEASE_AGAIN_MS = 500;

/**
 * Renews a lease three times within its life. If it is lost, or could not be renewed before its life ran out, `lost`
 * aborts: whoever works under it must stop, since somebody else may have it now.
 */
export class HeldLease {
  readonly lease: Lease;
  readonly #store: LeaseStore;
  readonly #ttlMs: number;
  readonly #lost = new AbortController();
  #validUntil: number;
  #timer: NodeJS.Timeout;
  #renewing = false;

  /** The lease, or undefined if somebody else holds it. */
  static async acquire(store: LeaseStore, name: string, ttlMs: number): Promise<HeldLease | undefined> {
    const askedAt = performance.now();
    const lease = await store.acquire(name, ttlMs);
    return lease && new HeldLease(store, lease, ttlMs, askedAt);
  }

  private constructor(store: LeaseStore, lease: Lease, ttlMs: number, askedAt: number) {
    this.#store = store;
    this.lease = lease;
    this.#ttlMs = ttlMs;
    this.#validUntil = askedAt + ttlMs;
    this.#timer = setInterval(() => void this.#renew(), ttlMs / 3);
    this.#timer.unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Gives it back. If the store does not answer, tries again in the background for as long as the lease may live. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    try {
      await this.#store.release(this.lease);
    } catch (error) {
      this.#releaseLater();
      throw error;
    }
  }

  #releaseLater(): void {
    if (performance.now() >= this.#validUntil) return;
    setTimeout(() => {
      this.#store.release(this.lease).catch(() => this.#releaseLater());
    }, RELEASE_AGAIN_MS).unref();
  }

  async #renew(): Promise<void> {
    // Measured from before the question: the store's clock cannot have started later than that.
    const askedAt = performance.now();
    if (askedAt >= this.#validUntil) return this.#lose();
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      if (await this.#store.renew(this.lease, this.#ttlMs)) this.#validUntil = askedAt + this.#ttlMs;
      else this.#lose();
    } catch {
      // The database may come back before the lease has run out.
    } finally {
      this.#renewing = false;
    }
  }

  #lose(): void {
    clearInterval(this.#timer);
    this.#lost.abort();
  }
}
