/** Frames that say beforehand that they are small, as ours do: each is decompressed by itself, and several at a time. */
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Part } from './frames.ts';
import type { MarkedLength } from './marked-length.ts';

/** Of content. Ours have at most as many. */
const MOST_BYTES = 1024 * 1024;
/** Of a frame. What cannot be compressed grows by less; a frame may have any number of empty blocks, though. */
const MOST_FRAME_BYTES = MOST_BYTES + 64 * 1024;
/** Node.js decompresses in its thread pool, which has four threads. One more than there are cores keeps them busy. */
const AT_ONCE = Math.min(availableParallelism() + 1, 4);
/** Room behind the content, so that the decompressor sees in one go that nothing follows. */
const SPARE_BYTES = 64;

/**
 * The content of the frames in order, up to the first that is not small.
 *
 * @returns the parts of that one so far; nothing at the end.
 * @throws what zlib throws; what the parts or the marks throw.
 */
export async function* decompressSmall(
  parts: AsyncIterator<Part>,
  marked: MarkedLength,
): AsyncGenerator<Buffer, Part[]> {
  const running: Promise<Buffer>[] = [];
  let frame: Part[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value: part } = await parts.next();
    if (done) break;
    if (part.kind === 'skippable') {
      marked.skippable(part);
      continue;
    }
    frame.push(part);
    bytes += part.bytes.length;
    const content = contentBytes(frame);
    if (content === undefined || content > MOST_BYTES || bytes > MOST_FRAME_BYTES) break;
    if (part.kind === 'header' || !part.ends) continue;
    marked.frame(content);
    running.push(start(frame, content));
    frame = [];
    bytes = 0;
    if (running.length === AT_ONCE) yield* takeFirst(running);
  }
  while (running.length > 0) yield* takeFirst(running);
  return frame;
}

function contentBytes([header]: readonly Part[]): number | undefined {
  return header?.kind === 'header' ? header.contentBytes : undefined;
}

function start(frame: readonly Part[], content: number): Promise<Buffer> {
  const bytes = Buffer.concat(frame.map((part) => (part.kind === 'skippable' ? Buffer.of() : part.bytes)));
  // Asked for here, since older releases of Node.js, which can do all but this, do not have it.
  const decompressFrame = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);
  const running = decompressFrame(bytes, {
    chunkSize: content + SPARE_BYTES,
    // A frame is held to what it says by zstd; this only bounds the memory.
    maxOutputLength: content + SPARE_BYTES,
  });
  // It is awaited later, or never if the stream is given up before.
  running.catch(() => {});
  return running;
}

async function* takeFirst(running: Promise<Buffer>[]): AsyncGenerator<Buffer> {
  const content = await running.shift();
  if (content && content.length > 0) yield content;
}
