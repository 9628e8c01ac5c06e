/**
 * The least that a server for uploads can do: hash with SHA-256, write to a file, flush; and read it back. What ours is
 * compared to.
 *
 *   node bench/server/bare.ts <folder>      prints the port that it listens on
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const folder = process.argv[2] ?? '.';

const server = createServer((request, response) => {
  // curl hangs up as soon as it has the last byte, which Node.js may see before it has finished.
  answer(request, response).catch(() => response.destroy());
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = request.url?.replaceAll(/\W/g, '') ?? '';
  // Nothing but an answer, for rates.
  if (name === '') {
    response.end('{}');
    return;
  }
  const path = join(folder, name);
  if (request.method === 'GET') {
    response.setHeader('Content-Length', (await stat(path)).size);
    await pipeline(createReadStream(path), response);
    return;
  }
  const hash = createHash('sha256');
  request.on('data', (chunk) => hash.update(chunk));
  await pipeline(request, createWriteStream(path));
  const file = await open(path, 'r+');
  await file.datasync();
  await file.close();
  response.end(hash.digest('hex'));
}
