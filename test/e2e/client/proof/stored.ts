/** A version as the real server gives it, given by a server that cuts or changes it. One listener for each case. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDigest, HEADERS } from '../../../../src/wire/headers.ts';

export interface Stored {
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

/** What happens to a download, first of all and each time it is taken up again. */
export interface Tampering {
  /** Header lines instead of the original's. */
  headers?: Record<string, string>;
  bytes: Buffer;
  /** How the bytes are framed: by their length, by that of the original, or in chunks. */
  framing: 'own-length' | 'whole-length' | 'chunked';
  /** What follows the last byte; `stall`: nothing, for ever. */
  end: 'clean' | 'reset' | 'stall';
  /** What those get who ask for the rest. */
  rest: 'reset' | 'nothing' | 'never';
}

/** Time between the last byte and what follows: a loader that has all it needs could act on it. */
const PAUSE_MS = 250;

/** The headers of a server that knows nothing of digests, versions and marks, as the original's. */
const PLAIN = { 'Content-Type': 'application/octet-stream' };

/** The original's headers, as they come from the real server. */
export function allHeaders({ headers }: Stored): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name, value]) =>
      typeof value === 'string' &&
      !['content-length', 'connection', 'keep-alive', 'transfer-encoding'].includes(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

/** Without what says which bytes are right. */
export function withoutDigest(stored: Stored): Record<string, string> {
  const { etag: _, [HEADERS.digest]: __, ...rest } = allHeaders(stored);
  return rest;
}

/** With the digest of what is given in place of the original's: whoever has the server can do that. */
export function withOwnDigest(stored: Stored, bytes: Buffer): Record<string, string> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...withoutDigest(stored), [HEADERS.digest]: formatDigest(sha256) };
}

/** Serves while `work` runs, which gets the address. */
export async function serveTampered<T>(
  stored: Stored,
  tampering: Tampering,
  work: (url: string, requests: () => number) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    let head = '';
    socket.on('data', (text) => {
      head += text.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const range = /\r\nrange: bytes=(\d+)-/i.exec(head)?.[1];
      head = '';
      requests++;
      void (range === undefined ? first(socket, stored, tampering) : again(socket, stored, tampering, range));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => requests);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function first(socket: Socket, stored: Stored, tampering: Tampering): Promise<void> {
  const { headers = PLAIN, bytes, framing, end } = tampering;
  const length = framing === 'own-length' ? bytes.length : stored.bytes.length;
  const chunked = framing === 'chunked';
  const body = chunked ? chunk(bytes) : bytes;
  // What ends a chunked body comes later, like everything that ends.
  const held = end === 'clean' && !chunked ? Math.min(1, body.length) : 0;
  socket.write(
    headOf('200 OK', {
      ...headers,
      ...(chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(length) }),
    }),
  );
  if (body.length > held) socket.write(body.subarray(0, body.length - held));
  if (end === 'stall') return;
  await sleep(PAUSE_MS);
  if (end === 'reset') socket.resetAndDestroy();
  else socket.end(chunked ? '0\r\n\r\n' : body.subarray(body.length - held));
}

async function again(
  socket: Socket,
  stored: Stored,
  { rest, headers = {} }: Tampering,
  from: string,
): Promise<void> {
  if (rest === 'reset' || rest === 'never') {
    socket.resetAndDestroy();
    return;
  }
  const size = stored.bytes.length;
  const range = { 'Content-Range': `bytes ${from}-${size - 1}/${size}` };
  socket.write(
    headOf('206 Partial Content', { ...headers, ...range, 'Content-Length': String(size - Number(from)) }),
  );
  await sleep(20);
  socket.resetAndDestroy();
}

function headOf(status: string, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\nConnection: close\r\n${lines.join('')}\r\n`;
}

function chunk(bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}
