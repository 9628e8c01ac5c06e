/** How often one client may ask, counted together with all other replicas. */
import type { FastifyRequest } from 'fastify';
import { clientNetwork } from '../access/addresses.ts';
import type { CounterStore } from '../metadata/metadata.ts';
import { RefusedWith } from './errors.ts';
import type { Settings } from './settings.ts';

export type RateLimit = keyof Settings['rateLimits'];

const WINDOW_MS: Readonly<Record<RateLimit, number>> = {
  default: 1000,
  auth: 60_000,
  collectionHealth: 60_000,
  serverHealth: 60_000,
};

export class RateLimits {
  readonly #counters: Pick<CounterStore, 'hit'>;
  readonly #limits: Settings['rateLimits'];
  /** What this process alone has seen, by key and window. */
  readonly #own = new Map<string, { window: number; count: number }>();

  constructor(counters: Pick<CounterStore, 'hit'>, limits: Settings['rateLimits']) {
    this.#counters = counters;
    this.#limits = limits;
  }

  /** Counts a request. @throws {RefusedWith} if there were too many. */
  async check(kind: RateLimit, request: FastifyRequest, now: number): Promise<void> {
    const limit = this.#limits[kind];
    if (limit <= 0) return;
    const windowMs = WINDOW_MS[kind];
    const key = `rate:${kind}:${clientNetwork(request.clientAddress)}`;
    let count = this.#countHere(key, Math.floor(now / windowMs));
    // A flood costs the database nothing: it is asked only as long as this process alone would let the request pass.
    if (count <= limit) count = await this.#counters.hit(key, windowMs, now).catch(() => count);
    if (count <= limit) return;
    const seconds = Math.ceil((windowMs - (now % windowMs)) / 1000);
    throw new RefusedWith('rate-limited', 'too many requests, try again later', {
      headers: { 'retry-after': String(seconds) },
    });
  }

  #countHere(key: string, window: number): number {
    const seen = this.#own.get(key);
    const count = seen?.window === window ? seen.count + 1 : 1;
    if (this.#own.size > 10_000) this.#own.clear();
    this.#own.set(key, { window, count });
    return count;
  }
}
