/** The user's command and its guard as one process group, which is ended as a whole. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { UserError } from '../../api/problem.ts';
import { failure } from '../failure.ts';
import { ContentPipe } from './content-pipe.ts';
import { commandEnvironment } from './environment.ts';
import { DUMP_SCRIPT, DUMP_THROUGH_SOCKET_SCRIPT, LOAD_SCRIPT } from './guard-scripts.ts';
import type { CommandOptions } from './options.ts';
import { killedBy, type Role, timedOut } from './outcome.ts';
import { hasPipe } from './pipes.ts';
import { nameScratch, removeScratch, removeScratchNow } from './scratch.ts';
import { findShells, noticesFailuresInPipes, type Shells } from './shells.ts';

/** How long a killed group may take to disappear before we go on. A process that hangs in the kernel may take for ever. */
const KILL_MS = 10_000;

/** What timers of Node.js can wait at most, about 25 days: with more they fire at once. */
const LONGEST_MS = 2_147_483_647;

/** What the guard has told so far; see `guard-scripts.ts`. */
export interface Told {
  /** Exit codes. */
  exit?: number;
  copied?: number;
  over?: number;
  /** What a load command has left unread, in bytes, and one more; NaN if that could not be counted. */
  left?: number;
  /** How many of them are NUL. */
  nuls?: number;
}

interface Waiter {
  condition: () => boolean;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

export class CommandGroup {
  readonly told: Readonly<Told> = {};
  readonly #data: Duplex | undefined;
  readonly #pipe: ContentPipe | undefined;
  readonly #child: ChildProcess;
  readonly #lifeline: Duplex;
  readonly #role: Role;
  readonly #options: CommandOptions;
  readonly #scratch: string;
  readonly #exited: Promise<unknown>;
  readonly #timer: NodeJS.Timeout | undefined;
  #waiters: Waiter[] = [];
  #failure: { reason: unknown } | undefined;
  #killed = false;
  #lastLine = '';

  /** Starts the command. Whoever calls this must call `end`. @throws {UserError} if there is no shell; the signal's reason. */
  static async start(role: Role, options: CommandOptions): Promise<CommandGroup> {
    options.signal.throwIfAborted();
    const env = commandEnvironment(options.env);
    const shells = options.shells ?? (await findShells(env));
    await warnOfPipes(shells, env, options);
    const pipe = role === 'dump' ? await ContentPipe.make(shells, env) : undefined;
    try {
      options.signal.throwIfAborted();
      return new CommandGroup(role, options, shells, env, pipe);
    } catch (error) {
      pipe?.destroy();
      throw options.signal.aborted || error instanceof UserError ? error : cannotStart(error);
    }
  }

  private constructor(
    role: Role,
    options: CommandOptions,
    shells: Shells,
    env: NodeJS.ProcessEnv,
    pipe: ContentPipe | undefined,
  ) {
    this.#role = role;
    this.#options = options;
    this.#scratch = nameScratch(env);
    this.#pipe = pipe;
    const [program = '', ...words] = shells.guard;
    const stderr = options.stderr ?? 'inherit';
    this.#child = spawn(
      program,
      [...words, scriptOf(role, pipe), 'backup-maker', shells.tools, this.#scratch, ...shells.command],
      {
        detached: true,
        env: { ...env, BM_CMD: options.command },
        stdio: ['ignore', role === 'dump' ? 'ignore' : 'inherit', stderr, 'pipe', pipe?.writeEnd ?? 'pipe'],
      },
    );
    pipe?.handOver();
    const [, , , lifeline, data] = this.#child.stdio ?? [];
    // Emits its error later, to whom nobody would listen.
    if (!lifeline || (!data && !pipe))
      throw this.#child.on('error', () => {}) && new Error('too many open files');
    this.#lifeline = lifeline as Duplex;
    this.#data = (data as Duplex | null | undefined) ?? undefined;
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', resolve).once('error', resolve);
    });
    this.#listen();
    if (options.timeoutMs !== undefined) {
      const timeoutMs = Math.min(options.timeoutMs, LONGEST_MS);
      this.#timer = setTimeout(() => this.#fail(timedOut(role, timeoutMs)), timeoutMs);
    }
  }

  /** Resolves once the condition holds; it is looked at whenever the guard tells something. @throws what ended the group before. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ condition, resolve, reject });
      this.#look();
    });
  }

  /** Of a load: the command's input. */
  get input(): Duplex {
    if (!this.#data) throw new Error('a dump has no input');
    return this.#data;
  }

  /** Of a dump: what the command writes. Ends at the latest when the group is killed. A piece is written to again when the next is asked for. */
  output(): AsyncIterable<Buffer> {
    // A consumer that stops does not close it: the command would complain before it is killed.
    return this.#pipe?.blocks() ?? this.input.iterator({ destroyOnReturn: false });
  }

  /** Whether the output ends with its last writer, and not only when the group is killed. */
  get outputEnds(): boolean {
    return this.#pipe !== undefined;
  }

  /** Tells the guard of a load how the content ended. */
  tell(verdict: 'complete' | 'unread'): void {
    this.#lifeline.write(`${verdict}\n`);
  }

  /**
   * Kills everything in the group. All of it is stopped first: of a pipeline that is killed one by one, a program could see the end of
   * its input, because the one before it is dead, and act on it before its own turn comes.
   */
  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    clearTimeout(this.#timer);
    process.off('exit', this.#atExit);
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
      try {
        if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
      } catch {
        // Nothing is left of it.
      }
    }
    // What has left the group may still hold it open.
    this.#pipe?.destroy();
  }

  /** Kills, waits until it is done, and removes what is left. Never throws; may be called twice. */
  async end(): Promise<void> {
    // Before the guard is killed, if nothing else lives any more: should we be killed now, it removes what we do not get to.
    if (this.told.over !== undefined) await removeScratch(this.#scratch, this.#options.report);
    this.kill();
    this.#options.signal.removeEventListener('abort', this.#abort);
    const gaveUp = new AbortController();
    const patience = setTimeout(() => gaveUp.abort(), KILL_MS);
    await Promise.race([this.#exited, once(gaveUp.signal, 'abort')]);
    clearTimeout(patience);
    this.#data?.destroy();
    this.#lifeline.destroy();
    await removeScratch(this.#scratch, this.#options.report);
  }

  #listen(): void {
    this.#options.signal.addEventListener('abort', this.#abort, { once: true });
    process.on('exit', this.#atExit);
    // Writing to a group that has died is no news: its exit is.
    this.#data?.on('error', () => {});
    this.#lifeline.on('error', () => {});
    this.#lifeline.on('data', (text: Buffer) => this.#read(text.toString('latin1')));
    this.#child.once('error', (error) => {
      this.#fail(
        failure('command-failed', `the shell cannot be started: ${error.message}`, undefined, error),
      );
    });
    // By itself the guard never ends before it is killed.
    this.#child.once('exit', (code, signal) => {
      this.#fail(killedBy(this.#role, signal ?? `exit code ${code}`));
    });
  }

  readonly #abort = (): void => this.#fail(this.#options.signal.reason);

  readonly #atExit = (): void => {
    this.kill();
    removeScratchNow(this.#scratch);
  };

  #read(text: string): void {
    const lines = (this.#lastLine + text).split('\n');
    this.#lastLine = lines.pop() ?? '';
    for (const line of lines) {
      const [word = '', code = ''] = line.split(' ');
      Object.assign(this.told, { [word]: Number(code) });
    }
    this.#look();
  }

  #fail(reason: unknown): void {
    if (this.#killed) return;
    this.#failure = { reason };
    this.kill();
    this.#look();
  }

  #look(): void {
    this.#waiters = this.#waiters.filter(({ condition, resolve, reject }) => {
      if (this.#failure) reject(this.#failure.reason);
      else if (condition()) resolve();
      else return true;
      return false;
    });
  }
}

function scriptOf(role: Role, pipe: ContentPipe | undefined): string {
  if (role === 'load') return LOAD_SCRIPT;
  return pipe ? DUMP_SCRIPT : DUMP_THROUGH_SOCKET_SCRIPT;
}

function cannotStart(error: unknown): UserError {
  const reason = error instanceof Error ? error.message : String(error);
  return failure(
    'command-failed',
    `the shell cannot be started: ${reason}`,
    reason.includes('E2BIG')
      ? 'the command or the environment is too long: put the command into a script in the image'
      : undefined,
    error,
  );
}

async function warnOfPipes(shells: Shells, env: NodeJS.ProcessEnv, options: CommandOptions): Promise<void> {
  if (!hasPipe(options.command) || (await noticesFailuresInPipes(shells, env))) return;
  options.report.warn(
    `the shell ${shells.command[0]} does not notice when a program in front of a pipe fails, and the command has a pipe: ` +
      'use an image with bash, or write `first >"$TMPDIR/out" && second <"$TMPDIR/out"` instead of `first | second`',
  );
}
