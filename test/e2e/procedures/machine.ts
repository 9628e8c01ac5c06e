/**
 * The machine on which the tests of procedures run: its programs and users, folders that are removed and processes that are
 * killed when the tests end.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export const root = join(import.meta.dirname, '../../..');
const toolsDir = process.env.TOOLS_DIR ?? join(root, '.tools/bin');
const [postgresBin = ''] = globSync('/usr/lib/postgresql/*/bin').sort().reverse();
export const path = [toolsDir, postgresBin, process.env.PATH, '/usr/sbin'].filter(Boolean).join(delimiter);

/** A user that owns nothing and has no name, as in a pod. */
export const podUser = 65532;
const privileged = process.getuid?.() === 0;

const folders: string[] = [];
export const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child);
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

export function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

export function find(program: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));
}

/** A folder that only `user` can use; removed when the tests end. */
export function folder(user: string | number = podUser): string {
  const made = mkdtempSync(join(tmpdir(), 'procedures-'));
  folders.push(made);
  if (privileged) check('chown', [String(user), made]);
  return made;
}

/** Runs a program to its end and returns what it wrote; for preparing and looking, not for what is tested. */
export function check(
  program: string,
  args: string[],
  options: {
    env?: Record<string, string>;
    input?: string | Buffer;
    user?: string | number;
    cwd?: string;
  } = {},
): string {
  const [command, ...rest] = asUser(options.user, [program, ...args]);
  const done = spawnSync(command as string, rest, {
    env: { PATH: path, HOME: '/nonexistent', LC_ALL: 'C.UTF-8', ...options.env },
    cwd: options.cwd ?? '/',
    maxBuffer: 1 << 30,
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (done.status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ${done.error?.message ?? done.status}\n${done.stderr}`);
  }
  return done.stdout.toString();
}

/** A session that stays open, as an application would have one. */
export function open(program: string, args: string[], user: string | number) {
  const [command, ...rest] = asUser(user, [program, ...args]);
  const child = spawn(find(command as string) as string, rest, {
    env: { PATH: path, HOME: '/nonexistent' },
    cwd: '/',
    detached: true,
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return {
    /** Sends statements of which only the last one answers, and returns its one line. */
    async ask(statements: string): Promise<string> {
      const answer = new Promise<string>((resolve, reject) => {
        child.stderr.once('data', (error) => reject(new Error(String(error))));
        child.stdout.once('data', (line) => resolve(String(line).trim()));
      });
      child.stdin.write(`${statements}\n`);
      return answer;
    },
    close: () => child.stdin.end(),
  };
}

export function asUser(user: string | number | undefined, command: string[]): string[] {
  if (user === undefined || !privileged) return command;
  return [
    'setpriv',
    `--reuid=${user}`,
    '--regid=nogroup',
    '--clear-groups',
    '--inh-caps=-all',
    '--',
    ...command,
  ];
}
