/** What the log says of requests. It never holds a token, a password, a code, or a header that may carry one. */
import type { FastifyRequest } from 'fastify';

/** Parameters of a query that may be shown; whatever else somebody sends is not repeated. */
const SHOWN = ['force', 'sessionId', 'userName'];

/** What a token could be part of. A run of one class of characters, so that no address takes longer than its length. */
const RUN = /[\w.-]+/g;

/** Options of pino, to be completed with a level and a stream. */
export const LOG_OPTIONS = {
  base: null,
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  formatters: { level: (label: string) => ({ level: label }) },
  serializers: {
    req: (request: FastifyRequest) => ({
      method: request.method,
      url: safeUrl(request.url),
      address: request.clientAddress,
      ...(request.subject && { user: request.subject.user.name }),
    }),
    err: describeError,
  },
  // A second net, for fields that a later change might log by mistake.
  redact: {
    paths: ['authorization', 'password', 'token', '*.authorization', '*.password', '*.token', '*.cookie'],
    censor: '[hidden]',
  },
};

/** The path, and those parameters of the query that cannot hold a secret. */
export function safeUrl(address: string): string {
  const url = address.replace(RUN, (run) => (holdsToken(run) ? '[hidden]' : run));
  const at = url.indexOf('?');
  if (at < 0) return url;
  const query = [...new URLSearchParams(url.slice(at + 1))].map(([name, value]) =>
    SHOWN.includes(name)
      ? `${name}=${encodeURIComponent(value.slice(0, 100))}`
      : `${encodeURIComponent(name.slice(0, 40))}=[hidden]`,
  );
  return `${url.slice(0, at)}?${query.slice(0, 10).join('&')}`;
}

/** Somebody may take the address for the place of a token: `/user/<token>`, `?sessionId=<token>`. */
function holdsToken(run: string): boolean {
  const at = run.indexOf('eyJ');
  return at >= 0 && run.indexOf('.', run.indexOf('.', at) + 1) > at;
}

/** An error with its causes, without fields that libraries hang onto it: some carry whole requests. */
function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error), stack: '' };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    stack: error.stack ?? '',
    ...(typeof code === 'string' && { code }),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}

interface DescribedError {
  type: string;
  message: string;
  stack: string;
  [more: string]: unknown;
}
