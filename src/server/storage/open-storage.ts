/** From a storage's URL to its objects. */
import { fileURLToPath } from 'node:url';
import { UserError } from '../../api/problem.ts';
import { openFolder } from './folder.ts';
import type { S3Options } from './s3-client.ts';
import { parseS3Url } from './s3-url.ts';
import type { ObjectStorage } from './storage.ts';

export type StorageOptions = S3Options;

/**
 * Opens the storage at a URL: `file:///folder` or a plain path, or
 * `s3://bucket?endpoint=host:9000&disableSSL=true&s3ForcePathStyle=true&region=eu-central-1&prefix=backups/` as the
 * original wrote it, with credentials from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` or wherever else AWS's own
 * programs find them.
 *
 * A folder is made if it is not there. S3 is not asked for anything yet: `check` does. The folder, the bucket or the
 * prefix must be the server's alone. Throws `UserError` for a URL that cannot work; it never shows the URL's secrets.
 */
export async function openStorage(url: string, options: StorageOptions = {}): Promise<ObjectStorage> {
  const scheme = url.match(/^([a-z][a-z0-9+.-]*):/i)?.[1]?.toLowerCase();
  if (scheme === undefined && url !== '') return openFolder(url);
  if (scheme === 'file') return openFolder(filePath(url));
  if (scheme === 's3') {
    const address = parseS3Url(url);
    // Only here, because AWS's SDK costs time and memory that the users of a folder need not pay.
    const { openS3 } = await import('./s3.ts');
    return openS3(address, options);
  }
  throw new UserError({
    code: 'invalid-value',
    message: `${scheme ? `a storage of kind "${scheme}://"` : 'an empty storage URL'} is not supported: write file:///folder, or s3://bucket?endpoint=host:port for S3 and what speaks its language${scheme === 'gs' ? ' (Google Cloud Storage does: s3://bucket?endpoint=https://storage.googleapis.com with HMAC keys)' : ''}`,
  });
}

/** The original's own parameters, such as `create_dir`, say nothing that we do not do anyway. */
function filePath(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.search = '';
    return fileURLToPath(parsed);
  } catch (error) {
    throw new UserError(
      {
        code: 'invalid-value',
        message: 'the storage URL does not name a folder: write file:///folder, with three slashes',
      },
      { cause: error },
    );
  }
}
