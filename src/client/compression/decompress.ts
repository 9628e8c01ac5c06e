/** Decompression of whatever zstd writes: frames one after the other, with anything skippable between them. */
import zlib from 'node:zlib';
import { failure } from '../failure.ts';
import { type Part, partsOf } from './frames.ts';
import { MarkedLength } from './marked-length.ts';
import { decompressSmall } from './small-frames.ts';

/** Size of the pieces that come out. */
const PIECE_BYTES = 256 * 1024;
const WINDOW_LOG = 27;
/** A frame without content: Node's decompressor takes a stream without any frame for one that was cut. */
const EMPTY_FRAME = Buffer.from('28b52ffd2000010000', 'hex');

/**
 * The content decompressed; ends without an error only if the last frame was complete, every checksum was right, and what `compress`
 * made has all the content that its end mark says. Takes little memory even if a few bytes become very many: some MiB for our own
 * frames, and at most the window of the frame for those of others, which is at most 128 MiB.
 *
 * @throws {UserError} `damaged`; `unsupported` if a frame needs a dictionary or a larger window; what the source throws.
 */
export async function* decompress(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const parts = partsOf(source);
  const marked = new MarkedLength();
  let waiting = false;
  try {
    const small = decompressSmall(watched(parts), marked);
    const large = yield* small;
    if (large.length > 0) yield* decompressLarge(large, watched(parts), marked);
    else marked.end();
  } catch (error) {
    throw isZlibError(error) ? damaged(error) : error;
  } finally {
    // Until the source has cleaned up; but not for a source that is silent, which ends by its own timeout.
    const stopped = parts.return(undefined);
    if (waiting) stopped.catch(() => {});
    else await stopped;
  }

  /** Notes while the source is asked for more. */
  function watched(iterator: AsyncIterator<Part>): AsyncIterableIterator<Part> {
    return {
      next: async () => {
        waiting = true;
        const result = await iterator.next();
        waiting = false;
        return result;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** One long stream, for frames of any size: those begun with, and all that follow. */
async function* decompressLarge(
  begun: readonly Part[],
  rest: AsyncIterable<Part>,
  marked: MarkedLength,
): AsyncGenerator<Buffer> {
  const stream = zlib.createZstdDecompress({
    chunkSize: PIECE_BYTES,
    params: { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
  });
  const feeder = new Feeder(stream, marked);
  feeder.feed(begun, rest).catch((error) => {
    stream.destroy(error);
  });
  try {
    yield* stream as AsyncIterable<Buffer>;
    // Node ends its stream when zstd is done with a frame before we are.
    if (!feeder.ended) throw failure('damaged', 'the compressed content is damaged: more follows its end');
  } finally {
    stream.destroy();
  }
}

/** Gives a decompressor one frame after the other. */
class Feeder {
  /** The parts ended, and well. */
  ended = false;
  readonly #stream: zlib.ZstdDecompress;
  readonly #marked: MarkedLength;
  #stop: (error: Error) => void = () => {};

  constructor(stream: zlib.ZstdDecompress, marked: MarkedLength) {
    this.#stream = stream;
    this.#marked = marked;
    stream.once('close', () => this.#stop(new Error('the decompression was stopped')));
  }

  async feed(begun: readonly Part[], rest: AsyncIterable<Part>): Promise<void> {
    for (const part of begun) await this.#take(part);
    for await (const part of rest) await this.#take(part);
    this.#marked.end();
    await this.#write(EMPTY_FRAME);
    this.ended = true;
    this.#stream.end();
  }

  async #take(part: Part): Promise<void> {
    if (part.kind === 'skippable') {
      this.#marked.skippable(part);
      return;
    }
    if (part.kind === 'header') this.#marked.frame(part.contentBytes);
    await this.#write(part.bytes);
  }

  /** Resolves once the bytes are decompressed and there is room for more; never hangs on a stream that was closed. */
  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stop = reject;
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function isZlibError(error: unknown): error is Error {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(?:ZSTD_error_|Z_|ERR_BUFFER_TOO_LARGE$)/.test(code);
}

function damaged(error: Error): Error {
  return failure(
    'damaged',
    `the compressed content is damaged: ${error.message.toLowerCase()}`,
    undefined,
    error,
  );
}
