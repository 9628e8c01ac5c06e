/** Registers routes as `src/wire` names them, under all of their paths. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { ROUTES, type Route, type RouteName } from '../../wire/routes.ts';
import type { App } from './app.ts';
import { requireToken } from './authentication.ts';
import { type Description, describe } from './describe.ts';
import type { RateLimit } from './rate-limits.ts';

export interface Handling extends Description {
  rateLimit?: RateLimit;
  handler: (request: FastifyRequest, reply: FastifyReply) => unknown;
  options?: Partial<RouteOptions>;
}

export function register(server: FastifyInstance, app: App, name: RouteName, handling: Handling): void {
  const { rateLimit, handler, options = {}, ...description } = handling;
  const route: Route = ROUTES[name];
  for (const [index, url] of [route.path, ...(route.aliases ?? [])].entries()) {
    const schema = describe(description, app.settings.preciseStatuses);
    server.route({
      method: route.method,
      url,
      exposeHeadRoute: false,
      ...options,
      config: { ...(rateLimit && { rateLimit }), ...options.config },
      schema: {
        ...schema,
        ...(index > 0 && { deprecated: true }),
        operationId: index > 0 ? `${name}Alias` : name,
      } as never,
      ...(description.token && { onRequest: (request: FastifyRequest) => requireToken(request, app) }),
      handler,
    });
  }
}
