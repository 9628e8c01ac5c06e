/** Bytes that are pulled, so that every layer of a message reads exactly what it needs and nothing runs ahead of its consumer. */
import { damaged } from './damaged.ts';

/** How much is worked on at once. Large enough for the ciphers to run at full speed, small enough for the processor's cache. */
export const BLOCK_BYTES = 256 * 1024;

export interface Bytes {
  /** Puts at least one byte into the target, and at most as many as fit; 0 at the end. The target is not empty. */
  read(target: Buffer): Promise<number>;
}

/** Chunks of any size as {@link Bytes}. A failure of the source comes through as it is. */
export class SourceBytes implements Bytes {
  readonly #source: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async read(target: Buffer): Promise<number> {
    if (this.#chunk.length === 0 && !(await this.#next())) return 0;
    const length = this.#chunk.copy(target);
    this.#chunk = this.#chunk.subarray(length);
    return length;
  }

  /** What is left of the current chunk, or the next one; undefined at the end. */
  async take(): Promise<Buffer | undefined> {
    if (this.#chunk.length === 0 && !(await this.#next())) return undefined;
    const chunk = this.#chunk;
    this.#chunk = chunk.subarray(chunk.length);
    return chunk;
  }

  /** The next byte, which is not taken; undefined at the end. */
  async peek(): Promise<number | undefined> {
    if (this.#chunk.length === 0) await this.#next();
    return this.#chunk[0];
  }

  /** Tells the source that no more is wanted, unless it has ended or failed by itself. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#source.return?.();
  }

  async #next(): Promise<boolean> {
    while (!this.#ended && this.#chunk.length === 0) {
      // While it is asked, and if that fails, there is nothing to close.
      this.#ended = true;
      const { done, value } = await this.#source.next();
      if (done) break;
      this.#ended = false;
      this.#chunk = value;
    }
    return this.#chunk.length > 0;
  }
}

/** Fills the target, or as much of it as there is; returns how much. */
export async function fill(bytes: Bytes, target: Buffer): Promise<number> {
  let length = 0;
  while (length < target.length) {
    const read = await bytes.read(length === 0 ? target : target.subarray(length));
    if (read === 0) break;
    length += read;
  }
  return length;
}

/** @throws {CryptoError} `damaged` if there are fewer. */
export async function exactly(bytes: Bytes, length: number): Promise<Buffer> {
  const target = Buffer.alloc(length);
  if ((await fill(bytes, target)) < length) throw damaged();
  return target;
}

/** Reads to the end and throws away. */
export async function drain(bytes: Bytes): Promise<void> {
  const waste = Buffer.allocUnsafe(8192);
  while ((await bytes.read(waste)) > 0);
}
