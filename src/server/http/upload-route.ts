/** Receiving a version. */
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HEADERS } from '../../wire/headers.ts';
import * as schemas from '../../wire/schemas.ts';
import { Refused } from '../versions/refusals.ts';
import { upload } from '../versions/upload.ts';
import type { App } from './app.ts';
import { subjectOf } from './authentication.ts';
import { collectionParams, may } from './collection-access.ts';
import { success, versionMessage } from './envelope.ts';
import { register } from './register.ts';
import { openUploadBody } from './upload-body.ts';
import { mostUploads, UploadSlots } from './upload-slots.ts';
import { watchUpload } from './watchdog.ts';

const file: schemas.Schema = { type: 'string', format: 'binary' };

export async function uploadRoute(server: FastifyInstance, app: App): Promise<void> {
  const slots = new UploadSlots(mostUploads(app.settings.maxUploads, app.storage.uploadBytes));
  // In this scope bodies are not read before the handler, whatever they are.
  server.removeAllContentTypeParsers();
  await server.register(multipart, { throwFileSizeLimit: false });
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  register(server, app, 'upload', {
    tag: 'versions',
    summary: 'Store a version',
    description:
      'The body is the content: OpenPGP or age, or anything where the collection allows it. Forms with a field `file` are understood too.',
    token: true,
    params: collectionParams,
    headers: {
      type: 'object',
      properties: {
        [HEADERS.digest]: {
          type: 'string',
          description:
            'RFC 9530: `sha-256=:<base64>:`, here or as a trailer. Content that differs is not stored.',
        },
        [HEADERS.contentEncoding]: {
          type: 'string',
          description: 'How the content inside the encryption is compressed.',
        },
      },
    },
    body: {
      content: {
        'application/octet-stream': { schema: file },
        'multipart/form-data': { schema: { type: 'object', properties: { file } } },
      },
    },
    data: schemas.versionData,
    errors: [
      'collection-not-found',
      'upload-not-authorized',
      'outside-window',
      'parallel-upload',
      'cannot-increment',
      'rotation-unknown',
      'rotation-declined',
      'bad-form',
      'bad-digest',
      'bad-limits',
      'too-large',
      'empty',
      'not-encrypted',
      'truncated',
      'cancelled',
      'idle',
      'storage-timeout',
      'storage-failed',
      'storage-full',
      'digest-mismatch',
      'cancelled-late',
      'lease-lost',
      'cannot-register',
      'shutting-down',
      'rate-limited',
    ],
    options: {
      bodyLimit: Number.MAX_SAFE_INTEGER,
      config: { ownBody: true },
      validatorCompiler: () => () => true,
    },
    handler: async (request, reply) => {
      const giveBack = slots.take();
      try {
        return await receive(request, reply, app);
      } finally {
        giveBack();
      }
    },
  });
}

async function receive(request: FastifyRequest, reply: FastifyReply, app: App): Promise<unknown> {
  const { collectionId } = request.params as { collectionId: string };
  const { user, sessionId } = subjectOf(request);
  const { settings, metrics } = app;
  const snapshot = app.configuration.current();
  // What a stranger makes up must not become a label.
  const label = snapshot.collections.has(collectionId) ? collectionId : '';
  const { abort, end } = app.transfers.begin();
  const stopWatching = watchUpload(
    request.raw,
    { idleMs: settings.uploadIdleTimeoutMs, totalMs: settings.uploadTimeoutMs },
    () => abort.abort(new Refused('idle', 'Request took too long')),
  );
  metrics.uploadBegan(label);
  try {
    const { version, rotated } = await upload(
      {
        collectionId,
        snapshot,
        user: user.name,
        sessionId,
        may: (action, collection) => may(request, action, collection),
        collectionNow: () => app.configuration.current().collections.get(collectionId),
        open: (signal) => openUploadBody(request, reply, settings.hangUpGraceMs, signal),
        signal: abort.signal,
      },
      app,
    );
    metrics.uploadEnded(label, { bytes: version.filesize });
    request.log.info(
      { collection: collectionId, version: version.versionNumber, bytes: version.filesize },
      'version stored',
    );
    reply.raw.once('close', () => app.sweeper.remove(rotated));
    reply.header('etag', `"${version.sha256}"`);
    return success({ version: versionMessage(version) });
  } catch (error) {
    metrics.uploadEnded(label, { reason: error instanceof Refused ? error.code : 'internal' });
    throw error;
  } finally {
    stopWatching();
    end();
  }
}
