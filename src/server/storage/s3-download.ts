/** A download from S3 that goes on where it was cut. */

import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Failure } from './s3-failure.ts';

interface Source {
  client: S3Client;
  Bucket: string;
  Key: string;
  /** Connections that may break one after the other without bringing a single byte. */
  attempts: number;
}

interface Body {
  stream: Readable;
  etag: string | undefined;
  /** Bytes that it will give. */
  length: number;
}

/**
 * The bytes of an object, or of a range, as a stream. Whoever reads it may take hours, longer than S3 keeps an idle
 * connection, so a connection that breaks is replaced by one for the bytes that are missing, of the same object.
 */
export async function download(
  source: Source,
  range: { start: number; end: number } | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  const start = range?.start ?? 0;
  const first = await request(source, start, range?.end, undefined, signal);
  return new ResumingDownload(source, start, first, signal);
}

async function request(
  { client, Bucket, Key }: Source,
  start: number,
  end: number | undefined,
  etag: string | undefined,
  abortSignal: AbortSignal,
): Promise<Body> {
  const Range = start > 0 || end !== undefined ? `bytes=${start}-${end ?? ''}` : undefined;
  const command = new GetObjectCommand({
    Bucket,
    Key,
    ...(Range && { Range }),
    ...(etag && { IfMatch: etag }),
  });
  const { Body: stream, ETag, ContentLength = 0 } = await client.send(command, { abortSignal });
  return {
    stream: stream instanceof Readable ? stream : Readable.from([]),
    etag: ETag,
    length: ContentLength,
  };
}

class ResumingDownload extends Readable {
  readonly #source: Source;
  readonly #etag: string | undefined;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #cancel = () => this.destroy(s3Failure(Object.assign(new Error(), { name: 'AbortError' })));
  /** Where the next byte is in the object, and where the last one is. */
  #position: number;
  readonly #end: number;
  #stream: Readable | undefined;
  #wanted = false;
  #failures = 0;

  constructor(source: Source, start: number, first: Body, signal: AbortSignal) {
    super({ highWaterMark: 256 * 1024 });
    this.#source = source;
    this.#etag = first.etag;
    this.#position = start;
    this.#end = start + first.length - 1;
    this.#signal = signal;
    signal.addEventListener('abort', this.#cancel);
    this.#attach(first.stream);
    if (signal.aborted) this.#cancel();
  }

  override _read(): void {
    this.#wanted = true;
    if (this.#stream) this.#stream.resume();
    else void this.#reconnect();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal.removeEventListener('abort', this.#cancel);
    this.#abort.abort();
    this.#stream?.destroy();
    done(error);
  }

  #attach(stream: Readable): void {
    this.#stream = stream;
    stream.pause();
    stream.on('data', (chunk: Buffer) => {
      this.#position += chunk.length;
      this.#failures = 0;
      this.#wanted = this.push(chunk);
      if (!this.#wanted) stream.pause();
    });
    // Closing follows every end, good or bad.
    let failure: unknown;
    stream.on('error', (error) => {
      failure = error;
    });
    stream.on('close', () => this.#closed(stream, failure));
    if (stream.destroyed) this.#closed(stream, stream.errored);
  }

  #closed(stream: Readable, failure: unknown): void {
    if (this.#stream !== stream || this.destroyed) return;
    this.#stream = undefined;
    if (this.#position > this.#end) this.push(null);
    else this.#failed(failure ?? new Error('S3 ended the answer before its time'));
  }

  #failed(error: unknown): void {
    if (++this.#failures >= this.#source.attempts) this.destroy(s3Failure(error));
    // Not before somebody wants the bytes: it would only be cut again.
    else if (this.#wanted) void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    if (this.#position > this.#end) {
      this.push(null);
      return;
    }
    try {
      const body = await request(this.#source, this.#position, this.#end, this.#etag, this.#abort.signal);
      if (this.destroyed) {
        body.stream.on('error', () => {}).destroy();
        return;
      }
      this.#attach(body.stream);
      if (this.#wanted) this.#stream?.resume();
    } catch (error) {
      // The client has tried several times already.
      if (!this.destroyed) this.destroy(s3Failure(error));
    }
  }
}
