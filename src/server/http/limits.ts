/** Limits on what a stranger can send, beyond those that Node.js itself enforces. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Refused } from '../versions/refusals.ts';
import { toJson } from './envelope.ts';

/** A token may come in the address, see `MAX_TOKEN_LENGTH`. */
export const MAX_URL_LENGTH = 10_000;
/** Bytes of all headers of a request together. */
export const MAX_HEADER_BYTES = 16 * 1024;
const MAX_JSON_DEPTH = 16;
/** How long a client that was refused may go on sending, to read the refusal. */
const LINGER_MS = 5000;

/** @throws {Refused} if JSON text nests deeper than any message of ours. */
export function checkDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (character === '{' || character === '[') {
      depth++;
      if (depth > MAX_JSON_DEPTH)
        throw new Refused('bad-request', `JSON nests deeper than ${MAX_JSON_DEPTH} levels`);
    } else if (character === '}' || character === ']') {
      depth--;
    }
  }
}

/**
 * After an answer that came before the request was read to its end: swallows the rest for a while, so that the client
 * gets to read the answer rather than a reset connection, then hangs up.
 */
export function linger(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.unpipe();
  request.on('error', () => {});
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
}

/** Hangs up on a client that takes longer than this for the body of its request. */
export function limitBodyTime(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    if (request.complete) return;
    if (!response.headersSent) {
      response.writeHead(408, { 'content-type': 'application/json; charset=utf-8', connection: 'close' });
      response.end(toJson({ status: false, error: 'Request took too long', data: {} }));
    }
    request.socket.end(() => request.socket.destroy());
  }, timeoutMs).unref();
  request.once('end', () => clearTimeout(timer));
  request.once('close', () => clearTimeout(timer));
}

/** Answers what is not even HTTP. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, words] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'the headers are too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request took too long']
        : [400, 'this is not a valid request'];
  const body = toJson({ status: false, error: words, data: {} });
  socket.end(
    `HTTP/1.1 ${status} ${words}\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
