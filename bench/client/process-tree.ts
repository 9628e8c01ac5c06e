/** What the kernel says of a process and all below it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Proportional resident memory of everything that a session's leader started, without itself, in MiB. */
export function memoryBelow(leader: number): number {
  let kib = 0;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === leader) continue;
    try {
      // A command of the client runs in a session of its own: it counts with its parent.
      if (statOf(pid).session !== leader && !isBelow(pid, leader)) continue;
      kib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // The process is gone.
    }
  }
  return kib / 1024;
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; ) {
    at = statOf(at).parent;
    if (at === ancestor) return true;
  }
  return false;
}

function statOf(pid: number): { parent: number; session: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), session: Number(fields[3]) };
}
