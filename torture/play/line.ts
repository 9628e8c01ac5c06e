/** A line to the server that fails as the round says, one connection after the other. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LineFault } from '../disturbances.ts';

const SLOW_MS = 15;
const SLOW_BYTES = 24 * 1024;
const LATE_MS = 400;
/** Bits are only flipped in what a digest protects: whoever changes the rest could as well have sent something else. */
const UPLOAD = /^POST \S+\/version HTTP/;
const DOWNLOAD = /^GET \S+\/version\/\S+ HTTP/;

export class Line {
  readonly #port: number;
  readonly #faults: readonly LineFault[];
  readonly #hit: (what: string) => void;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #connections = 0;

  /** @param hit told of each fault that comes about */
  static async to(target: string, faults: readonly LineFault[], hit: (what: string) => void): Promise<Line> {
    const line = new Line(Number(new URL(target).port), faults, hit);
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  private constructor(port: number, faults: readonly LineFault[], hit: (what: string) => void) {
    this.#port = port;
    this.#hit = hit;
    this.#faults = faults;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#serve(client));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(client: Socket): void {
    const fault = this.#faults[this.#connections++ % this.#faults.length] as LineFault;
    const server = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    const connection = new Connection(client, server, fault, () => this.#hit(fault.what));
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket
        .on('error', () => {})
        .once('close', () => {
          this.#sockets.delete(socket);
          connection.closed();
        });
    }
    connection.run();
  }
}

class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #fault: LineFault;
  readonly #hit: () => void;
  #request = '';
  /** Nothing passes any more, not even that one side has gone. */
  #stalled = false;
  #slow = false;

  constructor(client: Socket, server: Socket, fault: LineFault, hit: () => void) {
    this.#client = client;
    this.#server = server;
    this.#fault = fault;
    this.#hit = hit;
  }

  run(): void {
    this.#pass(this.#client, this.#server, 'server').catch(() => this.#cut());
    this.#pass(this.#server, this.#client, 'client').catch(() => this.#cut());
  }

  closed(): void {
    if (!this.#stalled) this.#cut();
  }

  #cut(): void {
    if (!this.#client.destroyed) this.#client.resetAndDestroy();
    this.#server.destroy();
  }

  async #pass(from: Socket, to: Socket, towards: LineFault['towards']): Promise<void> {
    let head = Buffer.alloc(0);
    /** Where the piece begins, counted from the end of the head; undefined as long as that is not known. */
    let at: number | undefined;
    for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (at === undefined) {
        head = Buffer.concat([head, piece]);
        if (towards === 'server') this.#request ||= head.toString('latin1', 0, 300);
        const end = head.indexOf('\r\n\r\n');
        if (end >= 0) at = head.length - piece.length - (end + 4);
      }
      const bytes = await this.#spoil(piece, at, towards);
      if (this.#stalled) continue;
      if (bytes === undefined) return this.#cut();
      if (to.destroyed) return;
      if (this.#fault.what === 'slow') await this.#slowly(bytes, to);
      else if (!to.write(bytes))
        await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
      if (at !== undefined) at += piece.length;
    }
    if (!this.#stalled) to.end();
  }

  /** @returns what to pass on, or undefined to cut the line */
  async #spoil(
    piece: Buffer,
    at: number | undefined,
    towards: LineFault['towards'],
  ): Promise<Buffer | undefined> {
    const { what, byte, bit } = this.#fault;
    if (at === undefined || this.#fault.towards !== towards) return piece;
    const place = byte - at;
    if (place < 0 || place >= piece.length) return piece;
    switch (what) {
      case 'cut':
        this.#hit();
        return undefined;
      case 'stall':
        this.#hit();
        this.#stalled = true;
        return piece;
      case 'late':
        this.#hit();
        await sleep(LATE_MS);
        return piece;
      case 'flip': {
        if (!(towards === 'server' ? UPLOAD : DOWNLOAD).test(this.#request)) return piece;
        this.#hit();
        const changed = Buffer.from(piece);
        changed[place] = (changed[place] ?? 0) ^ (1 << bit);
        return changed;
      }
      default:
        return piece;
    }
  }

  async #slowly(bytes: Buffer, to: Socket): Promise<void> {
    if (!this.#slow) this.#hit();
    this.#slow = true;
    for (let at = 0; at < bytes.length && !to.destroyed; at += SLOW_BYTES) {
      to.write(bytes.subarray(at, at + SLOW_BYTES));
      await sleep(SLOW_MS);
    }
  }
}
