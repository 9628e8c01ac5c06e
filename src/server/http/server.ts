/** Puts the HTTP server together. */
import { randomUUID } from 'node:crypto';
import formbody from '@fastify/formbody';
import swagger from '@fastify/swagger';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
  LogController,
} from 'fastify';
import { HEADERS } from '../../wire/headers.ts';
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
import { addHooks, addJsonParser } from './hooks.ts';
import { MAX_HEADER_BYTES, refuseConnection } from './limits.ts';
import { LOG_OPTIONS } from './logging.ts';
import { Metrics } from './metrics.ts';
import { operationRoutes } from './operation-routes.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { sweepAndStop } from './stopping.ts';
import { Transfers } from './transfers.ts';
import { uploadRoute } from './upload-route.ts';
import { versionRoutes } from './version-routes.ts';

/** Silence after which the system asks whether the other side is still there, every second and ten times. */
const PROBE_MS = 60_000;

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
  /** True if no other process uses database and storage: what a crash left held or half done can then be freed at once. */
  alone?: boolean;
}

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
    // One line of our own for each request, see hooks.ts.
    logController: new LogController({ disableRequestLogging: true }),
    // Checked by what each request sends instead, see requestTimeoutMs: uploads may take hours.
    requestTimeout: 0,
    keepAliveTimeout: 72_000,
    bodyLimit: settings.bodyLimit,
    // Fastify's own answer knows neither our envelope nor our codes, see hooks.ts.
    return503OnClosing: false,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: settings.requestTimeoutMs,
      // TCP's keep-alive: whose machine lost its power, or its network, must not hold a collection until its upload is called idle.
      ...{ keepAlive: true, keepAliveInitialDelay: PROBE_MS },
    },
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
  // Else a server that was killed could not upload, or sweep, until its own leases have run out.
  if (dependencies.alone) await metadata.leases.releaseAll();
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
    const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
      reply.header('allow', allow);
      throw new Refused('method-not-allowed', `${request.method} is not allowed here, allowed: ${allow}`);
    };
    server.route({
      method: server.supportedMethods.filter((method) => !known.has(method)) as HTTPMethods[],
      url,
      schema: { hide: true } as never,
      // Before anybody looks at the body, which may be of any type.
      onRequest: refuse,
      handler: refuse,
    });
  }
}
