/** One small frame after the other, decompressed in Node's thread pool. */
import zlib from 'node:zlib';
import { failure } from '../failure.ts';

/** Room behind the content, so that the decompressor sees in one go that nothing follows. */
const SPARE_BYTES = 64;

/**
 * A decompressor of node:zlib that is used for one frame after the other. One for each frame, as `zstdDecompress` makes it, holds
 * its buffers until V8 looks at all of its heap, which took an eighth of the time of a restore.
 */
export class Decompressor {
  readonly #mostBytes: number;
  #stream: zlib.ZstdDecompress | undefined;
  #pieces: Buffer[] = [];
  /** So many bytes may still come. */
  #left = 0;
  #fail: (error: Error) => void = () => {};

  /** @param mostBytes - content of a frame. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** One frame at a time. @throws what zlib throws; {UserError} `damaged` if there is more than so much content. */
  decompress(frame: Buffer, content: number): Promise<readonly Buffer[]> {
    this.#stream ??= this.#open();
    const stream = this.#stream;
    this.#left = content;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      stream.write(frame, (error) => {
        if (error) return reject(error);
        // Hands out, as `data` too, what may still lie in the stream's own queue.
        while (stream.read() !== null);
        const pieces = this.#pieces;
        this.#pieces = [];
        if (this.#left === 0) resolve(pieces);
        else reject(failure('damaged', 'the compressed content is damaged: a frame is shorter than it says'));
      });
    });
  }

  close(): void {
    this.#stream?.destroy();
  }

  /** Not before it is needed: older releases of Node.js, which can do all but this, do not have it. */
  #open(): zlib.ZstdDecompress {
    const stream = zlib.createZstdDecompress({ chunkSize: this.#mostBytes + SPARE_BYTES });
    stream.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#left -= piece.length;
      // zstd holds a frame to what it says only at its end; until then, it would fill all memory.
      if (this.#left < 0)
        stream.destroy(
          failure('damaged', 'the compressed content is damaged: a frame is longer than it says'),
        );
    });
    stream.on('error', (error) => this.#fail(error));
    stream.on('close', () => this.#fail(new Error('the decompression was stopped')));
    return stream;
  }
}
