/** Whether the server works, how it does, and what it understands. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as schemas from '../../wire/schemas.ts';
import { allWell } from '../health/check.ts';
import { checkServer } from '../health/server-health.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { codeOf, isEqual } from './authentication.ts';
import { codeQuery } from './collection-routes.ts';
import { success } from './envelope.ts';
import { RefusedWith } from './errors.ts';
import { register } from './register.ts';

export async function operationRoutes(server: FastifyInstance, app: App): Promise<void> {
  const { settings } = app;

  register(server, app, 'health', {
    tag: 'operation',
    summary: 'Show that the process is up',
    rateLimit: 'serverHealth',
    data: schemas.messageData,
    handler: () =>
      success({
        msg: 'The server is up and running. Dependent services are not shown there. Take a look at /ready endpoint',
      }),
  });

  register(server, app, 'ready', {
    tag: 'operation',
    summary: 'Show whether database, storage and configuration are well',
    rateLimit: 'serverHealth',
    querystring: codeQuery,
    data: schemas.healthData,
    errors: ['wrong-health-code', 'unhealthy'],
    handler: async (request) => {
      if (settings.healthCheckKey !== '') requireCode(request, settings.healthCheckKey);
      const health = (await checkServer(app, settings.storageHealthTimeoutMs)).map((each) =>
        // Without a key anybody may ask: names of files and accounts are for the log.
        settings.healthCheckKey === '' && each.message !== 'OK'
          ? { ...each, message: each.status ? 'see the server log' : 'failed, see the server log' }
          : each,
      );
      if (!allWell(health)) throw new RefusedWith('unhealthy', 'one of checks failed', { data: { health } });
      return success({ health });
    },
  });

  register(server, app, 'metrics', {
    tag: 'operation',
    summary: 'Show figures for Prometheus',
    rateLimit: 'serverHealth',
    querystring: codeQuery,
    answers: {
      200: { description: 'Text format', content: { 'text/plain': { schema: { type: 'string' } } } },
    },
    errors: ['wrong-health-code'],
    handler: async (request, reply) => {
      if (settings.healthCheckKey !== '') requireCode(request, settings.healthCheckKey);
      else if (!settings.openMetrics) throw wrongCode();
      return reply.type(app.metrics.contentType).send(await app.metrics.text());
    },
  });

  register(server, app, 'openapi', {
    tag: 'operation',
    summary: 'Show this document',
    rateLimit: 'default',
    answers: { 200: { description: 'OpenAPI 3.1', type: 'object' } },
    handler: () => server.swagger(),
  });
}

/** The code may come as `Bearer <code>` too: Prometheus and probes send it that way. */
function requireCode(request: FastifyRequest, key: string): void {
  const code = codeOf(request);
  if (!isEqual(code, key) && !isEqual(code.replace(/^Bearer +/i, ''), key)) throw wrongCode();
}

function wrongCode(): Refused {
  return new Refused(
    'wrong-health-code',
    "health code invalid. Should be provided withing 'Authorization' header or 'code' query string. Must match --health-check-code commandline switch value",
  );
}
