/** The command whose standard input is the backup. */
import { UserError } from '../../api/problem.ts';
import { CommandGroup, type Told } from './command-group.ts';
import { COUNTED_BYTES } from './guard-scripts.ts';
import type { CommandOptions } from './options.ts';
import { cannotCopy, cannotCount, failedWith, signalOf, stoppedReading, tooLate } from './outcome.ts';

/** What a shell tells of a program that wrote where nobody reads. */
const SIGPIPE = 141;
/**
 * So many bytes of the content's end are held back until it has ended without an error: `pg_restore` knows by itself where its data ends,
 * and commits there, without waiting for the end of its input. A few bytes would not do for scripts that say COMMIT before a last comment.
 */
const HELD_BYTES = 64 * 1024;

/**
 * Feeds the content to the command and resolves once the command exited with 0. **Its standard input ends only after the content
 * has ended without an error**, and the last 64 KiB of the content come to it no sooner. When the content fails, the time is over, or
 * this process dies in whatever way, the command's whole process group is killed and never sees the end of its input, so that a load
 * in one transaction rolls back.
 *
 * @throws {UserError} `command-failed` (also if it did not read everything, except for NULs at the end: `tar` does not read its padding),
 *   `command-timeout`, the signal's reason, or what the content threw. If it is ended from outside after the end of the content, an error
 *   with the reason's code says that the load may have taken effect.
 */
export async function load(content: AsyncIterable<Buffer>, options: CommandOptions): Promise<void> {
  const group = await CommandGroup.start('load', options);
  const { told } = group;
  const feed = new Feed(content, group);
  let complete = false;
  let verdict: UserError | undefined;
  try {
    // Exit code 0 does not stop the feeding: a loader that knows where its data ends may leave before the content was verified.
    const failed = group.until(() => (told.exit ?? 0) !== 0 || (told.copied ?? 0) !== 0);
    complete = await Promise.race([feed.run().then(() => true), failed.then(() => false)]);
    group.tell(complete ? 'complete' : 'unread');
    await group.until(() => told.over !== undefined || (told.exit ?? 0) !== 0 || !mayGoOn(told));
    verdict = judge(told, complete, feed.bytes);
    if (verdict) throw verdict;
    options.signal.throwIfAborted();
  } catch (error) {
    // Only a command that ended by itself says what became of the load.
    const byItself = error === verdict && signalOf(exitCodeOf(told)) === undefined;
    const ended = error instanceof UserError || (options.signal.aborted && error === options.signal.reason);
    throw complete && ended && !byItself ? tooLate(error, options.signal) : error;
  } finally {
    await group.end();
    await feed.stop();
  }
}

/** Why it is no success, if the command has ended by itself or was killed by someone else. */
function judge(told: Told, complete: boolean, bytes: number): UserError | undefined {
  if (!mayGoOn(told)) return cannotCopy('load', told.copied ?? 0);
  const exitCode = exitCodeOf(told);
  if (exitCode !== 0) return failedWith('load', exitCode);
  if (!complete || told.copied !== 0) return stoppedReading(bytes);
  const unread = unreadBytes(told);
  if (Number.isNaN(unread)) return cannotCount();
  return unread > 0 ? stoppedReading(bytes) : undefined;
}

function exitCodeOf({ exit, over }: Told): number {
  return exit ?? over ?? 0;
}

/** False if what feeds the command has itself failed, and not because the command reads no more. */
function mayGoOn({ copied = 0 }: Told): boolean {
  return copied === 0 || copied === SIGPIPE;
}

/** What the command has left of the content. Up to 64 KiB of NULs count as nothing: they are padding. NaN if it could not be counted. */
function unreadBytes({ left = Number.NaN, nuls = Number.NaN }: Told): number {
  const bytes = left - 1;
  if (!(bytes >= 0)) return Number.NaN;
  return bytes > COUNTED_BYTES ? bytes : bytes - nuls;
}

/** Moves the content to the guard. */
class Feed {
  /** Taken by the kernel so far. */
  get bytes(): number {
    return this.#written - this.#group.input.writableLength;
  }

  readonly #content: AsyncIterable<Buffer>;
  readonly #group: CommandGroup;
  readonly #stopped = new AbortController();
  #written = 0;
  /** Resolves when the kernel has taken the last piece. */
  #taken: Promise<void> = Promise.resolve();
  #reading = false;
  #running: Promise<void> = Promise.resolve();

  constructor(content: AsyncIterable<Buffer>, group: CommandGroup) {
    this.#content = content;
    this.#group = group;
  }

  /** Resolves once the content has ended without an error and the kernel has all of it. @throws what the content throws. */
  run(): Promise<void> {
    this.#running = this.#run();
    return this.#running;
  }

  /** Lets go of the content. What it is still waiting for is left to it: its owner aborts it with the same signal. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    const settled = this.#running.catch(() => {});
    if (!this.#reading) await settled;
  }

  async #run(): Promise<void> {
    const held = new Held();
    this.#reading = true;
    for await (const chunk of this.#content) {
      this.#reading = false;
      for (const free of held.push(chunk)) await this.#write(free);
      if (this.#stopped.signal.aborted) return;
      this.#reading = true;
    }
    this.#reading = false;
    for (const last of held.rest()) await this.#write(last);
    if (!this.#stopped.signal.aborted) await this.#end();
  }

  /** Resolves when the kernel has taken what was written before: while it takes this, the next can be made. */
  async #write(chunk: Buffer): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#written += chunk.length;
    const before = this.#taken;
    this.#taken = this.#settled((done) => this.#group.input.write(chunk, done));
    await before;
  }

  /** Resolves once the kernel has everything, and the end. */
  #end(): Promise<void> {
    return this.#settled((done) => this.#group.input.end(done));
  }

  /**
   * Resolves when it is done, or when all is stopped. An error of the socket means that the group has died, which the group itself
   * explains better: what is left is to wait for `stop`.
   */
  #settled(work: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stopped;
      const stop = () => resolve();
      signal.addEventListener('abort', stop, { once: true });
      work((error) => {
        if (error) return;
        signal.removeEventListener('abort', stop);
        resolve();
      });
    });
  }
}

/** The last bytes of what was pushed, in whole chunks: at least {@link HELD_BYTES}, if there are as many. */
class Held {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** @returns what is not among the last any more. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    let free = 0;
    for (const { length } of this.#chunks) {
      if (this.#bytes - length < HELD_BYTES) break;
      this.#bytes -= length;
      free++;
    }
    return this.#chunks.splice(0, free);
  }

  rest(): Buffer[] {
    return this.#chunks;
  }
}
