/** Runs shell pipelines and says what they cost: wall time, CPU time of all their processes, and their memory together. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Cost {
  seconds: number;
  /** User and system time of all processes that were waited for. */
  cpuSeconds: number;
  /** Most proportional resident memory of all processes at one time, in MiB, looked at twenty times a second. */
  peakMiB: number;
}

/** @throws if the pipeline fails anywhere. */
export async function costOf(script: string, env: NodeJS.ProcessEnv, cwd: string): Promise<Cost> {
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
  const ended = once(child, 'close') as Promise<[number]>;
  let running = true;
  let peakMiB = 0;
  const watching = (async () => {
    while (running) {
      peakMiB = Math.max(peakMiB, memoryOf(child.pid ?? 0));
      await sleep(50);
    }
  })();
  const [code] = await ended;
  running = false;
  await watching;
  if (code !== 0) throw new Error(`exit ${code}: ${script}\n${problems}${times}`);
  const [seconds = 0, user = 0, system = 0] = times.trim().split(/\s+/).slice(-3).map(Number);
  return { seconds, cpuSeconds: user + system, peakMiB };
}

/** Of all processes of the session, without the measuring shell itself. MiB. */
function memoryOf(session: number): number {
  let kib = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === session) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // A command of the client runs in a session of its own: it counts with its parent.
      if (Number(fields[3]) !== session && !isBelow(Number(pid), session)) continue;
      kib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // The process is gone.
    }
  }
  return kib / 1024;
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; ) {
    const stat = readFileSync(`/proc/${at}/stat`, 'utf8');
    at = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (at === ancestor) return true;
  }
  return false;
}
