/** The commands of `backup-repository`. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command, CommanderError } from 'commander';
import { UserError } from '../api/problem.ts';
import { encodePassword } from '../server/access/password.ts';
import { sessionIdOf } from '../server/access/token.ts';
import { openEngines } from '../server/engines.ts';
import { MetadataUnavailable } from '../server/metadata/metadata.ts';
import {
  describeFirstStart,
  firstStart,
  keepFirstStart,
  type ServerOptions,
  startServer,
} from '../server/start.ts';
import { StorageError } from '../server/storage/storage.ts';
import { checkVersions } from '../server/versions/integrity.ts';
import { addServerFlags, readVariables } from './repository-flags.ts';
import { type RepositoryFlags, serverOptions } from './repository-options.ts';

/** What a program has of the outside. */
export interface Outside {
  env: NodeJS.ProcessEnv;
  stdin: Readable;
  stdout: { write(text: string): unknown; isTTY?: boolean };
  stderr: { write(text: string): unknown };
  /** Calls the handler whenever the program is asked to stop. */
  onSignal(handler: () => void): void;
}

export const EXIT = {
  ok: 0,
  /** What the user wrote cannot work, or `check` found versions that are not intact. */
  failed: 1,
  usage: 2,
  /** A bug of ours. */
  bug: 70,
  /** Database or storage do not answer: the same command may work later. */
  later: 75,
} as const;

const EXIT_CODES = `
Exit codes:
  0   done
  1   what was asked for cannot work, or "check" found a version that is not intact
  2   wrong usage
  70  a bug in this program
  75  database or storage do not answer: try again later`;

/** Runs the program and resolves to its exit code. */
export async function runRepository(args: readonly string[], outside: Outside): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(outside, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return report(error, outside);
  }
}

function createProgram(outside: Outside, setExitCode: (code: number) => void): Command {
  const { stdout, stderr, stdin, env } = outside;
  const print = (line: string) => stdout.write(`${line}\n`);
  const program = new Command('backup-repository')
    .description('Keeps encrypted backups of many tenants.')
    .exitOverride()
    .configureOutput({ writeOut: (line) => stdout.write(line), writeErr: (line) => stderr.write(line) })
    .addHelpText('after', EXIT_CODES);
  const withOptions = (
    command: Command,
    action: (options: ServerOptions, flags: RepositoryFlags) => Promise<void>,
  ) =>
    addServerFlags(command).action(async () => {
      readVariables(command, env);
      const flags = command.opts<RepositoryFlags>();
      await action(serverOptions(flags, env), flags);
    });

  const serveCommand = program
    .command('serve', { isDefault: true })
    .description('run the server (the default)');
  serveCommand
    .option('--encode-password <password>', 'print the encoded password and exit, as the original did')
    .option('--hash-jwt <token>', 'print the session id of a token and exit, as the original did');
  withOptions(serveCommand, async (options, flags) => {
    const { encodePassword: password, hashJwt: token } = flags as {
      encodePassword?: string;
      hashJwt?: string;
    };
    // On standard error, where the original's scripts look for it.
    if (password !== undefined) stderr.write(`${await encodePassword(password)}\n`);
    else if (token !== undefined) stderr.write(`${sessionIdOf(token)}\n`);
    else await serve(options, outside);
  });

  withOptions(
    program.command('init').description('write a first configuration, and create the database'),
    async (options) => {
      const made = await firstStart(options);
      const engines = await openEngines(options);
      await engines.close();
      print(made ? describeFirstStart(made) : 'There is a configuration already: nothing was written.');
    },
  );

  withOptions(
    program.command('migrate').description("bring the database's schema up to date"),
    async (options) => {
      const engines = await openEngines(options);
      await engines.close();
      print('The database is up to date.');
    },
  );

  const checkCommand = program
    .command('check')
    .description('read every stored version and compare it with its SHA-256')
    .option('--collection <id>', 'of this collection only');
  withOptions(checkCommand, async (options) => {
    setExitCode(await check(options, checkCommand.opts<{ collection?: string }>().collection, outside));
  });

  program
    .command('encode-password')
    .description(
      'print an encoded password for a BackupUser; reads it from standard input if it is not given',
    )
    .argument('[password]')
    .action(async (given?: string) => {
      const password = given ?? (await text(stdin)).replace(/\r?\n$/, '');
      if (password === '') throw new UserError({ code: 'missing-field', message: 'the password is empty' });
      print(await encodePassword(password));
    });

  program
    .command('hash-jwt')
    .description('print the session id of a token; reads it from standard input if it is not given')
    .argument('[token]')
    .action(async (given?: string) => {
      print(sessionIdOf((given ?? (await text(stdin))).trim()));
    });

  return program;
}

/** Runs until it is asked to stop. Asked twice, it breaks everything off. */
async function serve(options: ServerOptions, outside: Outside): Promise<void> {
  const { stdout } = outside;
  const running = await startServer(options);
  if (running.bootstrapped) {
    // Where output is a log, passwords do not belong there.
    if (stdout.isTTY) stdout.write(`${describeFirstStart(running.bootstrapped)}\n`);
    else
      stdout.write(
        `This is the first start: how to log in is in ${await keepFirstStart(running.bootstrapped, options)}\n`,
      );
  }
  await new Promise<void>((resolve) => {
    let asked = 0;
    outside.onSignal(() => {
      if (++asked === 1) resolve();
      else running.server.server.closeAllConnections();
    });
  });
  await running.close();
}

async function check(
  options: ServerOptions,
  collectionId: string | undefined,
  { stdout }: Outside,
): Promise<number> {
  const engines = await openEngines(options);
  const counts = { intact: 0, damaged: 0, missing: 0, unreadable: 0 };
  try {
    const signal = new AbortController().signal;
    const only = collectionId === undefined ? {} : { collectionId };
    for await (const { version, state, reason } of checkVersions(engines, { ...only, signal })) {
      counts[state]++;
      if (state === 'intact') continue;
      stdout.write(
        `${state}: ${version.collectionId} version ${version.versionNumber} (${version.objectKey}): ${reason}\n`,
      );
    }
  } finally {
    await engines.close();
  }
  const bad = Object.entries(counts).filter(([state, count]) => state !== 'intact' && count > 0);
  stdout.write(`${counts.intact} intact${bad.map(([state, count]) => `, ${count} ${state}`).join('')}\n`);
  if (counts.damaged + counts.missing > 0) return EXIT.failed;
  return counts.unreadable > 0 ? EXIT.later : EXIT.ok;
}

function report(error: unknown, { stderr, env }: Outside): number {
  if (error instanceof UserError) {
    stderr.write(`backup-repository: ${error.message}\n`);
    return error.exitCode || EXIT.failed;
  }
  if (error instanceof MetadataUnavailable || error instanceof StorageError) {
    stderr.write(`backup-repository: ${error.message}\n`);
    return EXIT.later;
  }
  const { stack, message } = error as Error;
  stderr.write(`backup-repository: this is a bug: ${env.BR_LOG_LEVEL === 'debug' ? stack : message}\n`);
  return EXIT.bug;
}
