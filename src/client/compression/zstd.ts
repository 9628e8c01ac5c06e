/** Compression with zstd (RFC 8878) as a stream that stock `zstd -d` reads. */

export interface CompressOptions {
  /** 1 to 19. */
  level: number;
}

/** The content compressed, in order; ends only after the source has ended. */
export async function* compress(
  _source: AsyncIterable<Buffer>,
  _options: CompressOptions,
): AsyncGenerator<Buffer> {
  yield Buffer.of();
  throw new Error('to come');
}

/**
 * The content decompressed; ends without an error only if the last frame was complete and every checksum was right.
 *
 * @throws {UserError} `damaged`.
 */
export async function* decompress(_source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.of();
  throw new Error('to come');
}

/**
 * What content is by its first bytes (at least 16 of them, if there are as many): `marked` if `compress` made it, `zstd` if it is
 * zstd that somebody else made, so that it may be the user's own data; otherwise `other`.
 */
export function compressionOf(_head: Buffer): 'marked' | 'zstd' | 'other' {
  throw new Error('to come');
}
