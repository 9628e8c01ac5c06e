/** Compression: the content cut into frames of their own, several of which are made at a time. */
import { availableParallelism } from 'node:os';
import { Lane } from './lane.ts';
import { endMark, START_MARK } from './marks.ts';

export interface CompressOptions {
  /** 1 to 19. */
  level: number;
}

/** Node.js compresses in its thread pool, which has four threads. */
const MOST_LANES = 4;
/** From here on zstd's tables take so much memory (some 16 MiB a lane at 19) that there are only as many lanes as fit. */
const LARGE_LEVEL = 10;
const MOST_LARGE_LANES = 2;

/**
 * The content compressed, in order; ends only after the source has ended. Frames have checksums, except for content that does not
 * get smaller and is stored as it is, and marks stand around all of them (`marks.ts`). Pieces, of the source and of what comes out, may
 * be written to again when the next is asked for. Takes a few MiB for every lane, whatever the size of the content.
 *
 * Whoever stops early stops the source; work under way in the thread pool goes on for milliseconds and is thrown away.
 */
export async function* compress(
  source: AsyncIterable<Buffer>,
  { level }: CompressOptions,
): AsyncGenerator<Buffer> {
  const lanes = Array.from({ length: laneCount(level) }, () => new Lane(level, frameBytes(level)));
  try {
    // A copy: what was given may be changed or moved to a thread.
    yield Buffer.from(START_MARK);
    let bytes = 0;
    let turn = 0;
    let lane = next(lanes, turn);
    for await (const chunk of source) {
      bytes += chunk.length;
      for (let at = 0; at < chunk.length; ) {
        at += lane.fill(chunk, at);
        if (!lane.full) continue;
        lane.start();
        // The next lane is the one that began longest ago: its frame is the next in order.
        lane = next(lanes, ++turn);
        yield* await lane.finish();
      }
    }
    lane.start();
    for (const _ of lanes) yield* await next(lanes, ++turn).finish();
    yield endMark(bytes);
  } finally {
    for (const lane of lanes) lane.close();
  }
}

function next(lanes: readonly Lane[], turn: number): Lane {
  const lane = lanes[turn % lanes.length];
  if (!lane) throw new Error('there is no lane');
  return lane;
}

/**
 * Content of a frame. Smaller ones take less memory, larger ones compress better, since nothing is found again beyond a frame's start:
 * SQL rows lost half a percent with 512 KiB, text that repeats itself from afar a sixth. At the quick levels the throughput is
 * such that memory matters more.
 */
function frameBytes(level: number): number {
  return level < 3 ? 512 * 1024 : 1024 * 1024;
}

/** One more than there are cores, so that none is idle while a finished frame waits for its turn. */
function laneCount(level: number): number {
  return Math.min(availableParallelism() + 1, level < LARGE_LEVEL ? MOST_LANES : MOST_LARGE_LANES);
}
