/** What happens to every request before and after its route. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HEADERS } from '../../wire/headers.ts';
import { clientAddress, parseBlock } from '../access/addresses.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { checkDepth, limitBodyTime, linger, MAX_URL_LENGTH } from './limits.ts';
import { RateLimits } from './rate-limits.ts';
import { expectsContinue, noteContinue } from './upload-body.ts';

/** The status, in log and figures only, of a request whose client did not wait for the answer. */
const HUNG_UP = 499;

/** Addresses, ids, limits, `Expect: 100-continue`, figures. */
export function addHooks(server: FastifyInstance, app: App): void {
  const { settings, metadata, clock, transfers } = app;
  const proxies = settings.trustedProxies.flatMap((text) => {
    const block = parseBlock(text);
    return block ? [block] : [];
  });
  const limits = new RateLimits(metadata.counters, settings.rateLimits);

  // The client waits with its body until the checks before it have passed.
  server.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    noteContinue(request);
    server.routing(request, response);
  });

  server.decorateRequest('subject', undefined);
  server.decorateRequest('clientAddress', '');
  server.decorateRequest('errorCode', undefined);
  server.addHook('onRequest', async (request, reply) => {
    const { raw } = request;
    request.clientAddress = clientAddress(raw.socket.remoteAddress, raw.headers['x-forwarded-for'], proxies);
    reply.raw.once('close', () => note(request, reply, app));
    reply.header(HEADERS.requestId, request.id);
    reply.header('x-content-type-options', 'nosniff');
    if (transfers.closing) throw new Refused('shutting-down', 'the server is shutting down');
    if (request.url.length > MAX_URL_LENGTH) throw new Refused('uri-too-long', 'the address is too long');
    const { rateLimit, ownBody } = request.routeOptions.config;
    if (!ownBody) limitBodyTime(raw, reply.raw, settings.requestTimeoutMs);
    if (rateLimit) await limits.check(rateLimit, request, clock());
  });
  server.addHook('preParsing', async (request, reply) => {
    if (!request.routeOptions.config.ownBody && expectsContinue(request.raw)) reply.raw.writeContinue();
  });
  server.addHook('onResponse', async (request) => linger(request.raw));
}

/** One line in the log for each request, also for those whose client hung up before the answer. */
function note(request: FastifyRequest, reply: FastifyReply, { metrics }: App): void {
  const { method, errorCode } = request;
  const status = reply.raw.writableFinished ? reply.statusCode : HUNG_UP;
  const ms = Math.round(reply.elapsedTime);
  metrics.answered(method, request.routeOptions.url ?? '', status, ms / 1000);
  request.log.info({ req: request, status, ms, ...(errorCode && { error: errorCode }) }, 'request');
}

/** JSON that is not nested too deep, and without members that would change prototypes. */
export function addJsonParser(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser(['application/json', 'text/plain']);
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    try {
      checkDepth(body as string);
    } catch (error) {
      done(error as Error);
      return;
    }
    // An empty body is no body: clients send the header along with everything.
    if (body === '') done(null, undefined);
    else parse(request, body as string, done);
  });
}
