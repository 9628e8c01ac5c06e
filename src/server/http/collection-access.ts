/** From a request to the collection that it is about, and what its token may do there. */
import type { FastifyRequest } from 'fastify';
import type { ErrorCode } from '../../wire/error-codes.ts';
import type { Schema } from '../../wire/schemas.ts';
import { collectionObject, decideCanDo } from '../access/decide.ts';
import type { Action } from '../access/roles.ts';
import type { Collection } from '../configuration/configuration.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { subjectOf } from './authentication.ts';

const collectionId: Schema = {
  type: 'string',
  maxLength: 253,
  description: 'metadata.name of the BackupCollection.',
};
const version: Schema = { type: 'string', maxLength: 20, description: '`latest`, `3` or `v3`.' };

export const collectionParams: Schema = {
  type: 'object',
  required: ['collectionId'],
  properties: { collectionId },
};
export const versionParams: Schema = {
  type: 'object',
  required: ['collectionId', 'version'],
  properties: { collectionId, version },
};

export interface VersionParams {
  collectionId: string;
  version: string;
}

/** @throws {Refused} if there is no such collection. */
export function collectionOf(request: FastifyRequest, app: App): Collection {
  const { collectionId } = request.params as { collectionId: string };
  const collection = app.configuration.current().collections.get(collectionId);
  if (!collection) throw new Refused('collection-not-found', 'cannot find specified collection');
  return collection;
}

export function may(request: FastifyRequest, action: Action, collection: Collection): boolean {
  return decideCanDo(subjectOf(request), action, collectionObject(collection));
}

/** The collection, if the token may do one of the actions there. @throws {Refused} */
export function collectionFor(
  request: FastifyRequest,
  app: App,
  actions: readonly Action[],
  refusal: { code: ErrorCode; message: string },
): Collection {
  const collection = collectionOf(request, app);
  if (!actions.some((action) => may(request, action, collection)))
    throw new Refused(refusal.code, refusal.message);
  return collection;
}
