/** What versions are called: for people who download them, and in the object storage. */
import { randomBytes } from 'node:crypto';

const PLACEHOLDER = '${version}';

/** Name of the download: the template with its first `${version}` replaced by the number. */
export function filenameOf(template: string, versionNumber: number): string {
  return template.replace(PLACEHOLDER, () => String(versionNumber));
}

/**
 * Key of an object that no other upload ever gets, whatever the template says.
 *
 * A number is given again after an upload that failed, and a replica that lost its lease may still be writing; so the
 * key has a random part. Number and filename are there for the person who must find an object without the database.
 */
export function newObjectKey(collectionId: string, versionNumber: number, filename: string): string {
  const random = randomBytes(6).toString('hex');
  return `${safe(collectionId)}/${versionNumber}-${random}-${safe(filename)}`;
}

/** The value of Content-Disposition for a filename of any characters (RFC 6266). */
export function contentDisposition(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\]/g, '_');
  if (plain === filename) return `attachment; filename="${plain}"`;
  const encoded = encodeURIComponent(filename).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** Characters that are plain in folders, S3 and URLs alike, not too many of them, and no dot in front. */
function safe(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 150);
}
