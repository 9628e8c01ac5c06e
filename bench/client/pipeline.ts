/**
 * Runs shell pipelines and says what they cost.
 *
 * Time and memory are measured in runs of their own: summing up the memory of a process as large as ours stops it each
 * time, twenty times a second, and so would make slower what is to be measured.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryBelow } from './process-tree.ts';

export interface Cost {
  seconds: number;
  /** User and system time of all processes that were waited for, as the kernel counts it. */
  cpuSeconds: number;
}

export interface Options {
  env: NodeJS.ProcessEnv;
  cwd: string;
}

/** @throws if the pipeline fails anywhere. */
export async function costOf(script: string, options: Options): Promise<Cost> {
  const { times } = await run(script, options, async () => {});
  const [seconds = Number.NaN, user = Number.NaN, system = Number.NaN] = times;
  return { seconds, cpuSeconds: user + system };
}

/** Most proportional resident memory of all its processes at one time, in MiB. @throws if the pipeline fails anywhere. */
export async function peakOf(script: string, options: Options): Promise<number> {
  let peak = 0;
  await run(script, options, async (pid, running) => {
    while (running()) {
      peak = Math.max(peak, memoryBelow(pid));
      await sleep(50);
    }
  });
  return peak;
}

async function run(
  script: string,
  { env, cwd }: Options,
  watch: (pid: number, running: () => boolean) => Promise<void>,
): Promise<{ times: number[] }> {
  const child = spawn(
    '/bin/bash',
    ['-euo', 'pipefail', '-c', `TIMEFORMAT='%R %U %S'; time { ${script}\n} 2>&3 3>&-`],
    { cwd, env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] },
  );
  let times = '';
  let problems = '';
  child.stderr?.on('data', (text) => {
    times += String(text);
  });
  child.stdio[3]?.on('data', (text) => {
    problems = (problems + String(text)).slice(-2000);
  });
  let running = true;
  const ended = once(child, 'close').then(([code]) => {
    running = false;
    return code as number;
  });
  await watch(child.pid ?? 0, () => running);
  const code = await ended;
  if (code !== 0) throw new Error(`exit ${code}: ${script}\n${problems}${times}`);
  return { times: times.trim().split(/\s+/).slice(-3).map(Number) };
}
