/** Stands before the server as an Ingress does, sees what is said, and can hold or lose it. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  method: string;
  path: string;
  /** The bearer token; empty without one. */
  token: string;
}

/** Sees a request before the server does. It goes on when this returns. */
export type Watch = (seen: Seen) => Promise<void> | void;
/** True: the server has done it, and whoever asked never hears of it. */
export type Lose = (seen: Seen) => boolean;

export class Ingress {
  readonly watches = new Set<Watch>();
  readonly loses = new Set<Lose>();
  readonly #server: http.Server;
  readonly #target: number;
  readonly #agent = new http.Agent({ keepAlive: true });

  private constructor(target: number) {
    this.#target = target;
    this.#server = http.createServer((request, response) => void this.#forward(request, response));
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue();
      void this.#forward(request, response);
    });
  }

  /** Listens on a free port of this machine, for the server at another one. */
  static async start(target: number): Promise<Ingress> {
    const ingress = new Ingress(target);
    await new Promise<void>((resolve) => ingress.#server.listen(0, '127.0.0.1', resolve));
    return ingress;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, token: (headers.authorization ?? '').replace(/^Bearer /, '') };
    try {
      for (const watch of this.watches) await watch(seen);
    } catch {
      request.socket.destroy();
      return;
    }
    const { expect: _expect, connection: _connection, ...kept } = headers;
    const onward = http.request({
      host: '127.0.0.1',
      port: this.#target,
      method,
      path,
      headers: kept,
      agent: this.#agent,
    });
    onward.on('error', () => request.socket.destroy());
    request.on('error', () => onward.destroy());
    onward.on('response', (answer) => {
      if ([...this.loses].some((lose) => lose(seen))) {
        answer.resume();
        answer.on('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    request.on('data', (chunk: Buffer) => {
      if (!onward.write(chunk)) {
        request.pause();
        onward.once('drain', () => request.resume());
      }
    });
    request.on('end', () => {
      if (Object.keys(request.trailers).length > 0)
        onward.addTrailers(request.trailers as http.OutgoingHttpHeaders);
      onward.end();
    });
  }
}
