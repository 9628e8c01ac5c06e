/** A server in a process of its own that throws uploads away, and gives downloads out of nothing. Prints its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const PIECE = Buffer.alloc(64 * 1024, 'x');

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    let left = Number(request.url?.split('/').at(-1));
    response.writeHead(200, { 'content-length': left });
    const give = () => {
      while (left > 0) {
        const piece = PIECE.subarray(0, left);
        left -= piece.length;
        if (!response.write(piece)) return void response.once('drain', give);
      }
      response.end();
    };
    give();
    return;
  }
  let filesize = 0;
  request.on('data', (piece: Buffer) => {
    filesize += piece.length;
  });
  request.once('end', () =>
    response.end(JSON.stringify({ status: true, data: { version: { versionNumber: 1, filesize } } })),
  );
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
