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
/**
 * Debian's busybox shell prefers its own tar, grep and so on to those on the PATH, and they lack options. Aliases win over them; the shell's
 * own builtins stay. `exec` and `command` in front of a name still reach busybox.
 */
const PREFER_PATH = `if [ "$(PATH=/dev/null; command -v tar)" = tar ]; then
for bm_name in $(busybox --list); do
case $bm_name in *[!a-z0-9_.-]*|echo|printf|test|true|false|kill|pwd) continue;; esac
bm_rest=$PATH:
while [ -n "$bm_rest" ]; do
bm_file=\${bm_rest%%:*}/$bm_name bm_rest=\${bm_rest#*:}
case $bm_file in *[!a-zA-Z0-9_./-]*) continue;; esac
if [ -f "$bm_file" ] && [ -x "$bm_file" ]; then alias "$bm_name=$bm_file"; break; fi
done
done
fi`;
const EVALUATE_POSIX = `if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi; ${PREFER_PATH}; ${EVALUATE}`;

/**
 * bash if there is one, as the original has it, else the first POSIX shell that notices failures in pipes, else the first one at all.
 * `sh` is dash in many images, which does not notice them, while the busybox beside our own program does.
 *
 * @param env its PATH is searched.
 * @param folders where to look after that.
 * @throws {UserError} `command-failed` if there is no shell at all.
 */
export async function findShells(
  env: NodeJS.ProcessEnv,
  folders: readonly string[] = ['/bin', OWN_FOLDER],
): Promise<Shells> {
  const path = (env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/'));
  const bash = find('bash', [...path, ...folders]);
  const candidates = [path, ...folders.map((folder) => [folder])].map((where) => find('sh', where));
  const [first, ...others] = new Set(candidates.filter((sh) => sh !== undefined));
  if (bash !== undefined) {
    return first === undefined ? shellsOf([bash, '--posix', '--norc'], [bash]) : shellsOf([first], [bash]);
  }
  for (const sh of first === undefined ? [] : [first, ...others]) {
    const shells = shellsOf([sh]);
    if (await noticesFailuresInPipes(shells, env)) return shells;
  }
  if (first !== undefined) return shellsOf([first]);
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

function find(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
