/**
 * The least that a server for uploads can do: hash with SHA-256, write to a file, flush. What ours is compared to.
 *
 *   node bench/server-bare.ts <folder>      prints the port that it listens on
 */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const folder = process.argv[2] ?? '.';

const server = createServer(async (request, response) => {
  const path = join(folder, randomUUID());
  const hash = createHash('sha256');
  request.on('data', (chunk) => hash.update(chunk));
  await pipeline(request, createWriteStream(path));
  const file = await open(path, 'r+');
  await file.datasync();
  await file.close();
  response.end(hash.digest('hex'));
  await unlink(path);
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
