/** Content in pieces of a size that is worth a write. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Smaller pieces are put together: each write costs a system call and the frame of a chunk. */
export const WRITE_BYTES = 64 * 1024;
/** A source that pauses for longer gets what it gave until then sent, so that the server sees that it goes on. */
const BREATH_MS = 250;
/** Most time for a source to clean up that is not wanted any more. */
const STOP_MS = 5000;

export class ContentReader {
  readonly #iterator: AsyncIterator<Buffer>;
  #next: Promise<IteratorResult<Buffer>> | undefined;
  /** Copies of small pieces, or one piece as it came. */
  #pieces: Buffer[] = [];
  #size = 0;
  #ended = false;

  constructor(content: AsyncIterable<Buffer>) {
    this.#iterator = content[Symbol.asyncIterator]();
  }

  /** The next piece, never empty; undefined at the end. It may be written to again when the next is asked for. @throws what the content throws */
  async read(): Promise<Buffer | undefined> {
    // One timer for a piece that is put together, however many small ones it is made of.
    let timer: NodeJS.Timeout | undefined;
    let breath: Promise<undefined> | undefined;
    try {
      while (!this.#ended && !this.#isEnough()) {
        this.#next ??= this.#iterator.next();
        if (this.#size > 0) {
          breath ??= new Promise((resolve) => {
            timer = setTimeout(resolve, BREATH_MS, undefined);
          });
        }
        const result = await (breath ? Promise.race([this.#next, breath]) : this.#next);
        if (result === undefined) break;
        this.#next = undefined;
        if (result.done) {
          this.#ended = true;
        } else if (result.value.length > 0) {
          this.#size += result.value.length;
          // What is not given out now will be written to again.
          this.#pieces.push(this.#isEnough(1) ? result.value : Buffer.from(result.value));
        }
      }
    } catch (error) {
      this.#ended = true;
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return this.#take();
  }

  /**
   * Tells the source that no more is wanted, and waits for it to clean up. A generator that is in the middle of its own waiting
   * cannot hear that before it is through, so this ends after some seconds at the latest. Never throws.
   */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#next?.catch(() => {});
    const returned = this.#iterator.return?.().then(
      () => {},
      () => {},
    );
    const done = new AbortController();
    const late = sleep(STOP_MS, undefined, { signal: done.signal }).catch(() => {});
    await Promise.race([returned, late]);
    done.abort();
  }

  /** Copying is only worth it for pieces that are small. */
  #isEnough(more = 0): boolean {
    return this.#size >= (this.#pieces.length + more === 1 ? WRITE_BYTES / 2 : WRITE_BYTES);
  }

  #take(): Buffer | undefined {
    const [first] = this.#pieces;
    if (first === undefined) return undefined;
    const taken = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    this.#size = 0;
    return taken;
  }
}
