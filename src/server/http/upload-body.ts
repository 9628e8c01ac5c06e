/** The content of an upload: the body as it is, or the field `file` of a form. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HEADERS, parseDigest } from '../../wire/headers.ts';
import { timerMs } from '../timers.ts';
import { Refused } from '../versions/refusals.ts';
import { unlessAborted } from '../versions/unless-aborted.ts';
import type { UploadBody } from '../versions/upload-request.ts';
import { badForm, FormFile, MOST_BESIDE, tooMuchBeside } from './form-file.ts';

/** What a form may hold beside the file. */
const FORM_LIMITS = {
  fieldNameSize: 100,
  fieldSize: 1024,
  fields: 10,
  files: 1,
  parts: 11,
  headerPairs: 20,
  fileSize: Number.POSITIVE_INFINITY,
};

/** Rejects when the signal aborts. @throws {Refused} if headers or form are not what they should be. */
export async function openUploadBody(
  request: FastifyRequest,
  reply: FastifyReply,
  hangUpGraceMs: number,
  signal: AbortSignal,
): Promise<UploadBody> {
  const { raw } = request;
  const contentEncoding = headerOf(raw, HEADERS.contentEncoding) ?? '';
  if (!/^([a-z0-9][a-z0-9._-]{0,31})?$/i.test(contentEncoding)) {
    throw new Refused('bad-request', `${HEADERS.contentEncoding} must be a short word such as zstd`);
  }
  const announced = digestOf(headerOf(raw, HEADERS.digest));
  const isForm = /^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(
    headerOf(raw, 'content-type') ?? '',
  );
  const length = isForm ? undefined : lengthOf(raw);
  return {
    // Only now is the client asked to send: until here it may not have begun.
    content: await contentOf(request, reply.raw, signal),
    length,
    delimited: raw.headers['content-length'] !== undefined || request.isMultipart(),
    contentEncoding: contentEncoding.toLowerCase(),
    digest: () => finalDigest(raw, announced),
    stillThere: (proven) => stillThere(reply.raw, proven ? 0 : hangUpGraceMs),
  };
}

async function contentOf(
  request: FastifyRequest,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<Readable> {
  signal.throwIfAborted();
  if (expectsContinue(request.raw)) response.writeContinue();
  if (request.isMultipart()) return multipartFile(request, signal);
  const type = headerOf(request.raw, 'content-type') ?? '';
  return /^application\/x-www-form-urlencoded\b/i.test(type)
    ? urlencodedFile(request.raw, signal)
    : request.raw;
}

/** The part of that name, as soon as it begins; what comes before it is not endless. */
async function multipartFile(request: FastifyRequest, signal: AbortSignal): Promise<Readable> {
  const { raw } = request;
  const full = new AbortController();
  let bytes = 0;
  const count = (piece: Buffer) => {
    bytes += piece.length;
    // Later, since the file may begin in this very piece: then nobody listens any more.
    if (bytes > MOST_BESIDE) setImmediate().then(() => full.abort(tooMuchBeside()));
  };
  const found = findFile(request);
  raw.on('data', count);
  try {
    return await unlessAborted(found, AbortSignal.any([signal, full.signal]));
  } catch (error) {
    // Nobody looks at the rest.
    raw.unpipe();
    if (signal.aborted || error instanceof Refused) throw error;
    throw badForm((error as Error).message);
  } finally {
    raw.off('data', count);
  }
}

async function findFile(request: FastifyRequest): Promise<Readable> {
  for await (const part of request.parts({ limits: FORM_LIMITS })) {
    if (part.type !== 'file') continue;
    if (part.fieldname === 'file') return part.file;
    part.file.resume();
  }
  throw badForm('there is no field "file"');
}

/** `curl --data-binary @file` says that it sends a form, and does not: what does not begin like one is taken as it is. */
async function urlencodedFile(raw: IncomingMessage, signal: AbortSignal): Promise<Readable> {
  const first = await unlessAborted(peek(raw, signal), signal);
  if (!first || !/^[\w.%+-]{1,64}=/.test(first.subarray(0, 80).toString('latin1'))) return raw;
  const form = new FormFile();
  // Not pipeline: that would destroy the request, and with it the connection for the answer.
  raw.once('aborted', () => form.destroy(new Refused('cancelled', 'upload was cancelled')));
  return raw.pipe(form);
}

/** The first piece, which stays in the stream; undefined if there is none. Leaves the stream paused. */
function peek(raw: IncomingMessage, signal: AbortSignal): Promise<Buffer | undefined> {
  if (raw.readableEnded || raw.destroyed) return Promise.resolve(undefined);
  const ends = ['end', 'close', 'error'];
  return new Promise((resolve) => {
    const settle = (piece?: unknown) => {
      raw.off('data', settle);
      for (const end of ends) raw.off(end, settle);
      signal.removeEventListener('abort', settle);
      raw.pause();
      if (Buffer.isBuffer(piece)) raw.unshift(piece);
      resolve(Buffer.isBuffer(piece) ? piece : undefined);
    };
    for (const end of ends) raw.on(end, settle);
    signal.addEventListener('abort', settle);
    // It flows, so that the watchdog sees that the client is waited for.
    raw.on('data', settle).resume();
  });
}

/** What the trailer says, or else the header. */
function finalDigest(raw: IncomingMessage, announced: string | undefined): string | undefined {
  const trailer = raw.trailers[HEADERS.digest];
  if (trailer === undefined && /(^|[\s,])repr-digest([\s,]|$)/i.test(headerOf(raw, 'trailer') ?? '')) {
    throw new Refused('bad-digest', 'the trailer Repr-Digest was announced and did not come');
  }
  const late = digestOf(trailer);
  if (late !== undefined && announced !== undefined && late !== announced) {
    throw new Refused('bad-digest', 'Repr-Digest differs between header and trailer');
  }
  return late ?? announced;
}

function digestOf(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : parseDigest(value);
  } catch (error) {
    throw new Refused('bad-digest', `Repr-Digest cannot be read: ${(error as Error).message}`);
  }
}

/** Waits as long as the grace for the client to hang up, after everything that has arrived by now was looked at. */
async function stillThere(response: ServerResponse, graceMs: number): Promise<boolean> {
  await setImmediate();
  if (graceMs > 0 && !response.closed) {
    await once(response, 'close', { signal: AbortSignal.timeout(timerMs(graceMs)) }).catch(() => {});
  }
  return !response.closed && !response.destroyed;
}

function lengthOf(raw: IncomingMessage): number | undefined {
  const length = headerOf(raw, 'content-length');
  return length === undefined ? undefined : Number(length);
}

function headerOf(raw: IncomingMessage, name: string): string | undefined {
  const value = raw.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

const waiting = new WeakSet<IncomingMessage>();

/** Notes that the client waits for `100 Continue` before it sends the body. */
export function noteContinue(raw: IncomingMessage): void {
  waiting.add(raw);
}

/** True once if the client waits for `100 Continue`. */
export function expectsContinue(raw: IncomingMessage): boolean {
  return waiting.delete(raw);
}
