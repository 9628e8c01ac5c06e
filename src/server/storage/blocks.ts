/** Reading an upload in blocks that are worth writing. */
import type { Readable } from 'node:stream';
import { StorageError } from './storage.ts';

/** A block holds at most so many bytes, and except for the last at least so many. */
const MOST = 512 * 1024;
const LEAST = 128 * 1024;

/** It was not the storage that failed. */
export class SourceFailed extends Error {
  override readonly name = 'SourceFailed';
  /** What happened to the source. */
  readonly reason: Error;

  constructor(reason: Error) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}

/**
 * Yields everything that the source gives, in blocks; while one is being written the next is filled. A block is good
 * until the next one is asked for: its memory is used again. Copying costs little beside that: pieces that wait to be
 * written would outlive the cheap collections of garbage, and a client that sends single bytes would fill the memory.
 *
 * Throws `SourceFailed` if the source fails or ends before its time, and `StorageError` as soon as the signal aborts,
 * even if the source is silent. Never destroys the source: whoever owns it may want to answer its sender. Leaves it
 * paused, with a listener for errors, so that a late one is not uncaught.
 */
export function blocks(source: Readable, signal: AbortSignal): AsyncIterable<Buffer> {
  // At once, not when the first block is asked for.
  source.on('error', () => {});
  return read(source, signal);
}

async function* read(source: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const block = new Block(source);
  let wake = () => {};
  const notify = () => wake();
  const take = (chunk: Buffer | string) => {
    block.add(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    if (block.length >= LEAST) wake();
  };

  for (const event of ['error', 'end', 'close']) source.on(event, notify);
  signal.addEventListener('abort', notify);
  try {
    source.on('data', take);
    for (;;) {
      if (signal.aborted) throw new StorageError('the upload was cancelled', { cause: signal.reason });
      if (source.errored) throw new SourceFailed(source.errored);
      const ended = source.readableEnded;
      if (block.length >= LEAST || (ended && block.length > 0)) {
        yield block.swap();
      } else if (ended) {
        return;
      } else if (source.destroyed) {
        throw new SourceFailed(prematureEnd());
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', notify);
    source.off('data', take);
    for (const event of ['error', 'end', 'close']) source.off(event, notify);
    source.pause();
  }
}

/** Two buffers, one filled and one in use. Pauses the source while there is no room. */
class Block {
  readonly #source: Readable;
  #filling = Buffer.allocUnsafeSlow(MOST);
  #other = Buffer.allocUnsafeSlow(MOST);
  #rest: Buffer[] = [];
  length = 0;

  constructor(source: Readable) {
    this.#source = source;
  }

  add(piece: Buffer): void {
    const copied = piece.copy(this.#filling, this.length);
    this.length += copied;
    if (copied < piece.length) this.#rest.push(piece.subarray(copied));
    if (this.length === MOST) this.#source.pause();
  }

  /** What was filled; fills the other buffer from now on. */
  swap(): Buffer {
    const full = this.#filling.subarray(0, this.length);
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.length = 0;
    const rest = this.#rest;
    this.#rest = [];
    for (const piece of rest) this.add(piece);
    if (this.length < MOST) this.#source.resume();
    return full;
  }
}

/** As Node.js itself reports it elsewhere. */
function prematureEnd(): Error {
  return Object.assign(new Error('the upload ended before its time'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}
