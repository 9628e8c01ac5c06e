/**
 * An upload of unknown length to S3, with bounded memory.
 *
 * Not AWS's own `Upload`: its parts cannot grow, which ends every stream at 10,000 parts, and its requests go on after
 * an abort.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { PartBuffers, type SharedMemory } from './part-buffers.ts';
import { MOST_PARTS, type PartSizes } from './part-sizes.ts';
import { StorageError } from './storage.ts';

export interface Target {
  client: S3Client;
  Bucket: string;
  Key: string;
}

/** How long the tidying up after a failure may take. */
const CLEANUP_MS = 5000;

export class S3Upload {
  readonly #target: Target;
  readonly #buffers: PartBuffers;
  readonly #sizes: PartSizes;
  /** Aborts everything under way, for whatever reason. */
  readonly #abort = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #parts: CompletedPart[] = [];
  #failure: unknown;
  #uploadId: string | undefined;
  #current: Buffer | undefined;
  #filled = 0;
  #started = 0;
  #sent = 0;
  /** Something may be visible under the key. */
  #visible = false;

  constructor(target: Target, shared: SharedMemory, sizes: PartSizes) {
    this.#target = target;
    this.#buffers = new PartBuffers(shared);
    this.#sizes = sizes;
  }

  /** Aborts when the upload does: give it to whatever reads the source. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why the upload aborted itself; undefined if it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Copies the bytes; resolves as soon as it can take more. */
  async write(block: Buffer): Promise<void> {
    for (let start = 0; start < block.length; ) {
      this.#current ??= await this.#nextBuffer();
      const copied = block.copy(this.#current, this.#filled, start);
      start += copied;
      this.#filled += copied;
      if (this.#filled === this.#current.length) await this.#sendCurrent();
    }
  }

  /** Makes the object visible; resolves to its length, which S3 has confirmed. */
  async complete(): Promise<number> {
    const bytes = this.#sent + this.#filled;
    if (this.#uploadId === undefined) await this.#putWhole();
    else await this.#completeParts();
    const { ContentLength } = await this.#send(new HeadObjectCommand(this.#object));
    if (ContentLength !== bytes) {
      throw new StorageError(`S3 holds ${ContentLength} bytes of an object to which ${bytes} were written`);
    }
    return bytes;
  }

  /** Removes what a failed upload left; as far as possible, and in bounded time. */
  async discard(): Promise<void> {
    this.#abort.abort(this.#failure);
    await Promise.allSettled(this.#sending);
    this.close();
    const { client } = this.#target;
    const options = { abortSignal: AbortSignal.timeout(CLEANUP_MS) };
    const UploadId = this.#uploadId;
    if (UploadId !== undefined) {
      await client
        .send(new AbortMultipartUploadCommand({ ...this.#object, UploadId }), options)
        .catch(() => {});
    }
    if (this.#visible) await client.send(new DeleteObjectCommand(this.#object), options).catch(() => {});
  }

  /** Gives all memory back; call at the end, whatever it was. */
  close(): void {
    if (this.#current) this.#buffers.giveBack(this.#current);
    this.#current = undefined;
  }

  get #object(): { Bucket: string; Key: string } {
    return { Bucket: this.#target.Bucket, Key: this.#target.Key };
  }

  async #putWhole(): Promise<void> {
    this.#visible = true;
    const Body = this.#current?.subarray(0, this.#filled) ?? Buffer.alloc(0);
    await this.#send(new PutObjectCommand({ ...this.#object, Body, ContentLength: Body.length }));
  }

  async #completeParts(): Promise<void> {
    if (this.#filled > 0) await this.#sendCurrent();
    await Promise.all(this.#sending);
    this.#throwFailure();
    this.#visible = true;
    const Parts = this.#parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    try {
      await this.#send(
        new CompleteMultipartUploadCommand({
          ...this.#object,
          UploadId: this.#uploadId,
          MultipartUpload: { Parts },
        }),
      );
    } catch (error) {
      // The first attempt got through and only its answer was lost. The caller compares the length.
      if (!(error instanceof S3ServiceException && error.name === 'NoSuchUpload')) throw error;
    }
    this.#uploadId = undefined;
  }

  async #nextBuffer(): Promise<Buffer> {
    for (;;) {
      this.#throwFailure();
      const buffer = this.#buffers.take(this.#sizes(this.#sent));
      if (buffer) return buffer;
      await Promise.race(this.#sending);
    }
  }

  async #sendCurrent(): Promise<void> {
    const buffer = this.#current;
    if (!buffer) return;
    const Body = buffer.subarray(0, this.#filled);
    this.#uploadId ??= await this.#begin();
    this.#throwFailure();
    this.#current = undefined;
    this.#sent += this.#filled;
    this.#filled = 0;
    const sending = this.#sendPart(++this.#started, Body)
      .catch((error: unknown) => {
        this.#failure ??= error;
        this.#abort.abort(error);
      })
      .finally(() => {
        this.#buffers.giveBack(buffer);
        this.#sending.delete(sending);
      });
    this.#sending.add(sending);
  }

  /** An abort waits a moment for S3's answer: without the name in it, what S3 has begun could not be removed. */
  async #begin(): Promise<string> {
    this.#throwFailure();
    const patience = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const limitWait = () => {
      timer = setTimeout(() => patience.abort(), CLEANUP_MS);
    };
    this.#abort.signal.addEventListener('abort', limitWait);
    try {
      const command = new CreateMultipartUploadCommand(this.#object);
      const { UploadId } = await this.#target.client.send(command, { abortSignal: patience.signal });
      if (!UploadId) throw new StorageError('S3 began an upload without a name');
      return UploadId;
    } finally {
      clearTimeout(timer);
      this.#abort.signal.removeEventListener('abort', limitWait);
    }
  }

  async #sendPart(PartNumber: number, Body: Buffer): Promise<void> {
    if (PartNumber > MOST_PARTS)
      throw new StorageError('the upload is larger than S3 can hold', { full: true });
    const command = new UploadPartCommand({ ...this.#object, UploadId: this.#uploadId, PartNumber, Body });
    const { ETag } = await this.#send(command);
    this.#parts.push({ PartNumber, ETag });
  }

  get #send(): S3Client['send'] {
    const { client } = this.#target;
    const options = { abortSignal: this.#abort.signal };
    return ((command: Parameters<S3Client['send']>[0]) => client.send(command, options)) as S3Client['send'];
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#abort.signal.throwIfAborted();
  }
}
