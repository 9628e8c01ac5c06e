/** Runs one container of a pod to its end, lets the test look at it, and leaves nothing of it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { type ContainerSetting, containerArguments } from './pod-container.ts';
import { podman, podmanInto, type RunningContainer, runningContainer } from './podman.ts';

export interface ContainerResult {
  name: string;
  /** As Kubernetes reports it: 128 and the signal for a killed one, so 137 at the memory limit. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Looks at a container while it runs. */
export type Look = (container: RunningContainer) => Promise<void> | void;

export interface ContainerRun {
  container: Container;
  setting: ContainerSetting;
  /** Folder for what it prints. */
  logs: string;
  /** In the time of `performance.now()`. */
  ends: number;
  /** Seconds between SIGTERM and SIGKILL at the deadline. */
  grace: number;
  whileRunning: Look | undefined;
}

/** Containers that exist now. */
const containers = new Set<string>();
process.on('exit', () => {
  if (containers.size > 0) spawnSync('podman', ['rm', '--force', '--time', '0', ...containers]);
});

/** Rejects if the container cannot be run, or if what looks at it does. */
export async function runContainer(run: ContainerRun): Promise<{ result: ContainerResult; late: boolean }> {
  const { container, setting, logs, ends, grace, whileRunning } = run;
  const id = `${setting.pod.name}-${container.name}`;
  const files = {
    stdout: join(logs, `${container.name}.stdout`),
    stderr: join(logs, `${container.name}.stderr`),
  };
  const args = await containerArguments(container, setting);
  containers.add(id);
  let late = false;
  let over = false;
  // Again and again: it may not even have been made when its time is over.
  const stop = async () => {
    late = true;
    for (; !over; await sleep(100))
      await podman(['stop', '--time', String(grace), id]).catch(() => undefined);
  };
  const timer = Number.isFinite(ends)
    ? setTimeout(() => void stop(), Math.max(0, ends - performance.now()))
    : undefined;
  try {
    const running = podmanInto(files, ['run', '--name', id, ...args]).finally(() => {
      over = true;
    });
    // A failed look must not leave the container running.
    const looked = look(id, container.name, running, whileRunning).catch(async (error: unknown) => {
      await podman(['kill', id]);
      throw error;
    });
    const [exitCode] = await Promise.all([running, looked]);
    const stdout = readFileSync(files.stdout, 'utf8');
    const stderr = readFileSync(files.stderr, 'utf8');
    if (exitCode === 125) {
      const hint = stderr.includes('image not known')
        ? ' (test/e2e/containers/install.sh makes the images)'
        : '';
      throw new Error(`podman cannot run container ${container.name}: ${stderr.trim()}${hint}`);
    }
    return { result: { name: container.name, exitCode, stdout, stderr }, late };
  } finally {
    over = true;
    clearTimeout(timer);
    await podman(['rm', '--force', '--time', '0', id]);
    containers.delete(id);
  }
}

async function look(
  id: string,
  name: string,
  running: Promise<number>,
  whileRunning: Look | undefined,
): Promise<void> {
  if (!whileRunning) return;
  let over = false;
  running.then(
    () => (over = true),
    () => (over = true),
  );
  const found = await runningContainer(id, name, () => over);
  if (found) await whileRunning(found);
}
