/** Ports for servers that cannot choose one by themselves. */
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to whoever asks for any, and to connections: none of these can have it taken between here and
 * the server that it is for. Above those that services of distributions use.
 */
const [LOWEST, HIGHEST] = [12_000, 29_000];

// Somewhere, because other processes of tests look for ports too.
let next = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));

/** A port on which nothing listens; never the same one twice in a process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next;
    next = port < HIGHEST ? port + 1 : LOWEST;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // On all addresses, as some of the servers listen.
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
