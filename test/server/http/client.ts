/** A small HTTP client that can do what tests need and `fetch` cannot: trailers, hanging up, half a body. */
import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Call {
  token?: string;
  headers?: Record<string, string>;
  /** Several pieces are sent chunked; one with its length. */
  body?: string | Buffer | readonly (string | Buffer)[];
  trailers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  /** The body as JSON; undefined if it is not. */
  json: unknown;
}

/** Sends the request and waits for the whole answer. Rejects if the connection breaks. */
export async function call(method: string, url: string, options: Call = {}): Promise<Answer> {
  const { promise, outgoing } = begin(method, url, options);
  const { body, trailers } = options;
  if (Array.isArray(body)) for (const piece of body as readonly (string | Buffer)[]) outgoing.write(piece);
  if (trailers) outgoing.addTrailers(trailers);
  outgoing.end(Array.isArray(body) || body === undefined ? undefined : (body as string | Buffer));
  return promise;
}

/** Begins a request, to be written to, ended or destroyed by the caller. */
export function begin(
  method: string,
  url: string,
  { token, headers = {}, body, trailers }: Call = {},
): { outgoing: ClientRequest; promise: Promise<Answer> } {
  const single = typeof body === 'string' || Buffer.isBuffer(body);
  const outgoing = request(url, {
    method,
    agent: false,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(single && !trailers && { 'content-length': Buffer.byteLength(body) }),
      ...(trailers && { trailer: Object.keys(trailers).join(', '), 'transfer-encoding': 'chunked' }),
      ...headers,
    },
  });
  const promise = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      buffer(response).then((bytes) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, json: parse(bytes) });
      }, reject);
    });
  });
  // A test that hangs up does not wait for the answer.
  promise.catch(() => {});
  return { outgoing, promise };
}

/** Begins an upload, and waits until the server asks for its content: the collection is its own then. Throws if it is refused. */
export async function underWay(url: string, options: Call = {}): Promise<ReturnType<typeof begin>> {
  const headers = { expect: '100-continue', ...options.headers };
  const begun = begin('POST', url, { ...options, headers });
  begun.outgoing.flushHeaders();
  const asked = new Promise<void>((resolve) => begun.outgoing.once('continue', resolve));
  const refusal = await Promise.race([asked, begun.promise]);
  if (refusal) throw new Error(`refused with ${refusal.status}: ${refusal.bytes}`);
  return begun;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
