/** Cuts a stream into chunks of one size. */

/**
 * A chunk is given out only when a byte after it has been seen, because the last one is sealed differently even if it is full.
 * Chunks are views into the piece where possible, and good until the next is pushed; what is kept for later is copied, so that
 * the piece may be written to again by then.
 */
export class ChunkSplitter {
  readonly #size: number;
  /** The beginning of the next chunk, or a full one that may be the last. */
  readonly #kept: Buffer;
  #filled = 0;

  /** @param size - bytes of each chunk but the last. */
  constructor(size: number) {
    this.#size = size;
    this.#kept = Buffer.allocUnsafeSlow(size);
  }

  /** How many chunks a piece of so many bytes will complete. */
  ready(bytes: number): number {
    return Math.max(0, Math.ceil((this.#filled + bytes) / this.#size) - 1);
  }

  /** The chunks that are complete now and not the last. */
  *push(piece: Buffer): Generator<Buffer> {
    let at = 0;
    if (this.#filled > 0) {
      at = piece.copy(this.#kept, this.#filled);
      this.#filled += at;
      if (at === piece.length) return;
      yield this.#kept;
      this.#filled = 0;
    }
    for (; piece.length - at > this.#size; at += this.#size) yield piece.subarray(at, at + this.#size);
    this.#filled = piece.copy(this.#kept, 0, at);
  }

  /** The last chunk, empty if there never was a byte. Call it once, after everything was pushed. */
  last(): Buffer {
    return this.#kept.subarray(0, this.#filled);
  }
}
