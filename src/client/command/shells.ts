/** The shells: one runs the user's command, one keeps watch over it. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { failure } from '../failure.ts';

/** Programs with the arguments that come before a script: `[...words, script]`. */
export interface Shells {
  /** Runs the user's command; stops at the first failure, in a pipeline too if it can. */
  command: readonly string[];
  /** Runs our own scripts, which are plain POSIX. */
  guard: readonly string[];
  /** A program with the usual tools (`busybox cat`) for where they are not on the PATH. It need not exist. */
  tools: string;
}

/** Beside our own program, for images that have no shell of their own. */
const OWN_FOLDER = '/opt/backup-maker/bin';

/**
 * What the command's shell runs. The text itself comes in the environment, because arguments are visible to everybody on the machine,
 * and leaves it before the command begins.
 */
const EVALUATE = 'bm_command=$BM_CMD; unset BM_CMD; eval "$bm_command"';
const EVALUATE_POSIX = `if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi; ${EVALUATE}`;

/**
 * bash if there is one, as the original has it, else the POSIX shell.
 *
 * @param env its PATH is searched.
 * @throws {UserError} `command-failed` if there is no shell at all.
 */
export function findShells(env: NodeJS.ProcessEnv): Shells {
  const bash = find('bash', env, ['/bin']);
  const sh = find('sh', env, ['/bin', OWN_FOLDER]);
  if (sh !== undefined) return shellsOf([sh], bash === undefined ? undefined : [bash]);
  if (bash !== undefined) return shellsOf([bash, '--posix', '--norc'], [bash]);
  throw failure(
    'command-failed',
    'this image has no shell: neither bash nor sh is on the PATH, in /bin or beside this program',
    `use an image with a shell, or copy a static busybox to ${OWN_FOLDER}/sh`,
  );
}

/** @param sh words that start the POSIX shell. @param bash words that start bash, if it is to run the command. */
export function shellsOf(sh: readonly string[], bash?: readonly string[]): Shells {
  return {
    command: bash ? [...bash, '-eo', 'pipefail', '-c', EVALUATE] : [...sh, '-e', '-c', EVALUATE_POSIX],
    guard: [...sh, '-c'],
    tools: join(dirname(sh[0] ?? OWN_FOLDER), 'busybox'),
  };
}

/** True if the command's shell notices a program that fails in front of a pipe. */
export async function noticesFailuresInPipes(shells: Shells, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (shells.command.includes('pipefail')) return true;
  const [program = '', ...words] = shells.command.slice(0, -1);
  try {
    await promisify(execFile)(program, [...words, 'set -o pipefail'], { env });
    return true;
  } catch {
    return false;
  }
}

function find(name: string, env: NodeJS.ProcessEnv, folders: readonly string[]): string | undefined {
  const path = (env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/'));
  return [...path, ...folders].map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
