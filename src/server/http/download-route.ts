/** Sending a version. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formatDigest, HEADERS } from '../../wire/headers.ts';
import { ROUTES } from '../../wire/routes.ts';
import { contentDisposition } from '../collections/names.ts';
import type { Version } from '../metadata/metadata.ts';
import { type ByteRange, findVersion, openVersion } from '../versions/download.ts';
import type { App } from './app.ts';
import { requireToken } from './authentication.ts';
import { collectionFor, type VersionParams, versionParams } from './collection-access.ts';
import { describe } from './describe.ts';
import { RefusedWith } from './errors.ts';
import { type Handling, register } from './register.ts';
import { watchDownload } from './watchdog.ts';

const bytes = { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };

const DESCRIPTION: Omit<Handling, 'handler'> = {
  tag: 'versions',
  summary: 'Get a version as it was stored',
  description:
    'Understands one range, `If-Range` and `If-None-Match`. A whole version is verified on its way: if it is damaged, the connection breaks before its end.',
  rateLimit: 'default',
  token: true,
  params: versionParams,
  answers: {
    200: { description: 'The whole version', ...bytes },
    206: { description: 'A part of it', ...bytes },
    304: { description: 'The version that the client has already', type: 'null' },
  },
  errors: [
    'collection-not-found',
    'download-not-authorized',
    'version-not-found',
    'cannot-read',
    'range-not-satisfiable',
    'shutting-down',
  ],
};

export async function downloadRoute(server: FastifyInstance, app: App): Promise<void> {
  register(server, app, 'download', {
    ...DESCRIPTION,
    handler: (request, reply) => send(request, reply, app),
  });

  const { path, aliases } = ROUTES.download;
  for (const [index, url] of [path, ...aliases].entries()) {
    server.route({
      method: 'HEAD',
      url,
      schema: {
        ...describe(
          {
            ...DESCRIPTION,
            summary: 'Get the headers of a version',
            answers: { 200: { description: 'OK', type: 'null' } },
          },
          app.settings.preciseStatuses,
        ),
        operationId: index > 0 ? 'downloadHeadersAlias' : 'downloadHeaders',
      } as never,
      config: { rateLimit: 'default' },
      onRequest: (request: FastifyRequest) => requireToken(request, app),
      handler: async (request, reply) => {
        const version = await versionOf(request, app);
        return describeVersion(reply, version).header('content-length', version.filesize).send();
      },
    });
  }
}

async function send(request: FastifyRequest, reply: FastifyReply, app: App): Promise<FastifyReply> {
  const version = await versionOf(request, app);
  describeVersion(reply, version);
  if (matches(request.headers['if-none-match'], version)) return reply.code(304).send();
  const range = rangeOf(request, version);
  const length = range ? range.end - range.start + 1 : version.filesize;

  const { abort, end } = app.transfers.begin();
  reply.raw.once('close', () => {
    end();
    abort.abort();
  });
  abort.signal.addEventListener('abort', () => reply.raw.destroy(), { once: true });
  const content = await openVersion(version, range, abort.signal, app);
  const { settings } = app;
  watchDownload(reply.raw, { idleMs: settings.idleTimeoutMs, totalMs: settings.downloadTimeoutMs }, () =>
    abort.abort(),
  );
  content.once('end', () => app.metrics.downloaded(version.collectionId, length));
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${version.filesize}`);
  return reply.header('content-length', length).send(content);
}

async function versionOf(request: FastifyRequest, app: App): Promise<Version> {
  const collection = collectionFor(request, app, ['file.download'], {
    code: 'download-not-authorized',
    message: 'not authorized to download versions from this collection',
  });
  return findVersion(collection.id, (request.params as VersionParams).version, app);
}

function describeVersion(reply: FastifyReply, version: Version): FastifyReply {
  return reply.headers({
    'content-type': 'application/octet-stream',
    'content-disposition': contentDisposition(version.filename),
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-store, no-transform',
    etag: `"${version.sha256}"`,
    'last-modified': new Date(version.createdAt).toUTCString(),
    [HEADERS.digest]: formatDigest(version.sha256),
    [HEADERS.format]: version.format,
    [HEADERS.version]: String(version.versionNumber),
    ...(version.contentEncoding !== '' && { [HEADERS.contentEncoding]: version.contentEncoding }),
  });
}

/** RFC 9110: entity tags, weak or not, or `*`. */
function matches(header: string | undefined, { sha256 }: Version): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => ['*', `"${sha256}"`].includes(tag.trim().replace(/^W\//, '')));
}

/** The single range that is asked for; undefined for everything. Several ranges at once are answered with the whole. */
function rangeOf(request: FastifyRequest, version: Version): ByteRange | undefined {
  const { range, 'if-range': ifRange } = request.headers;
  if (range === undefined) return undefined;
  if (typeof ifRange === 'string' && ifRange.trim() !== `"${version.sha256}"`) return undefined;
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim()) ?? [];
  if (first === '' && last === '') return undefined;
  const { filesize } = version;
  const start = first === '' ? Math.max(0, filesize - Number(last)) : Number(first);
  const end = first === '' || last === '' ? filesize - 1 : Math.min(Number(last), filesize - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= filesize || (first === '' && Number(last) === 0)) {
    throw new RefusedWith('range-not-satisfiable', `the version has ${filesize} bytes`, {
      headers: { 'content-range': `bytes */${filesize}`, 'content-type': 'application/json; charset=utf-8' },
    });
  }
  return { start, end };
}
