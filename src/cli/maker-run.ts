/** What all commands of `backup-maker` have in common: flags read, signals heard, the repository opened and closed. */
import type { Command } from 'commander';
import { failure } from '../client/failure.ts';
import { openRepository, type Repository } from '../client/http/repository.ts';
import { type Console, createConsole, jsonOf, printable } from './console.ts';
import { type MakerFlags, readVariables } from './maker-flags.ts';
import { caOf, credentialsOf, urlOf } from './maker-options.ts';
import { type MakerOutside, print } from './outside.ts';

export interface Run {
  flags: MakerFlags;
  console: Console;
  /** Aborted when the program is asked to stop; its reason is the `UserError` to end with. */
  signal: AbortSignal;
  outside: MakerOutside;
  /** Prints the result: as JSON if that was asked for, else in words. @throws {UserError} `output-failed` */
  result(value: object, words: string): Promise<void>;
}

/** Connects a command to what it does. Flags in front of the command count as well, and variables win over both. */
export function runs(command: Command, outside: MakerOutside, work: (run: Run) => Promise<void>): Command {
  refuseFlagsAsValues(command);
  return command.action(async () => {
    const { flags, unheard } = flagsOf(command, outside.env);
    const console = consoleOf(flags, outside);
    for (const sentence of unheard) console.warn(sentence);
    const stopped = new AbortController();
    outside.onSignal((signal) => {
      stopped.abort(
        failure('interrupted', `stopped by ${signal}: what was not complete was neither stored nor loaded`),
      );
    });
    const result = (value: object, words: string) => {
      console.end();
      const lines = words.split('\n').map(printable).join('\n');
      return print(outside, `${flags.json ? jsonOf(value) : lines}\n`);
    };
    try {
      await work({ flags, console, signal: stopped.signal, outside, result });
    } finally {
      console.end();
    }
  });
}

/** Opens the server for the time of the work. `keepSession`: if the work succeeds, whoever has its token may go on with it. */
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
    env: outside.env,
    ...outside.waits,
  });
  let succeeded = false;
  try {
    const result = await work(repository);
    succeeded = true;
    return result;
  } finally {
    await repository.close({ keepSession: keepSession && succeeded });
  }
}

/**
 * A flag that is taken for the value of the one before it: what a script does whose variable is empty.
 *
 * @throws {UserError} `usage`, while the command line is read.
 */
function refuseFlagsAsValues(command: Command): void {
  for (const option of command.options) {
    command.on(`option:${option.name()}`, (value: string | null) => {
      const taken = command.options.find(({ long, short }) => value && (value === long || value === short));
      const flag = option.long ?? option.short;
      if (taken) throw failure('usage', `${flag} is followed by ${value}, and needs a value`, option.flags);
    });
  }
}

function flagsOf(command: Command, env: NodeJS.ProcessEnv): { flags: MakerFlags; unheard: string[] } {
  const { parent } = command;
  for (const option of command.options) {
    const name = option.attributeName();
    const inFront = parent?.getOptionValueSource(name) === 'cli';
    if (inFront && command.getOptionValueSource(name) !== 'cli')
      command.setOptionValueWithSource(name, parent.getOptionValue(name), 'cli');
  }
  const unheard = readVariables(command, env);
  return { flags: command.opts<MakerFlags>(), unheard };
}

const VERBOSITY: Readonly<Record<string, number>> = { panic: 0, fatal: 0, error: 0, warn: 1, info: 2 };

export function consoleOf(flags: Partial<MakerFlags>, { stderr }: MakerOutside): Console {
  const { progress = 'auto', logFormat = 'auto' } = flags;
  const people = logFormat === 'auto' && (stderr.isTTY === true || progress === 'always');
  const format = flags.json || logFormat === 'json' ? 'json' : people ? 'people' : 'text';
  return createConsole({
    write: (text) => stderr.write(text),
    format,
    verbosity: VERBOSITY[flags.logLevel ?? 'info'] ?? 3,
    progress: progress === 'never' ? 'never' : format === 'people' ? 'line' : 'log',
    columns: () => stderr.columns ?? 80,
    clock: () => performance.now(),
    now: () => new Date().toISOString(),
  });
}
