/** One small frame after the other, decompressed in Node's thread pool. */
import zlib from 'node:zlib';
import { failure } from '../failure.ts';
import { Turns } from './turns.ts';

/** Room behind the content, so that the decompressor sees in one go that nothing follows. */
const SPARE_BYTES = 64;

export class Decompressor {
  readonly #mostBytes: number;
  #turns: Turns | undefined;

  /** @param mostBytes - content of a frame. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** One frame at a time. @throws what zlib throws; {UserError} `damaged` if there is more or less than so much content. */
  async decompress(frame: Buffer, content: number): Promise<readonly Buffer[]> {
    // Not before it is needed: older releases of Node.js, which can do all but this, do not have it.
    this.#turns ??= new Turns(zlib.createZstdDecompress({ chunkSize: this.#mostBytes + SPARE_BYTES }));
    // zstd holds a frame to what it says only at its end; until then, it would fill all memory.
    const pieces = await this.#turns.take(frame, { bytes: content, error: () => wrongLength('longer') });
    if (pieces.reduce((sum, { length }) => sum + length, 0) < content) throw wrongLength('shorter');
    return pieces;
  }

  close(): void {
    this.#turns?.close();
  }
}

function wrongLength(how: 'longer' | 'shorter') {
  return failure('damaged', `the compressed content is damaged: a frame is ${how} than it says`);
}
