/** Everything that can be tried, and what it takes. */
import type { Metadata } from '../../../../../src/server/metadata/metadata.ts';
import { pathOf, type RouteName } from '../../../../../src/wire/routes.ts';
import { armoured } from '../../../../server/http/world.ts';
import { has, type Principal, type Right } from './rights.ts';

export interface Request {
  method: string;
  path: string;
  body?: string;
  headers?: Record<string, string>;
}

export interface Given {
  metadata: Metadata;
  /** Different for every attempt. */
  unique: number;
  /** Session of somebody else, made for this attempt. */
  bystander: string;
  who: Principal;
}

export interface Attempt {
  route: RouteName;
  /** Empty for the server as a whole. */
  collection: string;
  /** True if no token is asked for: not even a bad one does harm. */
  open?: boolean;
  allowed(who: Principal): boolean;
  /** What to send; puts things where the request needs them. */
  request(given: Given): Request | Promise<Request>;
}

export const HEALTH_CODE = 'ready-code';

/** Collections with an open window, of one tenant and another, and one that is closed. */
export const attempts: readonly Attempt[] = [
  ...['mine', 'theirs'].flatMap(onCollection),
  uploadTo('closed', 'anytime'),
  ...onAccounts(),
  ...withoutToken(),
];

function onCollection(collection: string): Attempt[] {
  const at = { collectionId: collection };
  const latest = { ...at, version: 'latest' };
  const needs = (route: RouteName, right: Right, request: () => Request): Attempt => ({
    route,
    collection,
    allowed: (who) => has(who, right, collection),
    request,
  });
  const both = (route: RouteName, right: Right, method: string, path: string): Attempt[] =>
    [path, path.includes('/alpha/') ? path.replace('alpha', 'stable') : path.replace('stable', 'alpha')].map(
      (each) => needs(route, right, () => ({ method, path: each })),
    );
  return [
    uploadTo(collection, 'upload'),
    ...both('versions', 'list', 'GET', pathOf('versions', at)),
    ...both('download', 'download', 'GET', pathOf('download', latest)),
    ...both('download', 'download', 'HEAD', pathOf('download', latest)),
    needs('pin', 'manage', () => ({ method: 'PUT', path: pathOf('pin', latest) })),
    needs('unpin', 'manage', () => ({ method: 'DELETE', path: pathOf('unpin', latest) })),
    needs('deleteVersion', 'manage', () => ({
      method: 'DELETE',
      path: `${pathOf('deleteVersion', latest)}?force=true`,
    })),
    ...actionsOf(collection),
  ];
}

function uploadTo(collection: string, right: Right): Attempt {
  const path = pathOf('upload', { collectionId: collection });
  return {
    route: 'upload',
    collection,
    allowed: (who) => has(who, right, collection),
    request: ({ unique }) => ({
      method: 'POST',
      path: unique % 2 ? path : path.replace('alpha', 'stable'),
      body: armoured(`${unique}`),
    }),
  };
}

function actionsOf(collection: string): Attempt[] {
  const at = { collectionId: collection };
  return (['backup', 'restore'] as const).flatMap((operation) =>
    (['claimAction', 'renewAction', 'finishAction'] as const).map(
      (route): Attempt => ({
        route,
        collection,
        allowed: (who) => has(who, operation === 'backup' ? 'upload' : 'download', collection),
        request: async ({ metadata, unique }) => {
          const key = { namespace: 'shop', name: 'action', runId: `run-${unique}`, holder: 'pod' };
          if (route !== 'claimAction')
            await metadata.actions.claim(
              { ...key, operation, collectionId: collection },
              60_000,
              Date.now(),
              false,
            );
          const more = {
            claimAction: { operation, leaseSeconds: 30 },
            renewAction: { leaseSeconds: 60 },
            finishAction: { state: 'done' },
          }[route];
          return { method: 'POST', path: pathOf(route, at), ...json({ ...key, ...more }) };
        },
      }),
    ),
  );
}

function onAccounts(): Attempt[] {
  const get = (
    route: RouteName,
    allowed: Attempt['allowed'],
    path: (given: Given) => string = () => pathOf(route),
    method = 'GET',
  ): Attempt => ({
    route,
    collection: '',
    allowed,
    request: (given) => ({ method, path: path(given) }),
  });
  const alive = ({ dead }: Principal) => !dead;
  // Whoever holds a key or a limited token is not the account's owner.
  const owner = (who: Principal) => alive(who) && !who.key && !who.scope;
  return [
    get('whoami', alive),
    get('refreshToken', alive),
    get('collections', alive),
    get('userProfile', alive, ({ who }) => pathOf('userProfile', { userName: who.name })),
    get(
      'userProfile',
      (who) => has(who, 'profiles'),
      () => pathOf('userProfile', { userName: 'bystander' }),
    ),
    get('tokens', owner),
    get('tokens', owner, ({ who }) => `${pathOf('tokens')}?userName=${who.name}`),
    get(
      'tokens',
      (who) => has(who, 'sessions'),
      () => `${pathOf('tokens')}?userName=bystander`,
    ),
    get('logout', alive, () => pathOf('logout'), 'DELETE'),
    get(
      'logout',
      (who) => has(who, 'sessions'),
      ({ bystander }) => `${pathOf('logout')}?sessionId=${bystander}`,
      'DELETE',
    ),
  ];
}

/** Pages with a code of their own, or none: a token is no such code. */
function withoutToken(): Attempt[] {
  const page = (route: RouteName, code: string, allowed: boolean): Attempt => ({
    route,
    collection: '',
    open: true,
    allowed: () => allowed,
    request: () => {
      const path = pathOf(route, { collectionId: 'mine' });
      return { method: 'GET', path: code === '' ? path : `${path}?code=${code}` };
    },
  });
  return [
    page('health', '', true),
    page('openapi', '', true),
    ...(['ready', 'metrics', 'collectionHealth'] as const).flatMap((route) => [
      page(route, '', false),
      page(route, 'guessed', false),
      page(route, HEALTH_CODE, true),
    ]),
  ];
}

function json(value: object): Pick<Request, 'body' | 'headers'> & object {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}
