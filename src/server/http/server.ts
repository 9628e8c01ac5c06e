/** Puts the HTTP server together. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import formbody from '@fastify/formbody';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import { HEADERS } from '../../wire/headers.ts';
import { clientAddress, parseBlock } from '../access/addresses.ts';
import type { Tokens } from '../access/token.ts';
import type { ConfigurationProvider } from '../configuration/configuration.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { ObjectStorage } from '../storage/storage.ts';
import type { Clock } from '../versions/clock.ts';
import { Refused } from '../versions/refusals.ts';
import { Sweeper } from '../versions/sweeper.ts';
import { actionRoutes } from './action-routes.ts';
import type { App } from './app.ts';
import { authRoutes } from './auth-routes.ts';
import { collectionRoutes } from './collection-routes.ts';
import { downloadRoute } from './download-route.ts';
import { toJson } from './envelope.ts';
import { answerError } from './errors.ts';
import { checkDepth, limitBodyTime, linger, MAX_HEADER_BYTES, MAX_URL_LENGTH } from './limits.ts';
import { LOG_OPTIONS } from './logging.ts';
import { Metrics } from './metrics.ts';
import { operationRoutes } from './operation-routes.ts';
import { RateLimits } from './rate-limits.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { Transfers } from './transfers.ts';
import { expectsContinue, noteContinue } from './upload-body.ts';
import { uploadRoute } from './upload-route.ts';
import { versionRoutes } from './version-routes.ts';

export interface Dependencies {
  /** Started already. */
  configuration: ConfigurationProvider;
  /** Migrated already. Like the next one it stays the caller's to close. */
  metadata: Metadata;
  storage: ObjectStorage;
  tokens: Tokens;
  settings?: Partial<Settings>;
  clock?: Clock;
  /** Level of the log, or `silent`, and where it goes; default: standard output. */
  log?: { level: string; stream?: { write(line: string): void } };
  /** True if no other process uses database and storage: leftovers of a crash can then be removed at once. */
  alone?: boolean;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const;
const REQUEST_ID = /^[\w.:-]{1,64}$/;

/**
 * A server that is ready to listen. `close` stops accepting, lets uploads and downloads finish for as long as the
 * settings say, then breaks them off, and stops sweeping.
 */
export async function buildServer(dependencies: Dependencies): Promise<FastifyInstance> {
  const {
    configuration,
    metadata,
    storage,
    tokens,
    clock = Date.now,
    log = { level: 'info' },
  } = dependencies;
  const settings: Settings = { ...DEFAULT_SETTINGS, ...dependencies.settings };
  const server = Fastify({
    logger: { ...LOG_OPTIONS, ...log },
    // Checked by what each request sends instead, see requestTimeoutMs: uploads may take hours.
    requestTimeout: 0,
    keepAliveTimeout: 72_000,
    bodyLimit: settings.bodyLimit,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: settings.requestTimeoutMs },
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers[HEADERS.requestId];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    routerOptions: { maxParamLength: 512 },
    ajv: { customOptions: { allowUnionTypes: true, removeAdditional: false } },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) =>
      void answerError(error, request as never, reply as never, settings.preciseStatuses),
    // Only documented, never compiled: answers are small, and indented as no generated code would do it.
    schemaErrorFormatter: (errors, part) =>
      Object.assign(
        new Error(
          `${part}${(errors[0]?.instancePath ?? '').replaceAll('/', '.')} ${errors[0]?.message ?? 'is wrong'}`,
        ),
        { statusCode: 400 },
      ),
  });
  server.setSerializerCompiler(() => toJson);
  server.setReplySerializer(toJson);
  server.server.maxConnections = settings.maxConnections;

  const versions = {
    metadata,
    storage,
    clock,
    log: server.log,
    leaseMs: settings.leaseMs,
    storageTimeoutMs: settings.storageTimeoutMs,
  };
  const sweeper = new Sweeper(versions, {
    intervalMs: settings.sweepIntervalMs,
    leftoverAgeMs: 2 * Math.max(settings.uploadTimeoutMs, settings.storageTimeoutMs),
    orphanAgeMs: Math.max(settings.orphanAgeMs, 2 * settings.uploadTimeoutMs),
    alone: dependencies.alone === true,
  });
  const app: App = {
    ...versions,
    configuration,
    tokens,
    settings,
    sweeper,
    metrics: new Metrics({ configuration, metadata, clock }),
    transfers: new Transfers(),
  };

  addHooks(server, app);
  server.setErrorHandler((error, request, reply) =>
    answerError(error, request, reply, settings.preciseStatuses),
  );
  server.setNotFoundHandler((request, reply) =>
    answerError(new Refused('not-found', 'there is no such page'), request, reply, settings.preciseStatuses),
  );
  await addRoutes(server, app);
  sweepAndStop(server, app);
  return server;
}

async function addRoutes(server: FastifyInstance, app: App): Promise<void> {
  const paths = new Map<string, Set<string>>();
  server.addHook('onRoute', ({ url, method }) => {
    const known = paths.get(url) ?? new Set();
    for (const each of [method].flat()) known.add(each);
    paths.set(url, known);
  });
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Backup repository', description: 'Keeps encrypted backups.', version: '1' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
  });
  addJsonParser(server);
  await server.register(formbody, { bodyLimit: app.settings.bodyLimit });
  for (const routes of [
    authRoutes,
    uploadRoute,
    downloadRoute,
    versionRoutes,
    collectionRoutes,
    actionRoutes,
    operationRoutes,
  ]) {
    await server.register(async (scope) => routes(scope, app));
  }
  for (const [url, known] of paths) {
    const allow = [...known].join(', ');
    server.route({
      method: METHODS.filter((method) => !known.has(method)),
      url,
      schema: { hide: true } as never,
      handler: (request, reply) => {
        reply.header('allow', allow);
        const refused = new Refused(
          'method-not-allowed',
          `${request.method} is not allowed here, allowed: ${allow}`,
        );
        return answerError(refused, request, reply, app.settings.preciseStatuses);
      },
    });
  }
}

function addHooks(server: FastifyInstance, app: App): void {
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
function addJsonParser(server: FastifyInstance): void {
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

function sweepAndStop(server: FastifyInstance, { settings, sweeper, transfers, log }: App): void {
  server.addHook('onReady', async () => sweeper.start());
  let deadline: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    if (transfers.count > 0)
      log.info({ transfers: transfers.count }, 'waiting for uploads and downloads to finish');
    deadline = setTimeout(() => {
      log.warn({ transfers: transfers.count }, 'breaking off uploads and downloads');
      transfers.abortAll(new Refused('shutting-down', 'the server is shutting down'));
      setTimeout(() => server.server.closeAllConnections(), 2000).unref();
    }, settings.shutdownTimeoutMs);
  });
  server.addHook('onClose', async () => {
    clearTimeout(deadline);
    await sweeper.stop();
  });
}

/** Answers what is not even HTTP. */
function refuseConnection(
  this: FastifyInstance,
  error: Error & { code?: string },
  socket: import('node:net').Socket,
): void {
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
