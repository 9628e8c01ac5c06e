/** A stream of node:zlib that is given one thing after the other, each as a whole. */
import type zlib from 'node:zlib';

/** What a turn may come to: `error` as soon as it is more than so many bytes. */
export interface TurnLimit {
  bytes: number;
  error: () => Error;
}

/**
 * Used again for every turn. A stream for each would hold its buffers until V8 looks at all of its heap, which took an eighth of the
 * time of a restore.
 */
export class Turns {
  readonly #stream: zlib.ZstdCompress | zlib.ZstdDecompress;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #limit: TurnLimit | undefined;
  #fail: (error: Error) => void = () => {};

  constructor(stream: zlib.ZstdCompress | zlib.ZstdDecompress) {
    this.#stream = stream;
    stream.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      if (this.#limit && this.#bytes > this.#limit.bytes) stream.destroy(this.#limit.error());
    });
    stream.on('error', (error) => this.#fail(error));
    stream.on('close', () => this.#fail(new Error('the stream was closed')));
  }

  /** All that the input comes to; one turn at a time. @throws what zlib throws, or the limit's error; then there is no other turn. */
  take(input: Buffer, limit?: TurnLimit): Promise<Buffer[]> {
    this.#bytes = 0;
    this.#limit = limit;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#stream.write(input, (error) => {
        if (error) return reject(error);
        // Hands out, as `data` too, what may still lie in the stream's own queue.
        while (this.#stream.read() !== null);
        const pieces = this.#pieces;
        this.#pieces = [];
        resolve(pieces);
      });
    });
  }

  close(): void {
    this.#stream.destroy();
  }
}
