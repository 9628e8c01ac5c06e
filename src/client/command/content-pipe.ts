/**
 * A real pipe from the command to us. Node.js has no way to make one, and its own "pipes" are sockets, which cannot be opened as
 * /dev/stdout. So a named one is made, opened at both ends, and its name removed.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Shells } from './shells.ts';

/** Large enough that what is done once a block weighs nothing, small enough to stay in a core's cache until it is sealed and sent. */
const BLOCK_BYTES = 256 * 1024;
/** A command that pauses for longer has what it wrote until then passed on. */
const BREATH_MS = 100;
/** Most time that making the name may take; then there is no pipe. */
const MAKE_MS = 10_000;

/**
 * Makes the name, says so, and removes it as soon as its standard input ends: when both ends are open, or when our process has died in
 * whatever way. Arguments: the name, a program for missing tools.
 */
const KEEP_NAME = `
trap '' HUP INT QUIT TERM PIPE
bm_name=$1 bm_tools=$2
bm_tool() { if command -v "$1" >/dev/null 2>&1; then "$@"; else "$bm_tools" "$@"; fi; }
bm_tool mkfifo -m 600 "$bm_name" || exit
echo made
read -r bm_line
bm_tool rm -f "$bm_name"`;

export class ContentPipe {
  /** To be given to a child process; ours is closed by `handOver`. */
  readonly writeEnd: number;
  readonly #socket: Socket;
  #handedOver = false;
  /** Used in turns: one is in the consumer's hands while the other is filled. */
  #filling = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #other = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #filled = 0;
  /** Bytes of the block being filled that were passed on already. */
  #passedOn = 0;
  /** Full blocks that nobody has asked for yet. */
  readonly #full: Buffer[] = [];
  /** The consumer may still look at the block it was given last. */
  #lent = false;
  /** Nothing is read, since the block that comes next is still lent, or full. */
  #paused = false;
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  /** @returns undefined where no named pipe can be made. */
  static async make(shells: Shells, env: NodeJS.ProcessEnv): Promise<ContentPipe | undefined> {
    const path = join(resolve(env.TMPDIR || tmpdir()), `backup-maker-pipe-${randomUUID()}`);
    const [program = '', ...words] = shells.guard;
    const keeper = spawn(program, [...words, KEEP_NAME, 'backup-maker', path, shells.tools], {
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: MAKE_MS,
      killSignal: 'SIGKILL',
    });
    keeper.stdin.on('error', () => {});
    const closed = once(keeper, 'close').catch(() => {});
    try {
      const said = await Promise.race([once(keeper.stdout, 'data'), closed.then(() => [])]);
      if (String(said?.[0] ?? '') !== 'made\n') return undefined;
      // In this order: an end for reading opens without waiting for one to write, and then the other does not wait either.
      const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return new ContentPipe(readEnd, openSync(path, constants.O_WRONLY));
      } catch (error) {
        closeSync(readEnd);
        throw error;
      }
    } catch {
      return undefined;
    } finally {
      keeper.stdin.end();
      await closed;
    }
  }

  private constructor(readEnd: number, writeEnd: number) {
    this.writeEnd = writeEnd;
    this.#socket = new Socket({
      fd: readEnd,
      readable: true,
      writable: false,
      onread: {
        buffer: () => this.#filling.subarray(this.#filled),
        callback: (bytes) => this.#take(bytes),
      },
    });
    this.#socket.once('end', () => this.#end());
    this.#socket.once('error', (error) => this.#end(error));
    this.#socket.once('close', () => this.#end());
  }

  /** Call it once a child has the writing end: the content ends when the last of those who have it closes it. */
  handOver(): void {
    if (!this.#handedOver) closeSync(this.writeEnd);
    this.#handedOver = true;
  }

  /** What is written, until the last writer is gone. **A block is written to again when the next is asked for.** */
  async *blocks(): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.#full.length === 0 && !this.#ended) await this.#news();
      const full = this.#full.shift();
      const block = full ?? this.#rest();
      this.#lent = full !== undefined;
      if (block) yield block;
      else if (this.#error) throw this.#error;
      else if (this.#ended) return;
      if (this.#lent) this.#takeBack();
    }
  }

  /** Ends the content, whoever still writes. May be called twice. */
  destroy(): void {
    this.handOver();
    this.#socket.destroy();
  }

  /** Called when the kernel has put so many bytes behind the filled part. @returns whether to read on */
  #take(bytes: number): boolean {
    this.#filled += bytes;
    if (this.#filled < BLOCK_BYTES) return true;
    this.#paused = this.#lent || this.#full.length > 0;
    this.#full.push(this.#filling.subarray(this.#passedOn));
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#filled = 0;
    this.#passedOn = 0;
    this.#wake();
    return !this.#paused;
  }

  /** The block that was lent is the next to be filled. */
  #takeBack(): void {
    this.#lent = false;
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** What is there of a block that is not full: a copy, since the rest of it is being filled. */
  #rest(): Buffer | undefined {
    if (this.#filled === this.#passedOn) return undefined;
    const rest = Buffer.from(this.#filling.subarray(this.#passedOn, this.#filled));
    this.#passedOn = this.#filled;
    return rest;
  }

  /** Resolves when a block is full or all is over, or when nothing has come for a while. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, BREATH_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake();
  }
}
