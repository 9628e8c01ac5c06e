/** The commands of `backup-maker`, and how it ends. */
import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { CODES } from '../api/codes.ts';
import { UserError } from '../api/problem.ts';
import { explain } from '../client/content.ts';
import { completionCommand } from './maker-completion.ts';
import { checkCommand, downloadCommand, makeCommand, restoreCommand } from './maker-data.ts';
import { addFlags } from './maker-flags.ts';
import { addGenerateCommand } from './maker-generate.ts';
import { keygenCommand } from './maker-keygen.ts';
import { listCommand, loginCommand, statusCommand } from './maker-look.ts';
import { consoleOf } from './maker-run.ts';
import { ignoreListenersThatLeave, type MakerOutside } from './outside.ts';

/** A bug of ours, as in sysexits.h. */
const BUG = 70;

export const EXIT_STATUS = `
Exit status:
  0    done, or the ledger says that an earlier run did it
  1    something that the program does not support
  2    wrong usage: a flag, a variable, or two that exclude each other
  3    the command failed or was killed
  4    the command took longer than --timeout
  5    the command succeeded and wrote nothing
  6    a key is missing, cannot be read, or does not open the version
  7    the server does not know who is asking: wrong password, expired token
  8    the server says no: missing role, outside the upload window
  9    no such collection or version
  10   the server refuses the content: quota, another upload under way, not encrypted
  11   what came back is not what was stored
  12   another run does or did the action, or there is no ledger
  13   "status" or "check" found something that is not well, or "status" could not ask about it
  70   a bug in this program
  74   the output cannot be written: disk full, no permission
  75   the server cannot be reached or is not ready: try again later
  129, 130, 143   stopped by SIGHUP, SIGINT, SIGTERM`;

/** Runs the program and resolves to its exit status. */
export async function runMaker(args: readonly string[], outside: MakerOutside): Promise<number> {
  ignoreListenersThatLeave(outside);
  let stoppedBy: NodeJS.Signals | undefined;
  outside.onSignal((signal) => {
    stoppedBy ??= signal;
  });
  try {
    await createMaker(outside).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : CODES.usage.exitCode;
    return report(explain(error), args, outside, stoppedBy);
  }
}

export function createMaker(outside: MakerOutside): Command {
  const { stdout, stderr } = outside;
  const program = new Command('backup-maker')
    .description(
      'Backs up what a command writes, and gives it back: compressed, encrypted, whole or not at all.',
    )
    .version(packageJson.version, '-V, --version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(discreet(text)),
    })
    .showHelpAfterError('(backup-maker help lists the commands, backup-maker help <command> its flags)')
    .addHelpText('after', EXIT_STATUS);
  // The original took these in front of the command as well.
  addFlags(program, 'collection', 'timeout', 'server', 'output');
  for (const option of program.options) if (option.long !== '--version') option.hideHelp();
  const commands = [
    makeCommand,
    restoreCommand,
    downloadCommand,
    checkCommand,
    listCommand,
    statusCommand,
    loginCommand,
    keygenCommand,
  ];
  for (const create of commands) program.addCommand(inheriting(create(outside), program));
  addGenerateCommand(program, outside);
  program.addCommand(inheriting(completionCommand(program, outside), program));
  for (const command of program.commands)
    for (const each of [command, ...command.commands]) each.addHelpText('after', EXIT_STATUS);
  return program;
}

/** What was not understood may be half of a secret, or a secret behind a misspelt flag: arguments are counted, not repeated. */
function discreet(error: string): string {
  return error
    .replace(/(too many arguments .* but got \d+): [\s\S]*\.\n/, '$1.\n')
    .replace(/(unknown option '(?:--[^=']*|-[^-]))[\s\S]*'/, "$1'");
}

function inheriting(command: Command, program: Command): Command {
  return command.copyInheritedSettings(program);
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

function report(
  error: unknown,
  args: readonly string[],
  outside: MakerOutside,
  stoppedBy: NodeJS.Signals | undefined,
): number {
  // The flags may be what is wrong, so only what can be told without them decides how this looks.
  const asked = /(?:^| )--(?:json|log-format[ =]json)(?: |$)/.test(args.join(' '));
  const json = asked || outside.env.BM_LOG_FORMAT === 'json';
  const console = consoleOf({ json, logFormat: 'auto' }, outside);
  if (error instanceof UserError) {
    const { message, proposal, code } = error.problem;
    const exitCode = stoppedBy ? (SIGNALS[stoppedBy] ?? error.exitCode) : error.exitCode;
    console.error(message, proposal, { code, exitStatus: exitCode });
    return exitCode;
  }
  const { stack, message } = error instanceof Error ? error : new Error(String(error));
  console.error(
    `this is a bug in backup-maker: ${message}`,
    'run it again with BM_LOG_LEVEL=debug, and report what it says at https://github.com/riotkit-org/backup-maker/issues',
    { exitStatus: BUG },
  );
  if (stack && /^(debug|trace)$/i.test(outside.env.BM_LOG_LEVEL ?? '')) outside.stderr.write(`${stack}\n`);
  return BUG;
}
