/** What tests of the client need: a repository with short waits, servers that misbehave, content, and failures to look at. */
import { createCipheriv } from 'node:crypto';
import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/api/problem.ts';
import {
  openRepository,
  type Repository,
  type RepositoryOptions,
} from '../../../src/client/http/repository.ts';
import { SILENT } from '../../../src/client/report.ts';
import { PATIENCE_MS } from '../../eventually.ts';

export const SECRET = 'a-very-secret-token';

/** A repository whose warnings are collected; it is quick to try again, and slow to give up. */
export function repositoryAt(
  url: string,
  options: Partial<RepositoryOptions> = {},
): Repository & { warnings: string[] } {
  const warnings: string[] = [];
  const repository = openRepository({
    url,
    credentials: { kind: 'token', token: SECRET },
    idleTimeoutMs: PATIENCE_MS,
    signal: new AbortController().signal,
    report: { ...SILENT, warn: (message) => warnings.push(message) },
    backoffMs: [1, 1, 1],
    random: () => 0,
    env: {},
    ...options,
  });
  return Object.assign(repository, { warnings });
}

/** The failure of something that must fail, as a person sees it. No failure may hold a secret. */
export async function failureOf(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; hint: string }> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, proposal = '' } = error.problem;
    const all = `${message} ${proposal} ${error.cause instanceof Error ? error.cause.message : ''}`;
    assert.not.match(all, /very-secret|admin-password/);
    assert.not.match(message, /\n|\.$/);
    return { code, message, hint: proposal };
  }
  throw new Error('it did not fail');
}

export interface Hostile {
  url: string;
  port: number;
  /** How many connections there were. */
  connections: () => number;
  close(): Promise<void>;
}

/** A server that does with sockets what it likes. */
export function hostile(onConnection: (socket: Socket, index: number) => void): Promise<Hostile> {
  return listen(
    createServer((socket) => socket.on('error', () => {})),
    onConnection,
  );
}

/** A server that speaks HTTP, but not as it should. */
export async function web(listener: RequestListener): Promise<Hostile> {
  const server = createHttpServer(listener);
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  return listen(server, () => {});
}

export interface Said {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

/** A server that says the same to everything. */
export function saying(
  { status, body = '', headers = {} }: Said,
  seen: IncomingHttpHeaders[] = [],
): Promise<Hostile> {
  return web((request, response) => {
    seen.push(request.headers);
    response.writeHead(status, headers).end(body);
  });
}

async function listen(
  server: Server,
  onConnection: (socket: Socket, index: number) => void,
): Promise<Hostile> {
  const sockets = new Set<Socket>();
  let count = 0;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket, count++);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections: () => count,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs with a server, and closes it whatever happens. */
export async function withServer(
  opened: Promise<Hostile>,
  run: (server: Hostile) => Promise<void>,
): Promise<void> {
  const server = await opened;
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

/** Bytes that differ from place to place, the same in each run. */
export function bytes(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Content in pieces, and whether it was told to stop. */
export function content(...pieces: readonly (Buffer | Error | (() => Promise<unknown>))[]) {
  const state = { given: 0, stopped: false };
  async function* generate(): AsyncGenerator<Buffer> {
    try {
      for (const piece of pieces) {
        if (piece instanceof Error) throw piece;
        if (typeof piece === 'function') {
          await piece();
          continue;
        }
        state.given++;
        yield piece;
      }
    } finally {
      state.stopped = true;
    }
  }
  return Object.assign(generate(), { state });
}

export async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** An error in the envelope, as the original's server sends it: no headers of ours. */
export function envelope(error: string, data: object = {}): string {
  return JSON.stringify({ status: false, error, data }, null, 4);
}

export function success(data: object): string {
  return JSON.stringify({ status: true, data }, null, 4);
}
