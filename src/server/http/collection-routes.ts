/** What collections there are, and whether they are well. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CollectionMessage } from '../../wire/messages.ts';
import * as schemas from '../../wire/schemas.ts';
import { collectionObject, decideCanList } from '../access/decide.ts';
import { limitsOf } from '../collections/quota.ts';
import type { Collection } from '../configuration/configuration.ts';
import { allWell } from '../health/check.ts';
import { checkCollection } from '../health/collection-health.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { codeOf, isEqual, sha256Hex, subjectOf } from './authentication.ts';
import { collectionOf, collectionParams } from './collection-access.ts';
import { success, timestamp } from './envelope.ts';
import { RefusedWith } from './errors.ts';
import { register } from './register.ts';

export const codeQuery: schemas.Schema = {
  type: 'object',
  properties: { code: { type: 'string', maxLength: 1024 } },
};

export async function collectionRoutes(server: FastifyInstance, app: App): Promise<void> {
  register(server, app, 'collections', {
    tag: 'collections',
    summary: 'List the collections that the token may list versions of',
    rateLimit: 'default',
    token: true,
    data: schemas.collectionsData,
    handler: async (request) => {
      const subject = subjectOf(request);
      const totals = new Map(
        (await app.metadata.versions.totals()).map((total) => [total.collectionId, total]),
      );
      const collections: CollectionMessage[] = [...app.configuration.current().collections.values()]
        .filter((collection) => decideCanList(subject, collectionObject(collection)))
        .map(({ id, spec }) => {
          const total = totals.get(id);
          return {
            id,
            description: spec.description ?? '',
            versions: total?.count ?? 0,
            bytes: total?.bytes ?? 0,
            newestAt: total ? timestamp(total.newestAt) : null,
            ...limitsOf(spec),
          };
        });
      return success({ collections });
    },
  });

  register(server, app, 'collectionHealth', {
    tag: 'collections',
    summary: 'Show whether a collection is well',
    description:
      'With the code whose SHA-256 is in `healthSecretRef`, as `?code=` or in `Authorization`; open without one.',
    rateLimit: 'collectionHealth',
    params: collectionParams,
    querystring: codeQuery,
    data: schemas.healthData,
    errors: ['collection-not-found', 'wrong-health-code', 'unhealthy'],
    handler: async (request) => {
      const collection = collectionOf(request, app);
      if (!knowsCode(request, collection, app)) {
        throw new Refused(
          'wrong-health-code',
          "not authorized - invalid value of 'code' parameter in query string",
        );
      }
      const versions = await app.metadata.versions.list(collection.id);
      const health = checkCollection(collection, versions, app.clock());
      if (!allWell(health)) throw new RefusedWith('unhealthy', 'one of checks failed', { data: { health } });
      return success({ health });
    },
  });
}

/** A reference that leads nowhere lets nobody in. */
function knowsCode(request: FastifyRequest, { spec }: Collection, app: App): boolean {
  const { healthSecretRef } = spec;
  if (!healthSecretRef) return true;
  const expected = app.configuration
    .current()
    .secret(healthSecretRef.name, healthSecretRef.entry)
    ?.trim()
    .toLowerCase();
  return (
    expected !== undefined && /^[0-9a-f]{64}$/.test(expected) && isEqual(sha256Hex(codeOf(request)), expected)
  );
}
