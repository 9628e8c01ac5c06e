/** How a stream is cut into the parts of a multipart upload. */

const MIB = 1024 * 1024;
/** S3 takes no smaller part, except for the last. */
export const SMALLEST_PART = 5 * MIB;
/** S3 takes no more parts. */
export const MOST_PARTS = 10_000;
/** S3 takes no larger object. */
const LARGEST_OBJECT = 5 * 1024 * 1024 * MIB;
/** Chosen such that it still fits: `GROWTH × (1 + ln(LARGEST_OBJECT / (GROWTH × SMALLEST_PART))) < MOST_PARTS`. */
const GROWTH = 1250;
/** Twice as quick, where growth has an end: that comes at a smaller size then. */
const GROWTH_TO_LIMIT = GROWTH / 2;
/** A stream of known length need not grow; a little room is left, in case the length was a guess. */
const PARTS_OF_KNOWN = 9000;
/** Of a stream whose limit is known; the formula counts a few too few, because growth has steps. */
const PARTS_OF_LIMITED = 9900;

/** Bytes of the next part, when so many were sent already. */
export type PartSizes = (sentBytes: number) => number;

/**
 * A part must be in memory as a whole, so small streams should not pay for large ones, nor any for more parts than S3
 * takes. Of known length: the same size all along. Of unknown length: 5 MiB up to 3 GiB, then a 625th of what there is,
 * up to the size with which all that the stream may become fits. Where nobody knows that either, a 1250th without end.
 */
export function partSizes(lengths: { expectedBytes?: number; mostBytes?: number }): PartSizes {
  const { expectedBytes = 0, mostBytes = Number.POSITIVE_INFINITY } = lengths;
  const known = Math.max(SMALLEST_PART, expectedBytes / PARTS_OF_KNOWN);
  const end = expectedBytes > 0 ? undefined : endOfGrowth(mostBytes);
  return (sentBytes) => {
    // With the length known, growth begins only when it was exceeded.
    if (sentBytes < expectedBytes) return whole(known);
    return whole(
      Math.max(known, end === undefined ? sentBytes / GROWTH : Math.min(sentBytes / GROWTH_TO_LIMIT, end)),
    );
  };
}

/**
 * The size at which parts need not grow any more if there are no more bytes than these; undefined if there is none. Parts
 * that grow up to a size are `GROWTH_TO_LIMIT × (1 + ln(size / SMALLEST_PART))`, and hold `GROWTH_TO_LIMIT × size` bytes;
 * the others are of that size.
 */
function endOfGrowth(mostBytes: number): number | undefined {
  for (let size = SMALLEST_PART; size < LARGEST_OBJECT / GROWTH_TO_LIMIT; size += MIB) {
    const parts = mostBytes / size + GROWTH_TO_LIMIT * Math.log(size / SMALLEST_PART);
    if (parts <= PARTS_OF_LIMITED) return size;
  }
  return undefined;
}

function whole(bytes: number): number {
  return Math.ceil(bytes / MIB) * MIB;
}
