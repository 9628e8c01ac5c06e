/**
 * Addresses of the HTTP API, written once: the server registers the patterns, the client fills them in.
 *
 * `stable` and `alpha` are the original's words. The original's documents and code disagree on which of the two some
 * routes have, so the routes of versions answer under both.
 */

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` for each parameter. */
  path: string;
  /** Other paths that mean the same. */
  aliases?: readonly string[];
}

const COLLECTION = '/repository/collection/:collectionId';

export const ROUTES = {
  login: { method: 'POST', path: '/api/stable/auth/login' },
  refreshToken: { method: 'GET', path: '/api/stable/auth/refresh_token' },
  userProfile: { method: 'GET', path: '/api/stable/auth/user/:userName' },
  whoami: { method: 'GET', path: '/api/stable/auth/whoami' },
  logout: { method: 'DELETE', path: '/api/stable/auth/logout' },
  tokens: { method: 'GET', path: '/api/stable/auth/token' },

  collections: { method: 'GET', path: '/api/stable/repository/collection' },
  collectionHealth: { method: 'GET', path: `/api/stable${COLLECTION}/health` },

  upload: {
    method: 'POST',
    path: `/api/alpha${COLLECTION}/version`,
    aliases: [`/api/stable${COLLECTION}/version`],
  },
  versions: {
    method: 'GET',
    path: `/api/stable${COLLECTION}/version`,
    aliases: [`/api/alpha${COLLECTION}/version`],
  },
  download: {
    method: 'GET',
    path: `/api/alpha${COLLECTION}/version/:version`,
    aliases: [`/api/stable${COLLECTION}/version/:version`],
  },
  deleteVersion: { method: 'DELETE', path: `/api/stable${COLLECTION}/version/:version` },
  pin: { method: 'PUT', path: `/api/stable${COLLECTION}/version/:version/pin` },
  unpin: { method: 'DELETE', path: `/api/stable${COLLECTION}/version/:version/pin` },

  claimAction: { method: 'POST', path: `/api/stable${COLLECTION}/action/claim` },
  renewAction: { method: 'POST', path: `/api/stable${COLLECTION}/action/renew` },
  finishAction: { method: 'POST', path: `/api/stable${COLLECTION}/action/finish` },

  health: { method: 'GET', path: '/health' },
  ready: { method: 'GET', path: '/ready' },
  metrics: { method: 'GET', path: '/metrics' },
  openapi: { method: 'GET', path: '/openapi.json' },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;

/** The path of a route with its parameters filled in and escaped; a parameter that is missing throws. */
export function pathOf(route: RouteName, parameters: Readonly<Record<string, string | number>> = {}): string {
  return ROUTES[route].path.replace(/:(\w+)/g, (_all, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new TypeError(`${route}: the parameter ${name} is missing`);
    return encodeURIComponent(value);
  });
}
