/** Bringing a file to stable storage while it is still being written, so that its end is not a long wait. */
import type { FileHandle } from 'node:fs/promises';

/** Written between two flushes. */
const STRIDE = 32 * 1024 * 1024;

/**
 * The flushes of one storage. Only one goes on in the background at a time: each takes one of the few threads that
 * Node.js has for files, and the others are needed for writing.
 */
export class Flushers {
  busy = false;

  of(file: FileHandle): Flusher {
    return new Flusher(file, this);
  }
}

export class Flusher {
  readonly #file: FileHandle;
  readonly #all: Flushers;
  #waiting = 0;
  #running: Promise<void> | undefined;
  /** Kept, because the system reports a failed write only once. */
  #failure: unknown;

  constructor(file: FileHandle, all: Flushers) {
    this.#file = file;
    this.#all = all;
  }

  /** Notes that so many bytes were written; throws if earlier ones could not be flushed. */
  wrote(bytes: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting += bytes;
    if (this.#waiting < STRIDE || this.#all.busy) return;
    this.#waiting = 0;
    this.#all.busy = true;
    this.#running = this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#all.busy = false;
      this.#running = undefined;
    }
  }

  /** Resolves once everything written is on stable storage; throws if it cannot be. */
  async finish(): Promise<void> {
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure;
    await this.#file.datasync();
  }

  /** Resolves once the file is not in use any more and can be closed. */
  async settle(): Promise<void> {
    await this.#running;
  }
}
