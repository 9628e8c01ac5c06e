/** What S3's failures mean to a person. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { StorageError } from './storage.ts';

const MEANINGS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'S3 has no bucket of that name: create it, or correct the storage URL',
  AccessDenied:
    'S3 denies access: the credentials need the rights to put, get, list and delete objects and to list and abort multipart uploads in the bucket',
  Forbidden: 'S3 denies access: check the credentials and their rights in the bucket',
  InvalidAccessKeyId: 'S3 does not know the access key: check AWS_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'S3 refuses the signature: check AWS_SECRET_ACCESS_KEY and the region',
  ExpiredToken: 'the credentials for S3 have expired',
  AuthorizationHeaderMalformed: 'S3 refuses the signature: check the region in the storage URL',
  PermanentRedirect: 'the bucket is in another region: write region=… in the storage URL',
  RequestTimeTooSkewed: 'the clocks of this machine and of S3 differ too much',
  CredentialsProviderError:
    'there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the server a role',
  SlowDown: 'S3 asks for fewer requests at present',
};

/** For answers without a code: those to HEAD have no body. */
const STATUSES: Readonly<Record<number, string | undefined>> = {
  403: MEANINGS.AccessDenied,
  429: MEANINGS.SlowDown,
  503: MEANINGS.SlowDown,
};

/** Codes by which S3, and those who speak its language, say that there is no room. */
const FULL = new Set([
  'XMinioStorageFull',
  'QuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'InsufficientCapacity',
  'ServiceQuotaExceeded',
]);
const INSUFFICIENT_STORAGE = 507;

/** The failure as the server knows it. Shows none of what S3 repeats of the request, such as key ids. */
export function s3Failure(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Error)) return new StorageError('S3 failed', { cause: error });
  if (error instanceof S3ServiceException) {
    const status = statusOf(error) ?? 0;
    const full = FULL.has(error.name) || status === INSUFFICIENT_STORAGE;
    const known = MEANINGS[error.name] ?? STATUSES[status];
    const meaning = full ? 'the bucket is full: free some space, or keep fewer versions' : known;
    const cause = new Error(
      `${error.name}, HTTP status ${status}, request ${error.$metadata?.requestId ?? 'unknown'}`,
    );
    return new StorageError(meaning ?? `S3 failed: ${error.name}, HTTP status ${status}`, { cause, full });
  }
  return new StorageError(MEANINGS[error.name] ?? networkMeaning(error), { cause: error });
}

function networkMeaning(error: Error): string {
  // The SDK calls a connection that was cut a timeout, too.
  const isCut = 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
  if (error.name === 'TimeoutError' && !isCut) return 'S3 did not answer in time';
  if (error.name === 'AbortError') return 'the request to S3 was cancelled';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the host of S3 cannot be found (${code}): check the endpoint`;
  if (code === 'ECONNREFUSED')
    return 'S3 refuses the connection (ECONNREFUSED): check the endpoint and its port';
  return `the connection to S3 failed (${code})`;
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata?.httpStatusCode : undefined;
}

/** True if S3 says that what was asked for is not there; a missing bucket is something else. */
export function isAbsence(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}
