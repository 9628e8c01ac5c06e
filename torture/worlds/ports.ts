/** Ports that stay a server's own while it is down: below those that systems give to whoever asks for any. */
import { createServer } from 'node:net';

const FIRST = 20_000;
const COUNT = 12_000;

export async function ownPort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}
