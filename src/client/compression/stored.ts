/** A zstd frame that holds its content as it is (RFC 8878, 3.1.1): for what zstd could not make smaller, at no cost. */
import { FRAME_MAGIC } from './marks.ts';

/** Single segment, content size in four bytes, no checksum: what protects the stream, protects it. */
const DESCRIPTOR = 0xa0;
const HEADER_BYTES = 9;
/** The most that a block may hold. */
const BLOCK_BYTES = 128 * 1024;
const BLOCK_HEADER_BYTES = 3;

/** How long the frame is that holds so many bytes. */
export function storedBytes(contentBytes: number): number {
  return HEADER_BYTES + Math.ceil(contentBytes / BLOCK_BYTES) * BLOCK_HEADER_BYTES + contentBytes;
}

/** Writes the frame to the start of the target. @param content not empty, and less than 4 GiB. @returns the part that it takes. */
export function storeFrame(content: Buffer, target: Buffer): Buffer {
  target.writeUInt32LE(FRAME_MAGIC);
  target[4] = DESCRIPTOR;
  target.writeUInt32LE(content.length, 5);
  let end = HEADER_BYTES;
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    const bytes = Math.min(BLOCK_BYTES, content.length - at);
    const isLast = at + bytes === content.length;
    end = target.writeUIntLE(blockHeader(bytes, isLast), end, BLOCK_HEADER_BYTES);
    end += content.copy(target, end, at, at + bytes);
  }
  return target.subarray(0, end);
}

/** What `storeFrame` put into the frame, as views into it; undefined if it is a frame of another kind, or a damaged one. */
export function contentOfStored(frame: Buffer): Buffer[] | undefined {
  if (frame.length < HEADER_BYTES || frame[4] !== DESCRIPTOR) return undefined;
  const contentBytes = frame.readUInt32LE(5);
  if (frame.length !== storedBytes(contentBytes)) return undefined;
  const blocks: Buffer[] = [];
  for (let at = HEADER_BYTES; at < frame.length; ) {
    const bytes = Math.min(BLOCK_BYTES, frame.length - at - BLOCK_HEADER_BYTES);
    const end = at + BLOCK_HEADER_BYTES + bytes;
    if (frame.readUIntLE(at, BLOCK_HEADER_BYTES) !== blockHeader(bytes, end === frame.length))
      return undefined;
    blocks.push(frame.subarray(at + BLOCK_HEADER_BYTES, end));
    at = end;
  }
  return blocks;
}

/** Of a raw block: bit 0 marks the last one, two bits of type are zero, then comes the size. */
function blockHeader(bytes: number, isLast: boolean): number {
  return (bytes << 3) | Number(isLast);
}

const SAMPLES = 8;
const SAMPLE_BYTES = 512;
/** Squared counts of the values of as many random bytes: so many, times this much, are random still. */
const TOLERANCE = 1.25;

/**
 * Whether a few samples look as bytes do that are encrypted or compressed already: every value as often as any other. Takes
 * microseconds, and is wrong about random content that repeats itself.
 */
export function looksRandom(content: Buffer): boolean {
  const counts = new Uint32Array(256);
  const step = Math.max(SAMPLE_BYTES, Math.floor(content.length / SAMPLES));
  let bytes = 0;
  for (let from = 0; from < content.length; from += step) {
    const to = Math.min(from + SAMPLE_BYTES, content.length);
    for (let at = from; at < to; at++) {
      const value = content[at] ?? 0;
      counts[value] = (counts[value] ?? 0) + 1;
    }
    bytes += to - from;
  }
  const squares = counts.reduce((sum, count) => sum + count * count, 0);
  return squares < TOLERANCE * (bytes + (bytes * (bytes - 1)) / 256);
}
