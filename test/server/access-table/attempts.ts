/** Everything that can be tried, and what it takes. */
import type { Metadata } from '../../../src/server/metadata/metadata.ts';
import { pathOf, type RouteName } from '../../../src/wire/routes.ts';
import { armoured } from '../http/world.ts';
import { has, type Principal } from './rights.ts';

export interface Request {
  method: string;
  path: string;
  body?: string;
  headers?: Record<string, string>;
}

export interface Attempt {
  title: string;
  /** Name of the route that it is about. */
  route: RouteName;
  /** True if no token is asked for, and so none does any harm. */
  open?: boolean;
  allowed(who: Principal): boolean;
  /** What to send; may first put things where the request needs them. */
  request(world: { metadata: Metadata; unique: number; bystander: string; who: Principal }): Promise<Request>;
}

const json = (value: object) => ({
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});
const upload = (path: string): Request => ({ method: 'POST', path, body: armoured() });
const alive = ({ dead }: Principal) => !dead;

/** On one collection. */
function onCollection(collectionId: string): Attempt[] {
  const at = { collectionId };
  const version = { collectionId, version: 'latest' };
  const needs = (right: Parameters<typeof has>[1]) => (who: Principal) => has(who, right, collectionId);
  const simple = (
    route: RouteName,
    allowed: Attempt['allowed'],
    method: string,
    path: string,
    more: object = {},
  ): Attempt => ({
    title: `${method} ${path}`,
    route,
    allowed,
    request: async () => ({ method, path, ...more }),
  });
  const stable = (path: string) => path.replace('/alpha/', '/stable/');
  const alpha = (path: string) => path.replace('/stable/', '/alpha/');
  const download = pathOf('download', version);
  const listing = pathOf('versions', at);
  const forced = `${pathOf('deleteVersion', version)}?force=true`;
  const actions = (['backup', 'restore'] as const).flatMap((operation) => {
    const allowed = needs(operation === 'backup' ? 'upload' : 'download');
    return (['claimAction', 'renewAction', 'finishAction'] as const).map((route): Attempt => {
      const path = pathOf(route, at);
      return {
        title: `POST ${path} (${operation})`,
        route,
        allowed,
        request: async ({ metadata, unique }) => {
          const key = { namespace: 'shop', name: 'action', runId: `run-${unique}`, holder: 'pod' };
          if (route === 'claimAction')
            return { method: 'POST', path, ...json({ ...key, operation, leaseSeconds: 30 }) };
          await metadata.actions.claim({ ...key, ...at, operation }, 60_000, Date.now(), false);
          const more = route === 'renewAction' ? { leaseSeconds: 60 } : { state: 'done' };
          return { method: 'POST', path, ...json({ ...key, ...more }) };
        },
      };
    });
  });
  return [
    simple('upload', needs('upload'), 'POST', pathOf('upload', at), upload('')).with(pathOf('upload', at)),
  ] as never;
}
