/** Memory that is really in use: unlike resident memory, it does not depend on when V8 feels like collecting. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of all buffers that something still refers to. Collects garbage first, which takes some milliseconds. */
export function liveBufferBytes(): number {
  collectAll();
  return process.memoryUsage().arrayBuffers;
}

/** The same of objects. */
export function liveHeapBytes(): number {
  collectAll();
  return process.memoryUsage().heapUsed;
}

function collectAll(): void {
  // Twice: what is released by finalizers of the first collection counts until the second.
  collect();
  collect();
}
