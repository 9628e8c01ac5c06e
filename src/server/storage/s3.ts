/** Objects in a bucket of S3, or of what speaks its language. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { timerMs } from '../timers.ts';
import { blocks, SourceFailed } from './blocks.ts';
import { checkKey } from './keys.ts';
import { SharedMemory } from './part-buffers.ts';
import { partSizes, SMALLEST_PART } from './part-sizes.ts';
import { ATTEMPTS, type S3Options, s3Client } from './s3-client.ts';
import { download } from './s3-download.ts';
import { isAbsence, s3Failure, statusOf } from './s3-failure.ts';
import { S3Upload } from './s3-upload.ts';
import type { S3Address } from './s3-url.ts';
import { ObjectNotFound, type ObjectStorage, type PutOptions, StorageError } from './storage.ts';
import { within } from './within.ts';

/** Objects that `check` writes; no key of an object begins so. */
const PROBES = '.check/';

/** Opens a bucket; asks it nothing yet. */
export function openS3(address: S3Address, options: S3Options): ObjectStorage {
  return new Bucket(s3Client(address, options), address, options.attempts ?? ATTEMPTS);
}

/** Besides its part: buffers of both connections. */
const BESIDE_PART_BYTES = 512 * 1024;

class Bucket implements ObjectStorage {
  readonly uploadBytes = SMALLEST_PART + BESIDE_PART_BYTES;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #attempts: number;
  readonly #memory = new SharedMemory();

  constructor(client: S3Client, { bucket, prefix }: S3Address, attempts: number) {
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#attempts = attempts;
  }

  async put(key: string, source: Readable, { signal, ...lengths }: PutOptions): Promise<number> {
    const object = this.#object(key);
    const upload = new S3Upload({ client: this.#client, ...object }, this.#memory, partSizes(lengths));
    const cancel = () => upload.abort(signal.reason);
    signal.addEventListener('abort', cancel);
    // Before the first wait, so that the source's errors have a listener.
    const pieces = blocks(source, upload.signal);
    try {
      if (signal.aborted) cancel();
      await this.#refuseToReplace(key, upload.signal);
    } catch (error) {
      signal.removeEventListener('abort', cancel);
      throw s3Failure(error);
    }
    try {
      for await (const block of pieces) await upload.write(block);
      return await upload.complete();
    } catch (error) {
      await upload.discard();
      if (error instanceof SourceFailed) throw error.reason;
      if (signal.aborted) throw new StorageError('the upload was cancelled', { cause: signal.reason });
      throw s3Failure(upload.failure ?? error);
    } finally {
      upload.close();
      signal.removeEventListener('abort', cancel);
    }
  }

  /** A look, not a lock: not every S3 knows conditions. Keys are used once, so it only catches mistakes. */
  async #refuseToReplace(key: string, abortSignal: AbortSignal): Promise<void> {
    if ((await this.#head(key, abortSignal)) !== undefined) {
      throw new StorageError('the storage already holds an object of that name, and never replaces one');
    }
  }

  async get(
    key: string,
    { range, signal }: { range?: { start: number; end: number }; signal: AbortSignal },
  ): Promise<Readable> {
    try {
      const source = { client: this.#client, ...this.#object(key), attempts: this.#attempts };
      return await download(source, range, signal);
    } catch (error) {
      if (isAbsence(error)) throw new ObjectNotFound(`there is no object ${key}`);
      if (statusOf(error) === 416) throw new RangeError('the range begins after the end of the object');
      throw s3Failure(error);
    }
  }

  async size(key: string): Promise<number | undefined> {
    try {
      return await this.#head(key);
    } catch (error) {
      throw s3Failure(error);
    }
  }

  async #head(key: string, abortSignal?: AbortSignal): Promise<number | undefined> {
    try {
      const options = abortSignal && { abortSignal };
      const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#object(key)), options);
      return ContentLength;
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand(this.#object(key)));
    } catch (error) {
      throw s3Failure(error);
    }
  }

  async *list(): AsyncIterable<{ key: string; writtenAt: number }> {
    for await (const { key, writtenAt } of this.#listAll('')) {
      if (!key.startsWith('.')) yield { key, writtenAt };
    }
  }

  async *#listAll(prefix: string): AsyncIterable<{ key: string; writtenAt: number }> {
    const Prefix = this.#prefix + prefix;
    for (let ContinuationToken: string | undefined; ; ) {
      const command = new ListObjectsV2Command({ Bucket: this.#bucket, Prefix, ContinuationToken });
      const page = await this.#client.send(command).catch((error: unknown) => {
        throw s3Failure(error);
      });
      for (const { Key, LastModified } of page.Contents ?? []) {
        if (Key !== undefined)
          yield { key: Key.slice(this.#prefix.length), writtenAt: LastModified?.getTime() ?? 0 };
      }
      ContinuationToken = page.NextContinuationToken;
      if (!ContinuationToken) return;
    }
  }

  async sweep(before: number): Promise<number> {
    try {
      let removed = 0;
      for await (const { Key, UploadId } of this.#uploads(before)) {
        await this.#client
          .send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }))
          .then(() => removed++)
          // It ended in the meantime.
          .catch((error: unknown) => {
            if (statusOf(error) !== 404) throw error;
          });
      }
      for await (const { key, writtenAt } of this.#listAll(PROBES)) {
        if (writtenAt < before)
          await this.#client.send(new DeleteObjectCommand(this.#named(key))).then(() => removed++);
      }
      return removed;
    } catch (error) {
      throw s3Failure(error);
    }
  }

  /** Unfinished uploads of ours. Filtered here, because MinIO finds none by a prefix that is not a whole key. */
  async *#uploads(before: number): AsyncIterable<{ Key: string; UploadId: string }> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const page = await this.#client.send(
        new ListMultipartUploadsCommand({ Bucket: this.#bucket, ...marker }),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        const ours = Key?.startsWith(this.#prefix) && (Initiated?.getTime() ?? 0) < before;
        if (Key !== undefined && UploadId !== undefined && ours) yield { Key, UploadId };
      }
      if (!page.IsTruncated || !page.NextKeyMarker) return;
      marker = {
        KeyMarker: page.NextKeyMarker,
        ...(page.NextUploadIdMarker && { UploadIdMarker: page.NextUploadIdMarker }),
      };
    }
  }

  async check(timeoutMs: number): Promise<void> {
    const late = () => new StorageError(`the storage did not answer within ${timeoutMs} ms`);
    await within(timeoutMs, this.#probe(AbortSignal.timeout(timerMs(timeoutMs))), late);
  }

  async #probe(abortSignal: AbortSignal): Promise<void> {
    const probe = this.#named(`${PROBES}${randomUUID()}`);
    const Body = randomUUID();
    try {
      await this.#client.send(new PutObjectCommand({ ...probe, Body }), { abortSignal });
      const source = { client: this.#client, ...probe, attempts: this.#attempts };
      const found = await text(await download(source, undefined, abortSignal));
      await this.#client.send(new DeleteObjectCommand(probe), { abortSignal });
      if (found !== Body) throw new StorageError('the storage gave back other bytes than were written');
    } catch (error) {
      throw s3Failure(error);
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  #object(key: string): { Bucket: string; Key: string } {
    checkKey(key);
    return this.#named(key);
  }

  #named(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }
}
