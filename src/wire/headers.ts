/** Header names beyond those of HTTP itself, in lower case, as Node.js delivers them. */
export const HEADERS = {
  /** RFC 9530, on uploads as header or trailer, and on downloads: `sha-256=:<base64>:` of the bytes as stored. */
  digest: 'repr-digest',
  /** On uploads and downloads: how the content inside the encryption is compressed, for example `zstd`. */
  contentEncoding: 'x-backup-content-encoding',
  /** On downloads: what the stored bytes are, see `FORMATS`. */
  format: 'x-backup-format',
  /** On downloads: the number of the version, useful if `latest` was asked for. */
  version: 'x-backup-version',
  /** On errors: the stable code of what went wrong, see `ERROR_CODES`. Sentences may change, codes do not. */
  error: 'x-backup-error',
  /** Names the request in the server's log. A client may send its own. */
  requestId: 'x-request-id',
} as const;

/** What the stored bytes of a version can be. */
export const FORMATS = ['openpgp', 'openpgp-armor', 'age', 'age-armor', 'plain'] as const;
export type Format = (typeof FORMATS)[number];

/** The value of a digest header for a SHA-256 in lower-case hex. */
export function formatDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}

/**
 * The SHA-256 that a digest header names, in lower-case hex; undefined if it names none, since a header may carry
 * digests of other kinds. Throws `SyntaxError` if what it says of sha-256 cannot be read.
 */
export function parseDigest(value: string): string | undefined {
  for (const member of value.split(',')) {
    const equals = member.indexOf('=');
    if (equals < 0 || member.slice(0, equals).trim().toLowerCase() !== 'sha-256') continue;
    const match = /^:([A-Za-z0-9+/]{43}=):$/.exec(member.slice(equals + 1).trim());
    if (!match?.[1]) throw new SyntaxError('sha-256 must be 32 bytes in base64 between colons');
    return Buffer.from(match[1], 'base64').toString('hex');
  }
  return undefined;
}
