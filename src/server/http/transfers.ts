/** Uploads and downloads under way: what a stopping server waits for, and in the end breaks off. */

export class Transfers {
  readonly #running = new Set<AbortController>();
  #stopping: unknown;
  /** The server is stopping: nothing new may begin, and what is running may end. */
  closing = false;

  get count(): number {
    return this.#running.size;
  }

  /** Notes a transfer. Its signal aborts if the server cannot wait any longer. Call `end` in any case. */
  begin(): { abort: AbortController; end: () => void } {
    const abort = new AbortController();
    if (this.#stopping !== undefined) abort.abort(this.#stopping);
    this.#running.add(abort);
    return { abort, end: () => this.#running.delete(abort) };
  }

  /** Breaks off everything that is still running, for this reason. */
  abortAll(reason: unknown): void {
    this.#stopping = reason;
    for (const abort of this.#running) abort.abort(reason);
  }
}
