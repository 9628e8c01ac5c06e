/** Reading an upload in pieces that are worth writing. */
import type { Readable } from 'node:stream';
import { StorageError } from './storage.ts';

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

/** Enough for one write; less only at the end. */
const LEAST = 256 * 1024;
/** The source is paused at this many bytes that wait to be written. */
const MOST = 1024 * 1024;
/** What a piece costs beside its bytes, so that a client that sends single bytes cannot fill the memory. */
const OVERHEAD = 256;

/**
 * Yields everything that the source gives, in batches of pieces; while one batch is being written the next is read.
 *
 * Throws `SourceFailed` if the source fails or ends before its time, and `StorageError` as soon as the signal aborts,
 * even if the source is silent. Never destroys the source: whoever owns it may want to answer its
 * sender. Leaves it paused, with a listener for errors, so that a late one is not uncaught.
 */
export function batches(source: Readable, signal: AbortSignal): AsyncIterable<Buffer[]> {
  // At once, not when the first batch is asked for.
  source.on('error', () => {});
  return read(source, signal);
}

async function* read(source: Readable, signal: AbortSignal): AsyncGenerator<Buffer[]> {
  let held: Buffer[] = [];
  let weight = 0;
  let wake = () => {};
  const notify = () => wake();
  const take = (chunk: Buffer | string) => {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    held.push(piece);
    weight += piece.length + OVERHEAD;
    if (weight >= MOST) source.pause();
    if (weight >= LEAST) wake();
  };

  source.on('error', notify);
  source.on('end', notify);
  source.on('close', notify);
  signal.addEventListener('abort', notify);
  try {
    source.on('data', take);
    for (;;) {
      if (signal.aborted) throw new StorageError('the upload was cancelled', { cause: signal.reason });
      if (source.errored) throw new SourceFailed(source.errored);
      const ended = source.readableEnded;
      if (weight >= LEAST || (ended && held.length > 0)) {
        const batch = held;
        held = [];
        weight = 0;
        if (!ended) source.resume();
        yield batch;
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
    source.off('error', notify);
    source.off('end', notify);
    source.off('close', notify);
    source.pause();
  }
}

/** As Node.js itself reports it elsewhere. */
function prematureEnd(): Error {
  return Object.assign(new Error('the upload ended before its time'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}
