/** A server in a process of its own, with settings that the program has no flags for. */
import { startServer } from '../../../../src/server/start.ts';

const { port, ...options } = JSON.parse(process.argv[2] ?? '{}');

const running = await startServer({
  provider: 'filesystem',
  namespace: 'backup-repository',
  listen: { host: '127.0.0.1', port },
  log: { level: 'info' },
  ...options,
});
process.once('SIGTERM', () => void running.close());
