/** Compression with zstd (RFC 8878) as a stream that stock `zstd -d` reads. */
import zlib from 'node:zlib';

export { type CompressOptions, compress } from './compress.ts';
export { decompress } from './decompress.ts';
export { compressionOf, START_MARK } from './marks.ts';

/** Whether this Node.js has zstd: 22.15 and later do. Without it, neither direction works. */
export function zstdAvailable(): boolean {
  return typeof zlib.createZstdCompress === 'function';
}
