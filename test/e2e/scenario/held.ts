/** Stops a pod at one of its requests, so that there is time to look at it. */

import { PATIENCE_MS } from '../../eventually.ts';
import type { PodRequest } from '../containers/pod.ts';
import type { RunningContainer } from '../containers/podman.ts';
import type { Ingress, Seen } from './ingress.ts';

/**
 * Options for a pod whose request of this sort waits while `look` looks at the container that made it. What `look` throws fails the
 * pod's run, as does a container that ends without such a request.
 */
export function heldAt(
  ingress: Ingress,
  isIt: (seen: Seen) => boolean,
  look: (container: RunningContainer, seen: Seen) => Promise<void>,
): Pick<PodRequest, 'whileRunning'> {
  return {
    whileRunning: async (container) => {
      if (container.name === 'client') return;
      const reached = Promise.withResolvers<Seen>();
      const released = Promise.withResolvers<void>();
      const watch = (seen: Seen) => {
        if (!isIt(seen)) return;
        reached.resolve(seen);
        return released.promise;
      };
      const timer = setTimeout(
        () => reached.reject(new Error(`${container.name} did not ask for what it should be held at`)),
        2 * PATIENCE_MS,
      );
      ingress.watches.add(watch);
      try {
        await look(container, await reached.promise);
      } finally {
        clearTimeout(timer);
        ingress.watches.delete(watch);
        released.resolve();
      }
    },
  };
}
