/** Listing, deleting and pinning versions. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as schemas from '../../wire/schemas.ts';
import type { Action } from '../access/roles.ts';
import type { Version } from '../metadata/metadata.ts';
import { findVersion } from '../versions/download.ts';
import { deleteVersion, setPinned } from '../versions/manage.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { subjectOf } from './authentication.ts';
import { collectionFor, collectionParams, type VersionParams, versionParams } from './collection-access.ts';
import { success, versionMessage } from './envelope.ts';
import { type Handling, register } from './register.ts';

export async function versionRoutes(server: FastifyInstance, app: App): Promise<void> {
  register(server, app, 'versions', {
    tag: 'versions',
    summary: 'List the versions of a collection, oldest first',
    rateLimit: 'default',
    token: true,
    params: collectionParams,
    data: schemas.versionsData,
    errors: ['collection-not-found', 'list-not-authorized', 'cannot-list'],
    handler: async (request) => {
      const collection = collectionFor(request, app, ['file.upload', 'file.download'], {
        code: 'list-not-authorized',
        message: 'not authorized to list versions',
      });
      let versions: Version[];
      try {
        versions = await app.metadata.versions.list(collection.id);
      } catch (error) {
        request.log.error({ err: error }, 'versions cannot be listed');
        throw new Refused('cannot-list', 'cannot list versions, listing error. Check server logs', {
          cause: error,
        });
      }
      return success({ versions: versions.map(versionMessage) });
    },
  });

  const managing: Omit<Handling, 'handler' | 'summary'> = {
    tag: 'versions',
    rateLimit: 'default',
    token: true,
    params: versionParams,
    data: schemas.versionData,
    errors: ['collection-not-found', 'manage-not-authorized', 'version-not-found'],
  };

  register(server, app, 'deleteVersion', {
    ...managing,
    summary: 'Delete a version',
    description: 'A pinned version must be unpinned first; the last one of a collection needs `?force=true`.',
    querystring: { type: 'object', properties: { force: { type: 'boolean', default: false } } },
    errors: [...(managing.errors ?? []), 'version-pinned', 'last-version'],
    handler: async (request) => {
      const version = await versionFor(request, app, 'file.delete');
      const { force } = request.query as { force: boolean };
      const deleted = await deleteVersion(version, { force }, app);
      note(request, deleted, 'version deleted');
      app.sweeper.remove([deleted]);
      return success({ version: versionMessage(deleted) });
    },
  });

  for (const [name, pinned] of [
    ['pin', true],
    ['unpin', false],
  ] as const) {
    register(server, app, name, {
      ...managing,
      summary: pinned ? 'Keep a version whatever rotation says' : 'Let rotation have a version again',
      handler: async (request) => {
        const version = await setPinned(await versionFor(request, app, 'file.pin'), pinned, app);
        note(request, version, pinned ? 'version pinned' : 'version unpinned');
        return success({ version: versionMessage(version) });
      },
    });
  }
}

async function versionFor(request: FastifyRequest, app: App, action: Action): Promise<Version> {
  const collection = collectionFor(request, app, [action], {
    code: 'manage-not-authorized',
    message: 'not authorized to manage versions of this collection',
  });
  return findVersion(collection.id, (request.params as VersionParams).version, app);
}

function note(request: FastifyRequest, version: Version, message: string): void {
  const { collectionId, versionNumber } = version;
  request.log.info(
    { collection: collectionId, version: versionNumber, user: subjectOf(request).user.name },
    message,
  );
}
