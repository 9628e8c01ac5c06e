/** The content of an upload: the body as it is, or the field `file` of a form. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HEADERS, parseDigest } from '../../wire/headers.ts';
import { timerMs } from '../timers.ts';
import { Refused } from '../versions/refusals.ts';
import type { UploadBody } from '../versions/upload-request.ts';
import { badForm, FormFile } from './form-file.ts';

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

/** @throws {Refused} if headers or form are not what they should be. */
export async function openUploadBody(
  request: FastifyRequest,
  reply: FastifyReply,
  hangUpGraceMs: number,
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
    content: await contentOf(request, reply.raw),
    length,
    delimited: raw.headers['content-length'] !== undefined || request.isMultipart(),
    contentEncoding: contentEncoding.toLowerCase(),
    digest: () => finalDigest(raw, announced),
    stillThere: (proven) => stillThere(reply.raw, proven ? 0 : hangUpGraceMs),
  };
}

async function contentOf(request: FastifyRequest, response: ServerResponse): Promise<Readable> {
  if (expectsContinue(request.raw)) response.writeContinue();
  if (request.isMultipart()) return multipartFile(request);
  const type = headerOf(request.raw, 'content-type') ?? '';
  return /^application\/x-www-form-urlencoded\b/i.test(type) ? urlencodedFile(request.raw) : request.raw;
}

async function multipartFile(request: FastifyRequest): Promise<Readable> {
  try {
    for await (const part of request.parts({ limits: FORM_LIMITS })) {
      if (part.type !== 'file') continue;
      if (part.fieldname === 'file') return part.file;
      part.file.resume();
    }
  } catch (error) {
    throw badForm((error as Error).message);
  }
  throw badForm('there is no field "file"');
}

/** `curl --data-binary @file` says that it sends a form, and does not: what does not begin like one is taken as it is. */
async function urlencodedFile(raw: IncomingMessage): Promise<Readable> {
  if (!raw.readableEnded && !raw.destroyed && raw.readableLength === 0) {
    await Promise.race([once(raw, 'readable'), once(raw, 'end'), once(raw, 'close')]).catch(() => {});
  }
  const first = raw.read() as Buffer | null;
  if (!first) return raw;
  raw.unshift(first);
  if (!/^[\w.%+-]{1,64}=/.test(first.subarray(0, 80).toString('latin1'))) return raw;
  const form = new FormFile();
  // Not pipeline: that would destroy the request, and with it the connection for the answer.
  raw.once('aborted', () => form.destroy(new Refused('cancelled', 'upload was cancelled')));
  return raw.pipe(form);
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
