/** Looks at a pod's container while it runs: what it may do, what it holds, and what others could read of it. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ContainerProcess, RunningContainer } from '../containers/podman.ts';

export interface Expectation {
  /** For messages. */
  name: string;
  operation: 'backup' | 'restore';
  /** The user's own templates may write to their root file system; see docs/compatibility.md. */
  readOnlyRoot: boolean;
  /** Whether the processes below the first are the command's, which gets no credentials of the client. */
  builtIn: boolean;
  /** Texts that only a restore may hold. */
  privateKeys: readonly string[];
  /** Texts that no arguments may hold. */
  secrets: readonly string[];
  /** The password that the client logs in with. */
  accessPassword: string;
}

/** Throws if the container has a right or a secret that it should not have. */
export async function inspect(container: RunningContainer, expected: Expectation): Promise<void> {
  const { name, operation } = expected;
  const processes = await container.processes();
  assert.ok(processes.length > 0, name);
  for (const process of processes) checkRights(process, name);
  for (const { arguments: words } of processes)
    assert.not.ok(
      holdsAny(words.join('\0'), expected.secrets),
      `${name}: a secret in ${words[0]}'s arguments`,
    );
  checkEnvironment(processes, expected);
  checkMounts(container.mounts(), expected);
  const held = [...filesBelow(container)].filter(([, text]) => holdsAny(text, expected.privateKeys));
  const folders = [...new Set(held.map(([path]) => path.split('/').slice(0, 3).join('/')))];
  // In a restore, so that this does not pass only because nothing was looked at.
  assert.equal(folders, operation === 'backup' ? [] : ['/mnt/secrets'], `${name}: where private keys are`);
}

function checkRights({ pid }: ContainerProcess, name: string): void {
  const status = readOrNothing(`/proc/${pid}/status`);
  // It has ended meanwhile.
  if (!/^CapEff:/m.test(status)) return;
  const field = (key: string) => status.match(new RegExp(`^${key}:\\s*(.*)$`, 'm'))?.[1]?.split('\t') ?? [];
  assert.not.ok(field('Uid').includes('0'), `${name} runs as root`);
  assert.not.ok(field('Gid').includes('0'), `${name} runs in root's group`);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    assert.match(field(set)[0] ?? '', /^0+$/, `${name}: ${set}`);
  assert.equal(field('NoNewPrivs'), ['1'], name);
  assert.equal(field('Seccomp'), ['2'], `${name}: a seccomp filter`);
}

function checkEnvironment(processes: readonly ContainerProcess[], expected: Expectation): void {
  const { name, operation, builtIn, privateKeys, accessPassword } = expected;
  const texts = processes.map(({ environment }) => Object.values(environment).join('\0'));
  assert.ok(texts[0]?.includes(accessPassword), `${name}: the client has what it logs in with`);
  for (const [index, text] of texts.entries()) {
    if (operation === 'backup')
      assert.not.ok(holdsAny(text, privateKeys), `${name}: a private key in a variable`);
    const isClient = processes[index]?.arguments.some((word) => word.endsWith('backup-maker.mjs'));
    if (builtIn && !isClient && index > 0)
      assert.not.ok(text.includes(accessPassword), `${name}: ${processes[index]?.arguments[0]} could log in`);
  }
}

/** Of `/proc/<pid>/mountinfo`: the fifth field is where, the sixth how. */
function checkMounts(lines: readonly string[], { name, readOnlyRoot }: Expectation): void {
  const mounts = new Map(
    lines.map((line) => [line.split(' ')[4] ?? '', line.split(' ')[5]?.split(',') ?? []]),
  );
  if (readOnlyRoot)
    assert.ok(mounts.get('/')?.includes('ro'), `${name}: the root file system can be written`);
  for (const [path, options] of mounts) {
    assert.not.match(path, /serviceaccount|\/run\/secrets/, `${name} has ${path}`);
    if (/^\/(etc\/backup-maker|mnt\/secrets|opt\/backup-maker)/.test(path))
      assert.ok(options.includes('ro'), `${name}: ${path} can be written`);
  }
  assert.ok(mounts.has('/etc/backup-maker') && mounts.has('/tmp'), name);
}

/** The client's own folder is ours, and large; the rest is not of the pod. */
const NOT_LOOKED_INTO = /^\/(proc|sys|dev|opt\/backup-maker)(\/|$)|^\/$/;

/** Contents of all files of the pod's volumes, by their paths in the container. */
function filesBelow(container: RunningContainer): Map<string, string> {
  const files = new Map<string, string>();
  const root = `/proc/${container.pid}/root`;
  for (const point of container.mounts().map((line) => line.split(' ')[4] ?? '')) {
    if (NOT_LOOKED_INTO.test(point)) continue;
    const names = isFolder(root + point)
      ? (readdirSync(root + point, { recursive: true }) as string[])
      : [''];
    for (const path of names.map((name) => join(point, name))) files.set(path, readOrNothing(root + path));
  }
  return files;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function holdsAny(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret));
}

/** Reads the arguments of all processes in containers, again and again, as anybody on the node can. */
export function watchArguments(secrets: readonly string[]): { stop(): string[] } {
  const own = readlinkSync('/proc/self/ns/pid');
  const leaks = new Set<string>();
  const timer = setInterval(() => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const line = readOrNothing(`/proc/${pid}/cmdline`);
      if (!holdsAny(line, secrets)) continue;
      try {
        // Ours has podman's own arguments, which are no part of what is tested.
        if (readlinkSync(`/proc/${pid}/ns/pid`) !== own) leaks.add(line.replaceAll('\0', ' '));
      } catch {
        // It has ended.
      }
    }
  }, 60);
  return {
    stop: () => {
      clearInterval(timer);
      return [...leaks];
    },
  };
}
