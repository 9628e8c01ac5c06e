/**
 * Where the stored bytes are. One interface, two engines: a folder, and S3.
 *
 * An object is either complete and durable or not there: `put` makes it visible only after everything was written and
 * flushed to stable storage.
 */
import type { Readable } from 'node:stream';

export interface ObjectStorage {
  /** Memory that an upload takes while it is under way, as long as it is not a very long one. Bytes. */
  readonly uploadBytes: number;

  /**
   * Stores the stream under a new key, and resolves once it is durable and visible; resolves to its length in bytes.
   * If the source fails, the signal aborts or the storage fails, nothing is left visible, leftovers are removed as far
   * as possible, and it rejects: with the source's own error if that failed, else with `StorageError`.
   * The source is read with backpressure; memory does not grow with its length, which need not be known (on S3 it
   * does with very long ones, see `part-sizes.ts`: the less, the more of the options were given).
   *
   * The source is never destroyed: after a failure it is paused, and whoever owns it can still answer its sender.
   * Throws `StorageError` for a key that is taken, or is none: parts divided by `/` that do not begin with a dot, at
   * most 900 bytes.
   */
  put(key: string, source: Readable, options: PutOptions): Promise<number>;

  /**
   * The bytes of an object, or of a range of it (`end` inclusive; one beyond the object's end is cut). Throws
   * `ObjectNotFound`, or `RangeError` if the range begins after the end. Destroy the stream if it is not read to its
   * end. It fails when the signal aborts.
   */
  get(
    key: string,
    options: { range?: { start: number; end: number }; signal: AbortSignal },
  ): Promise<Readable>;

  /** Length in bytes, or undefined if there is no such object. */
  size(key: string): Promise<number | undefined>;

  /** Removes an object; does nothing if it is not there. */
  remove(key: string): Promise<void>;

  /** Keys of all objects, in no order, with the time each was written (milliseconds since the epoch). */
  list(): AsyncIterable<{ key: string; writtenAt: number }>;

  /** Removes what interrupted uploads left behind that are older than the time. Returns how many. */
  sweep(before: number): Promise<number>;

  /** Throws `StorageError` if an object cannot be written and read at present. */
  check(timeoutMs: number): Promise<void>;

  close(): Promise<void>;
}

export interface PutOptions {
  /** Ends the upload. */
  signal: AbortSignal;
  /** Length of the source if somebody has said it; it may be wrong, but not less than half of the truth. */
  expectedBytes?: number;
  /** Most bytes that the source may have: it fails if it has more. */
  mostBytes?: number;
}

/** The storage failed. `full` if there is no room. The message names no credential. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly full: boolean;

  constructor(message: string, options: ErrorOptions & { full?: boolean } = {}) {
    super(message, options);
    this.full = options.full ?? false;
  }
}

export class ObjectNotFound extends Error {
  override readonly name = 'ObjectNotFound';
}
