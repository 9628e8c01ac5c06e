/** Keeps the memory of a process small that does little but pass buffers on. */
import { LEAN_MALLOC } from '../client/command/environment.ts';

/**
 * Read by V8 when it starts, and without effect afterwards. Only such flags with which V8 still takes Node.js's own modules from its cache,
 * which it does not with most: compiling them anew is a fifth of the time of starting.
 */
export const V8_FLAGS: readonly string[] = ['--max-semi-space-size=1'];

/** What differs between programs. */
export interface LeanMemory {
  /** More flags of V8. */
  flags: readonly string[];
  /** For glibc, which reads them when a process starts. Whoever sets the first one by themselves has it their way. */
  variables: Readonly<Record<string, string>>;
}

/**
 * Of the server: larger buffers go back to the system once they are freed. To set it also keeps glibc from raising it by itself.
 * At 64 KiB, the size of most buffers there, an upload lost a fifth of its throughput.
 */
export const SERVER_MEMORY: LeanMemory = { flags: [], variables: { MALLOC_MMAP_THRESHOLD_: '131072' } };

/**
 * Of the client: what is freed is used again instead of given back and got anew, which took a tenth of the processor time. A few large
 * buffers at a time are all there is. Its heap is so small that threads only get in each other's way when they collect it.
 */
export const CLIENT_MEMORY: LeanMemory = { flags: ['--single-threaded-gc'], variables: LEAN_MALLOC };

/**
 * Replaces the process by itself with settings for such work, unless it runs with them already. Nearly all garbage are
 * buffers of 64 KiB behind small objects: with V8's and glibc's defaults a hundred megabytes of them pile up, measured
 * in bench/README.md. The process id stays. Where a process cannot be replaced, it goes on as it is.
 */
export function withLeanMemory({ flags, variables }: LeanMemory): void {
  const { env, execve, execArgv, execPath, argv, platform } = process;
  const [first = ''] = Object.keys(variables);
  if (platform !== 'linux' || execve === undefined || env[first] !== undefined) return;
  execve(execPath, [execPath, ...V8_FLAGS, ...flags, ...execArgv, ...argv.slice(1)], {
    ...env,
    ...variables,
  });
}
