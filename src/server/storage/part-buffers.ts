/** The memory that uploads to S3 share. */
import { SMALLEST_PART } from './part-sizes.ts';

/** Any upload may have these: one is filled while the other is sent. */
const OWN = 2;
/** Beyond those, all uploads together may have this many: one that is alone is then not slowed by S3's latency. */
const SHARED = 4;
/** Larger parts than this are not sent side by side. */
const LARGE = 4 * SMALLEST_PART;

/** Counts the buffers that uploads have beyond their own. */
export class SharedBuffers {
  #left = SHARED;

  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  giveBack(count: number): void {
    this.#left += count;
  }
}

/** The buffers of one upload. Used again and again: fresh ones would be memory that nobody has collected yet. */
export class PartBuffers {
  readonly #shared: SharedBuffers;
  #free: Buffer[] = [];
  #used = 0;
  #borrowed = 0;

  constructor(shared: SharedBuffers) {
    this.#shared = shared;
  }

  /** A buffer of the size, or undefined if the upload must first wait for one of its own. */
  take(size: number): Buffer | undefined {
    if (this.#used >= this.#allowed(size)) {
      if (size > SMALLEST_PART || !this.#shared.take()) return undefined;
      this.#borrowed++;
    }
    this.#used++;
    const known = this.#free.pop();
    if (known?.length === size) return known;
    this.#free = [];
    return Buffer.allocUnsafeSlow(size);
  }

  giveBack(buffer: Buffer): void {
    this.#used--;
    this.#free.push(buffer);
  }

  /** The upload has ended, and with it the use of every buffer. */
  close(): void {
    this.#shared.giveBack(this.#borrowed);
    this.#borrowed = 0;
    this.#free = [];
  }

  #allowed(size: number): number {
    if (size > LARGE) return 1;
    return size > SMALLEST_PART ? OWN : OWN + this.#borrowed;
  }
}
