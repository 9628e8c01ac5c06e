/** Time of the processor: unlike that of the clock, it does not depend on what else the machine does. */

/** A moment to measure from. */
export function cpuTime(): NodeJS.CpuUsage {
  return process.cpuUsage();
}

/** Milliseconds that this process has had the processor since then. */
export function cpuMsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
