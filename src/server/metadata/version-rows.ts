/** Between a version and its row. */
import type { Version, VersionOutline } from './metadata.ts';
import type { VersionRow } from './schema.ts';

export function toVersion(row: VersionRow): Version {
  return {
    id: row.id,
    collectionId: row.collection_id,
    versionNumber: row.version_number,
    filename: row.filename,
    objectKey: row.object_key,
    filesize: row.filesize,
    sha256: row.sha256,
    format: row.format,
    contentEncoding: row.content_encoding,
    user: row.user_name,
    uploadedBySessionId: row.session_id,
    pinned: row.pinned !== 0,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  };
}

type OutlineRow = Pick<VersionRow, 'id' | 'version_number' | 'filesize' | 'pinned' | 'created_at'>;

export function toOutline(row: OutlineRow): VersionOutline {
  return {
    id: row.id,
    versionNumber: row.version_number,
    filesize: row.filesize,
    pinned: row.pinned !== 0,
    createdAt: row.created_at,
  };
}

export function toVersionRow(version: Version): VersionRow {
  return {
    id: version.id,
    collection_id: version.collectionId,
    version_number: version.versionNumber,
    filename: version.filename,
    object_key: version.objectKey,
    filesize: version.filesize,
    sha256: version.sha256,
    format: version.format,
    content_encoding: version.contentEncoding,
    user_name: version.user,
    session_id: version.uploadedBySessionId,
    pinned: version.pinned ? 1 : 0,
    created_at: version.createdAt,
    updated_at: version.updatedAt,
    deleted_at: version.deletedAt,
    removed_at: null,
  };
}
