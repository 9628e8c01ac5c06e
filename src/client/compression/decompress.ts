/** Decompression of whatever zstd writes: frames one after the other, with anything skippable between them. */
import zlib from 'node:zlib';
import { failure } from '../failure.ts';
import { FrameReader, type Part } from './frames.ts';
import { readMark } from './marks.ts';

/** Size of the pieces that come out. */
const PIECE_BYTES = 256 * 1024;
const WINDOW_LOG = 27;
/** A frame without content: Node's decompressor takes a stream without any frame for one that was cut. */
const EMPTY_FRAME = Buffer.from('28b52ffd2000010000', 'hex');

/**
 * The content decompressed; ends without an error only if the last frame was complete, every checksum was right, and what `compress`
 * made has all the content that its end mark says. Takes little memory even if a few bytes become very many: at most the window of
 * the frame, which is at most 1 MiB in our own and at most 128 MiB in those of others.
 *
 * @throws {UserError} `damaged`; `unsupported` if a frame needs a dictionary or a larger window; what the source throws.
 */
export async function* decompress(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = zlib.createZstdDecompress({
    chunkSize: PIECE_BYTES,
    params: { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
  });
  const feeder = new Feeder(stream);
  const fed = feeder.feed(source).catch((error) => {
    stream.destroy(error);
  });
  try {
    yield* stream as AsyncIterable<Buffer>;
    // Node ends its stream when zstd is done with a frame before we are.
    if (!feeder.ended) throw failure('damaged', 'the compressed content is damaged: more follows its end');
  } catch (error) {
    throw isZlibError(error) ? damaged(error) : error;
  } finally {
    stream.destroy();
    // Until the source has cleaned up; but not for a source that is silent, which ends by its own timeout.
    if (!feeder.waiting) await fed;
  }
}

/** Gives a decompressor one frame after the other, and checks the marks around them. */
class Feeder {
  /** While the source is asked for more. */
  waiting = true;
  /** The source ended, and well. */
  ended = false;
  readonly #stream: zlib.ZstdDecompress;
  readonly #frames = new FrameReader();
  /** Within marks of ours: how much content the frames since the first say to have. */
  #marked: number | undefined;
  #stop: (error: Error) => void = () => {};

  constructor(stream: zlib.ZstdDecompress) {
    this.#stream = stream;
    stream.once('close', () => this.#stop(new Error('the decompression was stopped')));
  }

  async feed(source: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of source) {
      this.waiting = false;
      for (const part of this.#frames.read(chunk)) await this.#take(part);
      this.waiting = true;
    }
    this.waiting = false;
    this.#frames.end();
    if (this.#marked !== undefined)
      throw failure('damaged', 'the compressed content ends too early: its end mark is missing');
    await this.#write(EMPTY_FRAME);
    this.ended = true;
    this.#stream.end();
  }

  async #take(part: Part): Promise<void> {
    if (part.kind === 'skippable') {
      this.#mark(part);
      return;
    }
    if (part.kind === 'header') {
      // Ours always say their length: without it the sum is no number, and never right.
      if (this.#marked !== undefined) this.#marked += part.contentBytes ?? Number.NaN;
    }
    await this.#write(part.bytes);
  }

  #mark({ magic, text }: Part & { kind: 'skippable' }): void {
    const mark = readMark(magic, text);
    if (mark === undefined) return;
    if (mark === 'start') {
      if (this.#marked !== undefined)
        throw failure('damaged', 'the compressed content ends too early, and then begins anew');
      this.#marked = 0;
      return;
    }
    if (this.#marked !== mark.bytes)
      throw failure(
        'damaged',
        `parts of the compressed content are missing: its end says ${mark.bytes} bytes`,
      );
    this.#marked = undefined;
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
  return typeof code === 'string' && /^(?:ZSTD_error_|Z_)/.test(code);
}

function damaged(error: Error): Error {
  return failure(
    'damaged',
    `the compressed content is damaged: ${error.message.toLowerCase()}`,
    undefined,
    error,
  );
}
