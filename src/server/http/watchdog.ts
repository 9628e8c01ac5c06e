/** Gives up on clients that went silent: nothing is won by waiting, and a lease and a file are held meanwhile. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { timerMs } from '../timers.ts';

const LOOKS = 4;

/** Calls `giveUp` once, if nothing moved for `idleMs` or after `totalMs`. Returns how to stop. */
function watch(
  { idleMs, totalMs }: { idleMs: number; totalMs: number },
  progress: () => number | undefined,
  giveUp: () => void,
): () => void {
  let last = progress();
  let since = performance.now();
  const stop = () => {
    clearInterval(interval);
    clearTimeout(timeout);
  };
  const interval = setInterval(
    () => {
      const now = performance.now();
      const moved = progress();
      if (moved === undefined || moved !== last) {
        last = moved;
        since = now;
      } else if (now - since >= idleMs) {
        stop();
        giveUp();
      }
    },
    timerMs(idleMs / LOOKS),
  ).unref();
  const timeout = setTimeout(() => {
    stop();
    giveUp();
  }, timerMs(totalMs)).unref();
  return stop;
}

/** Watches a body that comes in. Time in which we are the ones who do not read does not count as silence. */
export function watchUpload(
  request: IncomingMessage,
  limits: { idleMs: number; totalMs: number },
  giveUp: () => void,
): () => void {
  return watch(
    limits,
    () => (request.readableFlowing && !request.complete ? request.socket.bytesRead : undefined),
    giveUp,
  );
}

/** Watches an answer that goes out. */
export function watchDownload(
  response: ServerResponse,
  limits: { idleMs: number; totalMs: number },
  giveUp: () => void,
): () => void {
  const stop = watch(limits, () => unsent(response), giveUp);
  response.once('close', stop);
  return stop;
}

/** Bytes that the system has taken from us: what waits in our own memory does not count as moved. */
function unsent({ socket }: ServerResponse): number | undefined {
  return socket ? (socket.bytesWritten ?? 0) - socket.writableLength : undefined;
}
