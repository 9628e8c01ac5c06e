/** The one place that turns what went wrong into an HTTP status. */
import type { ErrorCode } from '../../wire/error-codes.ts';

/**
 * A status, or the original's beside the precise one. The original answered nearly everything about an upload with 500;
 * `--precise-statuses` tells the client's faults from the server's.
 */
const STATUSES: Readonly<Record<ErrorCode, number | { original: number; precise: number }>> = {
  'bad-request': 400,
  'not-found': 404,
  'method-not-allowed': 405,
  'body-too-large': 413,
  'uri-too-long': 414,
  'unsupported-media-type': 415,
  'rate-limited': 429,
  'request-timeout': 408,
  'shutting-down': 503,
  internal: 500,
  'database-unavailable': 503,
  'not-authenticated': 401,
  'not-authorized': 403,
  'login-refused': 401,
  'login-too-soon': { original: 500, precise: 429 },
  'account-not-found': 404,
  'session-not-found': 404,
  'wrong-health-code': 403,
  unhealthy: 500,
  'collection-not-found': 404,
  'upload-not-authorized': 403,
  'outside-window': 403,
  'parallel-upload': { original: 500, precise: 409 },
  'cannot-increment': { original: 500, precise: 503 },
  'rotation-unknown': 500,
  'rotation-declined': 403,
  'bad-form': { original: 500, precise: 400 },
  'bad-digest': 400,
  'bad-limits': 500,
  'too-large': { original: 500, precise: 413 },
  empty: { original: 500, precise: 422 },
  'not-encrypted': { original: 500, precise: 422 },
  truncated: { original: 500, precise: 422 },
  cancelled: { original: 500, precise: 400 },
  idle: 408,
  'storage-timeout': { original: 500, precise: 504 },
  'storage-failed': { original: 500, precise: 503 },
  'storage-full': 507,
  'digest-mismatch': 422,
  'cancelled-late': { original: 500, precise: 400 },
  'lease-lost': { original: 500, precise: 409 },
  'cannot-register': { original: 500, precise: 503 },
  'version-not-found': 404,
  'download-not-authorized': 403,
  'list-not-authorized': 403,
  'manage-not-authorized': 403,
  'cannot-read': { original: 500, precise: 503 },
  'cannot-list': { original: 500, precise: 503 },
  'range-not-satisfiable': 416,
  'version-pinned': 409,
  'last-version': 409,
  'action-not-authorized': 403,
  'action-lost': 409,
};

export function statusOf(code: ErrorCode, preciseStatuses: boolean): number {
  const status = STATUSES[code];
  if (typeof status === 'number') return status;
  return preciseStatuses ? status.precise : status.original;
}
