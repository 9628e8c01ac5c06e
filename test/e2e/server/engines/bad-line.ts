/** A line to a server that goes bad on command: silent, cut, or answering for it. */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of one connection's bytes. Each side's handler returns what to pass on, or undefined to cut the line. */
export interface Behaviour {
  /** Bytes on their way to the server. */
  request?(bytes: Buffer, connection: Connection): Buffer | undefined;
  /** Bytes on their way back. */
  response?(bytes: Buffer, connection: Connection): Buffer | undefined;
}

export interface Connection {
  /** Answers in the server's place. */
  answer(text: string): void;
  /** Bytes that came back so far. */
  received: number;
}

const NOTHING = Buffer.alloc(0);

/** Passes nothing on, and says nothing. */
export const silent: Behaviour = { request: () => NOTHING, response: () => NOTHING };

/** Cuts every connection as soon as somebody speaks. */
export const cut: Behaviour = { request: () => undefined };

/** Answers every request with a status of HTTP and S3's form of an error. */
export function answering(status: number, code: string): Behaviour {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
  const text = `HTTP/1.1 ${status} No\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  return {
    request: (_, connection) => {
      connection.answer(text);
      return NOTHING;
    },
  };
}

export class BadLine {
  behaviour: Behaviour = {};
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#server = createServer((client) => this.#serve(client, connect(target, '127.0.0.1')));
  }

  static async to(target: number): Promise<BadLine> {
    const line = new BadLine(target);
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** Cuts all connections that there are. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cutAll();
    this.#server.close();
  }

  #serve(client: Socket, server: Socket): void {
    const connection: Connection = { answer: (text) => client.end(text), received: 0 };
    const both = [client, server];
    const cutBoth = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        cutBoth();
      });
    }
    const pass = (from: Socket, to: Socket, change: (bytes: Buffer) => Buffer | undefined) => {
      from.on('data', (bytes: Buffer) => {
        const changed = change(bytes);
        if (changed === undefined) cutBoth();
        else if (changed.length > 0 && !to.write(changed)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    };
    pass(client, server, (bytes) =>
      this.behaviour.request ? this.behaviour.request(bytes, connection) : bytes,
    );
    pass(server, client, (bytes) => {
      connection.received += bytes.length;
      return this.behaviour.response ? this.behaviour.response(bytes, connection) : bytes;
    });
  }
}
