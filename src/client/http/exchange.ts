/** One request and its answer, on a connection that may break or fall silent at any time. */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection, Opening } from './connection.ts';
import { readBeforeFailing } from './read-before-failing.ts';

/** Most time for looking up the name, connecting, and TLS. */
const CONNECT_MS = 30_000;
/** Answers to anything but downloads are never larger. */
const MOST_ANSWER_BYTES = 32 * 1024 * 1024;

/** The code of errors that stand for silence. */
export const SILENT = 'SILENT';
/** The code of errors that stand for a connection that did not come about in time. */
export const NOT_CONNECTED = 'NOT_CONNECTED';

/** A whole answer. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export class Exchange {
  readonly outgoing: ClientRequest;
  /** Resolves when the request's headers are on their way. Never rejects. */
  readonly connected: Promise<void>;
  readonly #connection: Connection;
  #response: IncomingMessage | undefined;
  #failed: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** Whether it is the other side's turn, so that silence counts. */
  #watching = true;
  #connectTimer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, opening: Opening) {
    this.#connection = connection;
    const { idleTimeoutMs, signal } = connection;
    signal.throwIfAborted();
    this.outgoing = connection.begin(opening);
    const connectMs = shorter(CONNECT_MS, idleTimeoutMs);
    this.#connectTimer = setTimeout(() => this.fail(silence(connectMs, NOT_CONNECTED)), connectMs);
    this.connected = new Promise((resolve) => {
      this.outgoing.once('socket', (socket) => {
        if (opening.lane === 'transfer') readBeforeFailing(socket);
        const onTimeout = () => {
          if (this.#watching) this.fail(silence(idleTimeoutMs, SILENT));
        };
        whenReady(socket, () => {
          clearTimeout(this.#connectTimer);
          socket.setTimeout(idleTimeoutMs);
          socket.on('timeout', onTimeout);
          resolve();
        });
        this.outgoing.once('close', () => socket.off('timeout', onTimeout));
      });
    });
    this.outgoing.once('response', (response) => {
      this.#response = response;
      // Whoever reads it meets the error there; nobody reading it is no reason to crash.
      response.on('error', () => {});
      this.#wake?.();
    });
    this.outgoing.on('error', (error) => this.fail(error));
    const onAbort = () => this.fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.outgoing.once('close', () => {
      clearTimeout(this.#connectTimer);
      signal.removeEventListener('abort', onAbort);
      this.fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
    });
  }

  /** True if there is an answer, or will never be one. */
  get over(): boolean {
    return this.#response !== undefined || this.#failed !== undefined;
  }

  /** Ends the exchange with an error, unless it has one or is complete. */
  fail(error: unknown): void {
    if (this.#failed || this.#response?.complete) return;
    // A request that cannot be sent to its end may have an answer nevertheless.
    if (this.#response && error !== this.#connection.signal.reason && codeOf(error) !== SILENT) return;
    this.#failed = { error };
    this.outgoing.destroy();
    this.#response?.destroy(error as Error);
    this.#wake?.();
  }

  /** Closes the connection of a transfer at once, whatever is on its way. */
  destroy(): void {
    clearTimeout(this.#connectTimer);
    this.outgoing.destroy();
  }

  /** From now on silence counts; the clock starts anew. */
  watch(): void {
    this.#watching = true;
    this.outgoing.socket?.setTimeout(this.#connection.idleTimeoutMs);
  }

  /** From now on it is we who think, and the other side may be as silent as it likes. */
  rest(): void {
    this.#watching = false;
  }

  /** Waits for something of ours, but not longer than until the exchange is over: undefined then. */
  unlessOver<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      // One slot instead of a race: a promise that lives as long as a transfer would remember every race.
      this.#wake = () => resolve(undefined);
      work.then(resolve, reject);
      if (this.over) resolve(undefined);
    });
  }

  /** The answer's head. @throws what broke the connection, or the signal's reason */
  async response(): Promise<IncomingMessage> {
    this.watch();
    if (!this.over) await this.unlessOver(new Promise<void>(() => {}));
    if (this.#response) return this.#response;
    throw this.#failed?.error;
  }

  /** Bytes of the answer as they come. Silence counts only while somebody waits for them. @throws as `response` does */
  async *body(): AsyncGenerator<Buffer> {
    const response = await this.response();
    try {
      const iterator = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      for (;;) {
        this.watch();
        const { done, value } = await iterator.next();
        this.rest();
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw this.#failed ? this.#failed.error : error;
    } finally {
      if (!response.complete) this.destroy();
    }
  }

  /** The whole answer. @throws as `response` does, also if the answer breaks off */
  async answer(): Promise<Answer> {
    const { statusCode = 0, headers } = await this.response();
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of this.body()) {
        size += piece.length;
        if (size > MOST_ANSWER_BYTES) throw Object.assign(new Error('too much'), { code: 'HPE_TOO_LARGE' });
        pieces.push(piece);
      }
    } catch (error) {
      // The status of a refusal says enough if the server hung up on its own words.
      if (statusCode < 400 || this.#connection.signal.aborted) throw error;
    }
    return { status: statusCode, headers, text: Buffer.concat(pieces).toString('utf8') };
  }
}

export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? '');
}

/** The limit, or silence if that is shorter: 0 is no limit. */
export function shorter(limitMs: number, idleTimeoutMs: number): number {
  return idleTimeoutMs === 0 ? limitMs : Math.min(limitMs, idleTimeoutMs);
}

function silence(ms: number, code: string): Error {
  return Object.assign(new Error(`nothing moved for ${ms} ms`), { code });
}

/** `secureConnecting` is not in the types: undefined without TLS, then whether the handshake goes on. */
function whenReady(socket: Socket & { secureConnecting?: boolean }, then: () => void): void {
  if (!socket.connecting && !socket.secureConnecting) then();
  else socket.once(socket.secureConnecting === undefined ? 'connect' : 'secureConnect', then);
}
