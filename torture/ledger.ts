/** The ledger of actions as it should be, with leases that do not run out while anybody looks. */

export type ClaimOutcome = 'claimed' | 'done' | 'running' | 'failed';

export class LedgerModel {
  #state: 'none' | 'running' | 'done' | 'failed' = 'none';
  #holder = '';
  #version: number | null = null;

  claim(holder: string, retry: boolean): ClaimOutcome {
    const free = this.#state === 'none' || (this.#state === 'failed' && retry);
    const ours = this.#state === 'running' && this.#holder === holder;
    if (!free && !ours) return this.#state as ClaimOutcome;
    this.#state = 'running';
    this.#holder = holder;
    return 'claimed';
  }

  /** Whether the lease is extended. */
  renew(holder: string): boolean {
    return this.#state === 'running' && this.#holder === holder;
  }

  /** Whether it is noted; saying the same again is. */
  finish(holder: string, state: 'done' | 'failed', version: number | null): boolean {
    if (this.#holder !== holder || this.#state === 'none') return false;
    if (this.#state !== 'running') return this.#state === state && this.#version === version;
    this.#state = state;
    this.#version = version;
    return true;
  }
}
