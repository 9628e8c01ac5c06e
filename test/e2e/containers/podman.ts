/** Calls podman so that it works on plain machines: without systemd, without a network of its own, with small limits. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

const ENGINE = ['--runtime', 'runc', '--cgroup-manager', 'cgroupfs'];

/**
 * Containers share the machine's network, so a service of the machine is at 127.0.0.1; they are never pulled, have no
 * entry in their /etc/passwd that the image has not, and see nothing of the machine's proxy settings.
 */
export const RUN_OPTIONS: readonly string[] = [
  // By this install.sh finds those that a run leaves which is killed.
  `--label=backup-maker-test=${process.pid}`,
  '--network=host',
  '--pull=never',
  '--passwd=false',
  '--http-proxy=false',
  '--ulimit=nofile=1024:1024',
  '--ulimit=nproc=1000:1000',
  '--log-driver=none',
];

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs podman to its end, with `input` as standard input. Does not throw if it fails. */
export async function podman(args: readonly string[], input?: string | Buffer): Promise<Finished> {
  const child = spawn('podman', [...ENGINE, ...args], {
    // What watches a container leaves a file here when it is out of memory.
    cwd: tmpdir(),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text;
  });
  if (input !== undefined) child.stdin?.on('error', () => undefined).end(input);
  return { code: await ended(child), ...printed };
}

/** What podman printed; throws with its error if it failed. */
export async function podmanOutput(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await podman(args);
  if (code !== 0) throw new Error(`podman ${args[0]} exited ${code}: ${stderr.trim()}`);
  return stdout.trim();
}

/** Runs podman with what it prints in two files, which may be long; resolves to the exit code. */
export async function podmanInto(
  files: { stdout: string; stderr: string },
  args: readonly string[],
): Promise<number> {
  const stdout = openSync(files.stdout, 'w');
  const stderr = openSync(files.stderr, 'w');
  try {
    return await ended(
      spawn('podman', [...ENGINE, ...args], { cwd: tmpdir(), stdio: ['ignore', stdout, stderr] }),
    );
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

function ended(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
}

/** A process inside a container as the machine sees it. */
export interface ContainerProcess {
  pid: number;
  arguments: string[];
  environment: Record<string, string>;
}

/** A container while it runs. */
export interface RunningContainer {
  name: string;
  /** Of the first process, as the machine sees it. */
  pid: number;
  /** All processes that run in it now, the first one first. */
  processes(): Promise<ContainerProcess[]>;
  /** `/proc/<pid>/mountinfo`: one line for each mount that the container sees. */
  mounts(): string[];
  /** Runs a program of the container's image in it, as the container's user. */
  exec(...command: string[]): Promise<Finished>;
}

/** Waits until the container with this id runs; undefined if it ended, or `over` is true, before that was seen. */
export async function runningContainer(
  id: string,
  name: string,
  over: () => boolean,
): Promise<RunningContainer | undefined> {
  while (!over()) {
    const state = await podman(['inspect', '--format', '{{.State.Status}} {{.State.Pid}}', id]);
    const [status = '', pid] = state.stdout.trim().split(' ');
    if (status === 'running') return containerWith(id, name, Number(pid));
    if (['exited', 'stopped', 'stopping', 'removing'].includes(status)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

function containerWith(id: string, name: string, pid: number): RunningContainer {
  return {
    name,
    pid,
    processes: async () => {
      const listed = (await podmanOutput('top', id, 'hpid')).split('\n').slice(1).map(Number);
      return listed.sort((a, b) => Number(b === pid) - Number(a === pid)).flatMap(processWith);
    },
    mounts: () => readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n'),
    exec: (...command) => podman(['exec', id, ...command]),
  };
}

/** One, or none if it has ended meanwhile. */
function processWith(pid: number): ContainerProcess[] {
  try {
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').slice(0, -1);
    const pairs = read('environ').map((pair) => [
      pair.slice(0, pair.indexOf('=')),
      pair.slice(pair.indexOf('=') + 1),
    ]);
    return [{ pid, arguments: read('cmdline'), environment: Object.fromEntries(pairs) }];
  } catch {
    return [];
  }
}
