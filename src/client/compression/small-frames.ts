/** Frames that say beforehand that they are small, as ours do: each is decompressed by itself, and several at a time. */
import { availableParallelism } from 'node:os';
import { Decompressor } from './decompressor.ts';
import type { Part } from './frames.ts';
import type { MarkedLength } from './marked-length.ts';
import { contentOfStored } from './stored.ts';

/** Of content. Ours have at most as many. */
const MOST_BYTES = 1024 * 1024;
/** Of a frame. What cannot be compressed grows by less; a frame may have any number of empty blocks, though. */
const MOST_FRAME_BYTES = MOST_BYTES + 64 * 1024;
/** Node.js decompresses in its thread pool, which has four threads. One more than there are cores keeps them busy. */
const AT_ONCE = Math.min(availableParallelism() + 1, 4);

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
  const decompressors = Array.from({ length: AT_ONCE }, () => new Decompressor(MOST_BYTES));
  try {
    return yield* inTurns(parts, marked, decompressors);
  } finally {
    for (const decompressor of decompressors) decompressor.close();
  }
}

async function* inTurns(
  parts: AsyncIterator<Part>,
  marked: MarkedLength,
  decompressors: readonly Decompressor[],
): AsyncGenerator<Buffer, Part[]> {
  const running: Promise<readonly Buffer[]>[] = [];
  let frame: Part[] = [];
  let bytes = 0;
  let frames = 0;
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
    const decompressor = decompressors[frames++ % decompressors.length] as Decompressor;
    running.push(start(decompressor, frame, content));
    frame = [];
    bytes = 0;
    if (running.length === decompressors.length) yield* takeFirst(running);
  }
  while (running.length > 0) yield* takeFirst(running);
  return frame;
}

function contentBytes([header]: readonly Part[]): number | undefined {
  return header?.kind === 'header' ? header.contentBytes : undefined;
}

function start(
  decompressor: Decompressor,
  frame: readonly Part[],
  content: number,
): Promise<readonly Buffer[]> {
  const bytes = Buffer.concat(frame.map((part) => (part.kind === 'skippable' ? Buffer.of() : part.bytes)));
  // zstd would copy it twice more.
  const stored = contentOfStored(bytes);
  if (stored) return Promise.resolve(stored);
  const running = decompressor.decompress(bytes, content);
  // It is awaited later, or never if the stream is given up before.
  running.catch(() => {});
  return running;
}

async function* takeFirst(running: Promise<readonly Buffer[]>[]): AsyncGenerator<Buffer> {
  for (const content of (await running.shift()) ?? []) if (content.length > 0) yield content;
}
