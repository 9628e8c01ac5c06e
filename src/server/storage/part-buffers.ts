/** The memory that uploads to S3 share. */
import { SMALLEST_PART } from './part-sizes.ts';

/**
 * Lent to uploads beyond the one buffer that each may always have. An upload that is alone can then have several parts
 * under way, and is not slowed by S3's latency; when there are many, they fill each other's waits.
 */
const SHARED_BYTES = 2 * SMALLEST_PART;
/** Buffers kept for the next who needs one: fresh ones would be memory that nobody has collected yet. */
const KEPT = 3;

/** What all uploads of a server share. */
export class SharedMemory {
  #left = SHARED_BYTES;
  readonly #kept: Buffer[] = [];

  borrow(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }

  allocate(bytes: number): Buffer {
    const kept = bytes === SMALLEST_PART ? this.#kept.pop() : undefined;
    return kept ?? Buffer.allocUnsafeSlow(bytes);
  }

  free(buffer: Buffer): void {
    if (buffer.length === SMALLEST_PART && this.#kept.length < KEPT) this.#kept.push(buffer);
  }
}

/** The buffers of one upload. Every one that was taken must be given back. */
export class PartBuffers {
  readonly #shared: SharedMemory;
  readonly #borrowed = new Set<Buffer>();
  /** The own one of a large part, for the next: what nobody has collected yet would be as much memory again. */
  #own: Buffer | undefined;
  #ownUsed = false;

  constructor(shared: SharedMemory) {
    this.#shared = shared;
  }

  /** A buffer of the size, or undefined if the upload must first give one back. */
  take(bytes: number): Buffer | undefined {
    if (!this.#ownUsed) {
      this.#ownUsed = true;
      const own = this.#own;
      this.#own = undefined;
      return own?.length === bytes ? own : this.#shared.allocate(bytes);
    }
    if (!this.#shared.borrow(bytes)) return undefined;
    const buffer = this.#shared.allocate(bytes);
    this.#borrowed.add(buffer);
    return buffer;
  }

  giveBack(buffer: Buffer): void {
    if (this.#borrowed.delete(buffer)) this.#shared.giveBack(buffer.length);
    else {
      this.#ownUsed = false;
      if (buffer.length > SMALLEST_PART) this.#own = buffer;
    }
    this.#shared.free(buffer);
  }
}
