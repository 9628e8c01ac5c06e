/** Keeps the memory of a process small that does little but pass buffers on. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LEAN_MALLOC } from '../client/command/environment.ts';

/**
 * Read by V8 when it starts, and without effect afterwards. Buffers outside of its heap make V8 collect garbage every 64 MB of them;
 * done at once that takes milliseconds in a heap as small as ours, but done piece by piece it cost a third of all processor time
 * while data streamed: 1 GiB through the server took 1.3 seconds of it instead of 2.2.
 */
export const V8_FLAGS: readonly string[] = ['--max-semi-space-size=1', '--no-incremental-marking'];

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

/** Buffers, garbage or not, from which on garbage is collected. V8 by itself waits for 64 MB more than there were. */
const MOST_BUFFER_BYTES = 24 * 1024 * 1024;
/** From here on, looking at young objects has not been enough. */
const MOST_OLD_BUFFER_BYTES = 40 * 1024 * 1024;
const LOOK_EVERY_MS = 10;
/** Looks that are left out behind a full collection, so that it does not become the main work where so many buffers are in use. */
const RESTS = 5;

/**
 * Collects garbage before V8 would. For the client, which shares its pod's memory limit with a database's tools: its peak was 165 MiB, and is
 * 25 MiB less with this. Nearly all buffers die young, and to look only at young objects takes a twentieth of the time of a full
 * collection. A server with many transfers better leaves it to V8.
 */
export function collectBuffersEarly(): void {
  let collect: Collector | undefined;
  let rests = 0;
  const buffers = () => process.memoryUsage().arrayBuffers;
  const look = () => {
    if (buffers() < MOST_BUFFER_BYTES) return;
    collect ??= exposeCollector();
    collect({ type: 'minor' });
    if (rests-- > 0 || buffers() < MOST_OLD_BUFFER_BYTES) return;
    collect();
    rests = RESTS;
  };
  setInterval(look, LOOK_EVERY_MS).unref();
}

type Collector = (options?: { type: 'minor' }) => void;

/** What `node --expose-gc` has, for here only: nobody else sees it. */
function exposeCollector(): Collector {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collector;
}
