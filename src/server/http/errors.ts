/** Every error that leaves the server passes here: status, shape, headers, and what the log gets to know. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../../wire/error-codes.ts';
import { HEADERS } from '../../wire/headers.ts';
import type { Refusal } from '../access/login.ts';
import { MetadataUnavailable } from '../metadata/metadata.ts';
import { Refused } from '../versions/refusals.ts';
import { Damaged } from '../versions/verified.ts';
import { toJson } from './envelope.ts';
import { statusOf } from './statuses.ts';

/** A token or a login that was refused, which has a shape of its own. */
export class AccessRefused extends Error {
  override readonly name = 'AccessRefused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

interface Explained {
  code: ErrorCode;
  status: number;
  message: string;
  data?: object;
  headers?: Readonly<Record<string, string>>;
}

/** A refusal with data in its envelope, or headers of its own. */
export class RefusedWith extends Refused {
  readonly data: object;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, more: { data?: object; headers?: Record<string, string> }) {
    super(code, message);
    this.data = more.data ?? {};
    this.headers = more.headers ?? {};
  }
}

const FRAMEWORK_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'bad-request',
  404: 'not-found',
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
};

/** Headers of a good answer that must not stay if it became an error. */
const ABOUT_CONTENT = [
  'content-length',
  'content-disposition',
  'accept-ranges',
  'etag',
  'last-modified',
  'content-range',
  HEADERS.digest,
  HEADERS.format,
  HEADERS.version,
  HEADERS.contentEncoding,
];

/** Answers a request with what went wrong. */
export function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  preciseStatuses: boolean,
): FastifyReply {
  if (error instanceof AccessRefused) return answerAccess(error.refusal, request, reply, preciseStatuses);
  const { code, status, message, data = {}, headers = {} } = explain(error, preciseStatuses);
  request.errorCode = code;
  for (const name of ABOUT_CONTENT) reply.removeHeader(name);
  if (status >= 500 && !(error instanceof Refused)) request.log.error({ err: error }, 'a request failed');
  return reply
    .code(status)
    .header(HEADERS.error, code)
    .headers(headers)
    .type('application/json; charset=utf-8')
    .send(toJson({ status: false, error: message, data }));
}

function answerAccess(
  refusal: Refusal,
  request: FastifyRequest,
  reply: FastifyReply,
  preciseStatuses: boolean,
): FastifyReply {
  const code = codeOf(refusal);
  const status = code === 'login-too-soon' ? statusOf(code, preciseStatuses) : refusal.status;
  request.errorCode = code;
  request.log.info({ reason: refusal.reason }, 'access refused');
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="backup-repository"');
  if (status === 503) reply.header('retry-after', '5');
  const body =
    status === 401 || status === 403
      ? { status: false, code: status, message: refusal.message, data: {} }
      : { status: false, error: refusal.message, data: {} };
  return reply
    .code(status)
    .header(HEADERS.error, code)
    .type('application/json; charset=utf-8')
    .send(toJson(body));
}

function codeOf({ code }: Refusal): ErrorCode {
  switch (code) {
    case 'missing-credentials':
    case 'incorrect-credentials':
      return 'login-refused';
    case 'invalid-scope':
      return 'bad-request';
    case 'too-short-interval':
      return 'login-too-soon';
    case 'busy':
      return 'rate-limited';
    case 'not-permitted':
      return 'not-authorized';
    default:
      return 'not-authenticated';
  }
}

function explain(error: unknown, preciseStatuses: boolean): Explained {
  if (error instanceof Refused) {
    return {
      code: error.code,
      status: statusOf(error.code, preciseStatuses),
      message: error.message,
      ...(error instanceof RefusedWith && { data: error.data, headers: error.headers }),
    };
  }
  if (error instanceof Damaged) {
    const message = `cannot copy stream to download a version: ${error.message}`;
    return { code: 'cannot-read', status: statusOf('cannot-read', preciseStatuses), message };
  }
  if (error instanceof MetadataUnavailable) {
    return {
      code: 'database-unavailable',
      status: statusOf('database-unavailable', preciseStatuses),
      message: 'the database does not answer at present, try again later',
      headers: { 'retry-after': '5' },
    };
  }
  const { statusCode, message } = error as Partial<FastifyError>;
  const code = FRAMEWORK_CODES[statusCode ?? 500];
  if (code && statusCode !== undefined) return { code, status: statusCode, message: message ?? code };
  return { code: 'internal', status: 500, message: 'internal error. Check server logs' };
}
