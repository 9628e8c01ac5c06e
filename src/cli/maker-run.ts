/** What all commands of `backup-maker` have in common: flags read, signals heard, the repository opened and closed. */
import type { Command } from 'commander';
import { failure } from '../client/failure.ts';
import { openRepository, type Repository } from '../client/http/repository.ts';
import { type Console, createConsole } from './console.ts';
import { type MakerFlags, readVariables } from './maker-flags.ts';
import { caOf, credentialsOf, urlOf } from './maker-options.ts';
import type { MakerOutside } from './outside.ts';

export interface Run {
  flags: MakerFlags;
  console: Console;
  /** Aborted when the program is asked to stop; its reason is the `UserError` to end with. */
  signal: AbortSignal;
  outside: MakerOutside;
  /** Prints the result: as JSON if that was asked for, else in words. */
  result(value: object, words: string): void;
}

/** Connects a command to what it does. Flags in front of the command count as well, and variables win over both. */
export function runs(command: Command, outside: MakerOutside, work: (run: Run) => Promise<void>): Command {
  return command.action(async () => {
    const flags = flagsOf(command, outside.env);
    const console = consoleOf(flags, outside);
    const stopped = new AbortController();
    outside.onSignal((signal) => {
      stopped.abort(
        failure('interrupted', `stopped by ${signal}: nothing was stored, and nothing was loaded to its end`),
      );
    });
    const result = (value: object, words: string) => {
      console.end();
      outside.stdout.write(`${flags.json ? JSON.stringify(value) : words}\n`);
    };
    try {
      await work({ flags, console, signal: stopped.signal, outside, result });
    } finally {
      console.end();
    }
  });
}

/** Opens the server for the time of the work. */
export async function withRepository<T>(
  { flags, console, signal, outside }: Run,
  work: (repository: Repository) => Promise<T>,
  { keepSession = false } = {},
): Promise<T> {
  const repository = openRepository({
    url: urlOf(flags),
    credentials: await credentialsOf(flags, outside.env),
    ...(await caOf(flags)),
    idleTimeoutMs: flags.idleTimeout * 1000,
    signal,
    report: console,
  });
  try {
    return await work(repository);
  } finally {
    await repository.close({ keepSession });
  }
}

function flagsOf(command: Command, env: NodeJS.ProcessEnv): MakerFlags {
  const { parent } = command;
  for (const option of command.options) {
    const name = option.attributeName();
    const inFront = parent?.getOptionValueSource(name) === 'cli';
    if (inFront && command.getOptionValueSource(name) !== 'cli')
      command.setOptionValueWithSource(name, parent.getOptionValue(name), 'cli');
  }
  readVariables(command, env);
  return command.opts<MakerFlags>();
}

const VERBOSITY: Readonly<Record<string, number>> = { panic: 0, fatal: 0, error: 0, warn: 1, info: 2 };

export function consoleOf(flags: Partial<MakerFlags>, { stderr }: MakerOutside): Console {
  const terminal = stderr.isTTY === true;
  const { progress = 'auto', logFormat = 'auto' } = flags;
  const format =
    flags.json || logFormat === 'json' ? 'json' : terminal && logFormat === 'auto' ? 'people' : 'text';
  const moving = format === 'people' && progress !== 'never';
  return createConsole({
    write: (text) => stderr.write(text),
    format,
    verbosity: VERBOSITY[flags.logLevel ?? 'info'] ?? 3,
    progress: progress === 'never' ? 'never' : moving ? 'line' : 'log',
    columns: () => stderr.columns ?? 80,
    clock: () => performance.now(),
    now: () => new Date().toISOString(),
  });
}
