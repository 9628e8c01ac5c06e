/** One frame at a time, compressed in Node's thread pool; buffers and zstd's tables are used again for the next. */
import zlib from 'node:zlib';
import { looksRandom, storedBytes, storeFrame } from './stored.ts';
import { Turns } from './turns.ts';

/**
 * What the compressor writes to; a frame is a part of it. Where a frame fits for certain, zstd works from and to our memory in one
 * go. Otherwise it copies both ways, and the thread pool is entered once more for each piece.
 */
const OUTPUT_BYTES = 2 * 1024 * 1024;
/** A frame that is less than a hundredth smaller than its content is not worth the time. */
const WORTHWHILE = 0.99;
/** So many frames behind one that was not worth it are stored as they are if they look like it, before it is tried again. */
const STORED_FRAMES = 7;
const QUICK_LEVEL = 1;

/** Is filled, started and finished, in turns. */
export class Lane {
  readonly #level: number;
  readonly #content: Buffer;
  #filled = 0;
  /** By level: that asked for, and level 1 after a frame that did not get smaller. */
  readonly #compressors = new Map<number, Turns>();
  #frame: Promise<Buffer[]> | undefined;
  #worthwhile = true;
  #stored: Buffer | undefined;
  /** Frames that need not be tried. */
  #toStore = 0;

  /** @param frameBytes content of a frame. */
  constructor(level: number, frameBytes: number) {
    this.#level = level;
    this.#content = Buffer.allocUnsafeSlow(frameBytes);
  }

  get full(): boolean {
    return this.#filled === this.#content.length;
  }

  /** Takes what fits of the chunk from `at` on. @returns how many bytes that were. */
  fill(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#content, this.#filled, at);
    this.#filled += taken;
    return taken;
  }

  /** Begins to compress what it was filled with, if that is anything. The content must not be filled until it has finished. */
  start(): void {
    if (this.#filled === 0) return;
    const content = this.#content.subarray(0, this.#filled);
    this.#filled = 0;
    this.#frame = this.#compress(content);
    // It is awaited later, or never if the stream is given up before.
    this.#frame.catch(() => {});
  }

  /** The frame that was begun last, once; nothing if none was. Good until the lane is filled again. */
  async finish(): Promise<Buffer[]> {
    const frame = this.#frame;
    this.#frame = undefined;
    return frame ? await frame : [];
  }

  close(): void {
    for (const turns of this.#compressors.values()) turns.close();
  }

  /**
   * After content that did not get smaller, what looks alike is stored. What does not, or comes after much of that, is tried
   * at level 1, which is a hundred times as fast as 19, until something gets smaller.
   */
  async #compress(content: Buffer): Promise<Buffer[]> {
    if (this.#toStore-- > 0 && looksRandom(content)) {
      this.#stored ??= Buffer.allocUnsafeSlow(storedBytes(this.#content.length));
      return [storeFrame(content, this.#stored)];
    }
    const level = this.#worthwhile ? this.#level : Math.min(this.#level, QUICK_LEVEL);
    const turns = this.#compressors.get(level) ?? compressor(level);
    this.#compressors.set(level, turns);
    const frame = await turns.take(content);
    const bytes = frame.reduce((sum, piece) => sum + piece.length, 0);
    this.#worthwhile = bytes < content.length * WORTHWHILE;
    this.#toStore = this.#worthwhile ? 0 : STORED_FRAMES;
    return frame;
  }
}

/** One that makes one frame of each turn. */
function compressor(level: number): Turns {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag, ZSTD_e_end } = zlib.constants;
  const stream = zlib.createZstdCompress({
    chunkSize: OUTPUT_BYTES,
    // Every write is a frame, whose length zstd knows beforehand: it takes no more memory than such a frame needs.
    flush: ZSTD_e_end,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 },
  });
  return new Turns(stream);
}
