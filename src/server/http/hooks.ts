/** What happens to every request before and after its route. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { HEADERS } from '../../wire/headers.ts';
import { clientAddress, parseBlock } from '../access/addresses.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { checkDepth, limitBodyTime, linger, MAX_URL_LENGTH } from './limits.ts';
import { RateLimits } from './rate-limits.ts';
import { expectsContinue, noteContinue } from './upload-body.ts';

/** Addresses, ids, limits, `Expect: 100-continue`, figures. */
export function addHooks(server: FastifyInstance, app: App): void {
  const { settings, metadata, clock, metrics } = app;
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
    reply.header(HEADERS.requestId, request.id);
    reply.header('x-content-type-options', 'nosniff');
    if (request.url.length > MAX_URL_LENGTH) throw new Refused('uri-too-long', 'the address is too long');
    const { rateLimit, ownBody } = request.routeOptions.config;
    if (!ownBody) limitBodyTime(raw, reply.raw, settings.requestTimeoutMs);
    if (rateLimit) await limits.check(rateLimit, request, clock());
  });
  server.addHook('preParsing', async (request, reply) => {
    if (!request.routeOptions.config.ownBody && expectsContinue(request.raw)) reply.raw.writeContinue();
  });
  server.addHook('onResponse', async (request, reply) => {
    linger(request.raw);
    metrics.answered(
      request.method,
      request.routeOptions.url ?? '',
      reply.statusCode,
      reply.elapsedTime / 1000,
    );
    if (request.errorCode) request.log.info({ error: request.errorCode }, 'request refused');
  });
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
