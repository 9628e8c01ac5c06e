/** `backup-maker generate backup|restore`: scripts and manifests out of a definition file, as the original's generator made them. */
import type { Command } from 'commander';
import { CODES } from '../api/codes.ts';
import { hasError, type Problem, UserError } from '../api/problem.ts';
import { OPERATIONS, type Operation } from '../api/procedure.ts';
import { DEFAULTS, type GenerateOptions } from './maker-generate-options.ts';

/** What the command has of the outside. */
export interface GenerateOutside {
  env: NodeJS.ProcessEnv;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

const EXAMPLES: Readonly<Record<Operation, string>> = {
  backup: `
Examples:
  backup-maker generate backup -t pg16 -g public.key            # backup.sh, gpg-key, backup.env
  backup-maker generate backup -t tar -d files.yaml -o ./out
  backup-maker generate backup -t pg16 -k --k8s-name app -n app --k8s-job-schedule '30 2 * * *'`,
  restore: `
Examples:
  backup-maker generate restore -t pg16 -g private.key          # then: RESTORE_VERSION=12 ./restore.sh
  backup-maker generate restore -t pg16 -g sealed-key.yaml -k --k8s-name app -n app --target-version 12`,
};

/** Adds `generate` with its sub-commands to a program. They print warnings, and throw the (last) error. */
export function addGenerateCommand(program: Command, outside: GenerateOutside): void {
  const parent = program
    .command('generate')
    .description('make a script, or manifests for Kubernetes, out of a definition file');
  for (const operation of OPERATIONS) addOperation(parent, operation, outside);
}

function addOperation(parent: Command, operation: Operation, outside: GenerateOutside): void {
  const command = parent
    .command(operation)
    .description(`make ${operation}.sh, or with --kubernetes ${operation}.yaml`)
    .option(
      '-t, --template <name>',
      'a built-in procedure such as postgres, pg16, mysql-dump or tar, or your own template',
    )
    .option('-d, --definition <file>', `the definition (default: ${DEFAULTS.definition})`)
    .option('-k, --kubernetes', 'manifests instead of a script')
    .option(
      '-g, --gpg-key-path <file>',
      `the ${operation === 'backup' ? 'public' : 'private'} key, OpenPGP or age, or a SealedSecret; '' for no encryption (default: ${DEFAULTS.gpgKeyPath})`,
    )
    .option('-o, --output-dir <folder>', `where to write (default: ${DEFAULTS.outputDir})`)
    .option('--k8s-name <name>', `how generated objects are called (default: ${DEFAULTS.k8sName})`)
    .option('--k8s-image <image>', 'the image to run the procedure in (default: that of the procedure)')
    .option('-n, --k8s-namespace <name>', 'namespace of the generated objects');
  if (operation === 'backup')
    command.option('--k8s-job-schedule <cron>', `when to run (default: ${DEFAULTS.k8sJobSchedule})`);
  else
    command
      .option('--target-version <version>', 'the version to restore (default: latest)')
      .option('--run-id <id>', 'of the Job: a restore runs once for each (default: 1)');
  command.addHelpText('after', EXAMPLES[operation]).action(async () => {
    const options = command.opts<Omit<GenerateOptions, 'operation'>>();
    if (!options.template) {
      const message =
        '--template is missing: name a built-in procedure such as postgres or tar, or a template of your own';
      throw new UserError({ code: 'usage', message });
    }
    const home = outside.env.HOME;
    // Loaded now, as no other command needs the expansion, which is half of the program.
    const { generate } = await import('./maker-generate-run.ts');
    const { files, problems } = await generate({ ...options, operation, ...(home && { home }) });
    report(problems, outside);
    for (const file of files) outside.stdout.write(`${file}\n`);
  });
}

/** Prints everything but the last error, and throws that, so that it is the last to be read and decides the exit code. */
function report(problems: readonly Problem[], { stderr }: GenerateOutside): void {
  const last = problems.findLast((problem) => CODES[problem.code].severity === 'error');
  for (const problem of problems)
    if (problem !== last) stderr.write(`${CODES[problem.code].severity}: ${sentence(problem)}\n`);
  if (last && hasError(problems)) throw new UserError({ code: last.code, message: sentence(last) });
}

function sentence({ path, message }: Problem): string {
  return path ? `${path}: ${message}` : message;
}
