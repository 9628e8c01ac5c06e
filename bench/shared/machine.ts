/** What the machine is and what else it did: without both, a figure means nothing. */
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Machine {
  cpu: string;
  cores: number;
  memory: string;
  system: string;
  node: string;
  /** What was running when the measurement began, as the system counts it over a minute. Ours should be alone. */
  load: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** For the line above a table. */
export function machineText({ cpu, cores, memory, system, node, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memory}, ${system}; Node.js ${node}; load before: ${load.toFixed(1)}`;
}
