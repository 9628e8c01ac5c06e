/** Versions as servers list them. What the original's server does not say is empty. */
import type { VersionMessage } from '../../wire/messages.ts';
import { failure } from '../failure.ts';

/** @throws {UserError} `usage` if it is none: then it was not a backup repository that answered. */
export function readVersion(value: unknown): VersionMessage {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { versionNumber, filesize } = fields;
  if (!isCount(versionNumber) || !isCount(filesize)) throw notAVersion();
  const text = (name: string) => (typeof fields[name] === 'string' ? (fields[name] as string) : '');
  return {
    id: text('id'),
    collectionId: text('collectionId'),
    versionNumber,
    filename: text('filename'),
    filesize,
    uploadedBySessionId: text('uploadedBySessionId'),
    user: text('user'),
    CreatedAt: text('CreatedAt'),
    UpdatedAt: text('UpdatedAt'),
    DeletedAt: text('DeletedAt') || null,
    sha256: text('sha256').toLowerCase(),
    format: text('format'),
    contentEncoding: text('contentEncoding'),
    pinned: fields.pinned === true,
  };
}

/** Oldest first, whatever the server's order. `null` is an empty list, as Go writes it. @throws {UserError} `usage` */
export function readVersions(value: unknown): VersionMessage[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw notAVersion();
  return value.map(readVersion).sort((a, b) => a.versionNumber - b.versionNumber);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function notAVersion() {
  return failure(
    'usage',
    'what the server answers is not what a backup repository says about versions',
    'check --url',
  );
}
