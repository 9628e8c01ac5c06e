/** How a stream is cut into the parts of a multipart upload. */

const MIB = 1024 * 1024;
/** S3 takes no smaller part, except for the last. */
export const SMALLEST_PART = 5 * MIB;
/** S3 takes no more parts. */
export const MOST_PARTS = 10_000;
/** Chosen such that S3's largest object, 5 TiB, still fits: `GROWTH × (1 + ln(5 TiB / (GROWTH × 5 MiB))) < 10,000`. */
const GROWTH = 1250;
/** A stream of known length need not grow; a little room is left, in case the length was a guess. */
const PARTS_OF_KNOWN = 9000;

/**
 * Bytes of the next part, when so many were sent already. 5 MiB up to 6 GiB, then a 1250th of what there is: a part
 * must be in memory as a whole, so small streams should not pay for large ones.
 */
export function partSize(sentBytes: number, expectedBytes = 0): number {
  const wanted = Math.max(SMALLEST_PART, sentBytes / GROWTH, expectedBytes / PARTS_OF_KNOWN);
  // With the length known, growth begins only when it was exceeded.
  const size = expectedBytes > sentBytes ? Math.max(SMALLEST_PART, expectedBytes / PARTS_OF_KNOWN) : wanted;
  return Math.ceil(size / MIB) * MIB;
}
