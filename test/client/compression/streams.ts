/** What the tests of streams of buffers share. */

export async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The bytes in chunks of so many. */
export async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What is thrown while the stream is read to its end. */
export async function failureOf(source: AsyncIterable<Buffer>): Promise<{ message: string; code?: string }> {
  try {
    await collect(source);
  } catch (error) {
    const { message, problem } = error as Error & { problem?: { code: string } };
    return problem ? { message, code: problem.code } : { message };
  }
  throw new Error('the stream ended without an error');
}
