/** What went wrong while the content was stored, in words for the client. */
import { LeaseLost, MetadataUnavailable } from '../metadata/metadata.ts';
import { StorageError } from '../storage/storage.ts';
import type { VersionDependencies } from './dependencies.ts';
import { Refused, streamRefused } from './refusals.ts';
import type { UploadRequest } from './upload-request.ts';

/** What to tell the client of whatever was thrown while the content was stored. */
export function explainFault(
  error: unknown,
  { request, lost, timeout }: { request: UploadRequest; lost: AbortSignal; timeout: AbortSignal },
  { log }: VersionDependencies,
): unknown {
  if (error instanceof Refused) return error;
  // First: the commit may have taken place, and whatever else went wrong meanwhile would say that it has not.
  if (error instanceof MetadataUnavailable) {
    return new Refused('cannot-register', 'the uploaded version could not be registered. Check server logs', {
      cause: error,
    });
  }
  if (request.signal.aborted && request.signal.reason instanceof Refused) return request.signal.reason;
  if (lost.aborted || error instanceof LeaseLost) {
    return streamRefused('lease-lost', 'the right to upload to this collection was lost, try again', {
      cause: error,
    });
  }
  if (timeout.aborted) {
    const reason = 'context deadline exceeded, probably hit a Storage I/O timeout or Request timeout';
    return streamRefused('storage-timeout', reason, { cause: error });
  }
  log.error({ err: error, collection: request.collectionId }, 'an upload failed');
  if (error instanceof StorageError) {
    return error.full
      ? streamRefused('storage-full', 'storage error: there is no space left', { cause: error })
      : streamRefused('storage-failed', 'storage error', { cause: error });
  }
  return new Refused('cannot-register', 'the uploaded version could not be registered. Check server logs', {
    cause: error,
  });
}
