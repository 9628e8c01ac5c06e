/** Keeps the memory of a process small that does little but pass buffers on. */

/**
 * Read by V8 when it starts, and without effect afterwards. Buffers outside of its heap make V8 collect garbage every 64 MB of them;
 * done at once that takes milliseconds in a heap as small as ours, but done piece by piece it cost a third of all processor time
 * while data streamed: 1 GiB through the server took 1.3 seconds of it instead of 2.2.
 */
const V8_FLAGS = ['--max-semi-space-size=1', '--no-incremental-marking'];
/**
 * Read by glibc when a process starts: larger buffers go back to the system once they are freed. To set it also keeps glibc from
 * raising it by itself. At 64 KiB, the size of most buffers here, an upload lost a fifth of its throughput.
 */
const MALLOC_VARIABLE = 'MALLOC_MMAP_THRESHOLD_';
const MALLOC_BYTES = '131072';

/**
 * Replaces the process by itself with settings for such work, unless it runs with them already. Nearly all garbage are
 * buffers of 64 KiB behind small objects: with V8's and glibc's defaults a hundred megabytes of them pile up, measured
 * in bench/README.md. The process id stays. Where a process cannot be replaced, it goes on as it is.
 */
export function withLeanMemory(): void {
  const { env, execve, execArgv, execPath, argv, platform } = process;
  if (platform !== 'linux' || execve === undefined || env[MALLOC_VARIABLE] !== undefined) return;
  execve(execPath, [execPath, ...V8_FLAGS, ...execArgv, ...argv.slice(1)], {
    ...env,
    [MALLOC_VARIABLE]: MALLOC_BYTES,
  });
}
