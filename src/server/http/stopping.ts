/** Starting to sweep, and stopping without breaking off what can still be finished. */
import type { FastifyInstance } from 'fastify';
import { timerMs } from '../timers.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';

/** Time for what was broken off to clean up before its connections are cut. */
const LAST_MS = 2000;

export function sweepAndStop(server: FastifyInstance, { settings, sweeper, transfers, log }: App): void {
  server.addHook('onReady', async () => sweeper.start());
  let deadline: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    transfers.closing = true;
    if (transfers.count > 0)
      log.info({ transfers: transfers.count }, 'waiting for uploads and downloads to finish');
    deadline = setTimeout(() => {
      log.warn({ transfers: transfers.count }, 'breaking off uploads and downloads');
      transfers.abortAll(new Refused('shutting-down', 'the server is shutting down'));
      setTimeout(() => server.server.closeAllConnections(), LAST_MS).unref();
    }, timerMs(settings.shutdownTimeoutMs));
  });
  server.addHook('onClose', async () => {
    clearTimeout(deadline);
    await sweeper.stop();
  });
}
