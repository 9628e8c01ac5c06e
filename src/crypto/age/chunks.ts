/** Cuts a stream into chunks of one size. */

/**
 * A chunk is given out only when a byte after it has been seen, because the last one is sealed differently even if it is full.
 * Chunks are views into the pieces where possible, so whoever gives a piece must not write to it again; only what spans pieces
 * is copied.
 */
export class ChunkSplitter {
  readonly #size: number;
  /** A full chunk that may be the last. */
  #full: Buffer | undefined;
  /** The beginning of the next one. */
  #partial: Buffer | undefined;
  #filled = 0;

  /** @param size - bytes of each chunk but the last. */
  constructor(size: number) {
    this.#size = size;
  }

  /** The chunks that are complete now and not the last. */
  push(piece: Buffer): Buffer[] {
    if (piece.length === 0) return [];
    const ready: Buffer[] = this.#full ? [this.#full] : [];
    this.#full = undefined;
    let at = this.#filled > 0 ? this.#store(piece) : 0;
    while (piece.length - at >= this.#size) {
      if (this.#full) ready.push(this.#full);
      this.#full = piece.subarray(at, at + this.#size);
      at += this.#size;
    }
    if (at < piece.length) {
      if (this.#full) ready.push(this.#full);
      this.#full = undefined;
      this.#store(piece.subarray(at));
    }
    return ready;
  }

  /** The last chunk, empty if there never was a byte. Call it once, after everything was pushed. */
  last(): Buffer {
    return this.#full ?? this.#partial?.subarray(0, this.#filled) ?? Buffer.alloc(0);
  }

  /** Copies as much as the chunk in progress takes; gives back how much that was. */
  #store(piece: Buffer): number {
    // A new one each time: the previous one may be in somebody's hands.
    this.#partial ??= Buffer.allocUnsafeSlow(this.#size);
    const copied = piece.copy(this.#partial, this.#filled);
    this.#filled += copied;
    if (this.#filled === this.#size) {
      this.#full = this.#partial;
      this.#partial = undefined;
      this.#filled = 0;
    }
    return copied;
  }
}
