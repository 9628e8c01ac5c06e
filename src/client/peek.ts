/** The first bytes of a stream, without taking them out of it. */

export interface Peeked {
  /** As many bytes as were asked for, or all there are if the content is shorter. */
  head: Buffer;
  /** The whole content, head included. */
  content: AsyncGenerator<Buffer>;
  /** Lets go of the source, for those who do not read the content: a generator that was never started cannot do it. */
  close(): Promise<void>;
}

/** Reads until `bytes` bytes are there. @throws what the source throws. */
export async function peek(source: AsyncIterable<Buffer>, bytes: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < bytes) {
    const next = await iterator.next();
    if (next.done) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  const read = Buffer.concat(chunks, length);
  return {
    head: read.subarray(0, bytes),
    content: rest(read, iterator),
    close: async () => {
      await iterator.return?.();
    },
  };
}

async function* rest(read: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (read.length > 0) yield read;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/** The content unchanged; tells how many bytes of it have passed, chunk by chunk. */
export async function* counted(
  source: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}
