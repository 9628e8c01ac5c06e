/**
 * One upload, from the first check to the last.
 *
 * The order of the checks is the original's, since clients see the first that fails. The order of the writing is:
 * object durable, then its row committed under the lease, then the answer. A crash at any instant leaves either a
 * complete version or none.
 */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { filenameOf, newObjectKey } from '../collections/names.ts';
import { limitsOf, mostBytes } from '../collections/quota.ts';
import { isOpen } from '../collections/windows.ts';
import type { Collection, Snapshot } from '../configuration/configuration.ts';
import { LeaseLost, MetadataUnavailable, type NewVersion, type Version } from '../metadata/metadata.ts';
import { StorageError } from '../storage/storage.ts';
import type { VersionDependencies } from './dependencies.ts';
import { HeldLease } from './held-lease.ts';
import { Inspection, tooLarge } from './inspection.ts';
import { Refused, streamRefused } from './refusals.ts';
import { rotate } from './rotate.ts';
import { versionsToRemove } from './rotation.ts';

/** The content of an upload, once the checks before it have passed. */
export interface UploadBody {
  readonly content: Readable;
  /** Length if it was announced. */
  readonly length: number | undefined;
  /** True if its end cannot be taken for an earlier one: by its length, or by a closing boundary. */
  readonly delimited: boolean;
  readonly contentEncoding: string;
  /**
   * The SHA-256 that the client says the content has, in lower-case hex. Asked once the content has ended, since it may
   * come in a trailer. @throws {Refused} if it cannot be read, or was announced and did not come.
   */
  digest(): string | undefined;
  /**
   * Whether the client still waits for the answer. `proven`: the client has shown that the content is complete, so that
   * hanging up right after it needs no waiting for. Some clients notice only behind the last byte that the dump failed.
   */
  stillThere(proven: boolean): Promise<boolean>;
}

export interface UploadRequest {
  readonly collectionId: string;
  readonly snapshot: Snapshot;
  readonly user: string;
  readonly sessionId: string;
  /** Whether whoever uploads may do this to the collection. */
  may(action: 'file.upload' | 'file.upload-anytime', collection: Collection): boolean;
  /** @throws {Refused} if the body is not what it should be. */
  open(): Promise<UploadBody>;
  /** Aborts with the `Refused` that says why: the client went silent, took too long, or the server stops. */
  readonly signal: AbortSignal;
}

export interface Uploaded {
  readonly version: Version;
  /** Versions that rotation deleted; their objects are still to be removed. */
  readonly rotated: readonly Version[];
}

/** Stores a version and rotates. @throws {Refused} with nothing stored; `MetadataUnavailable` if the database is away. */
export async function upload(request: UploadRequest, dependencies: VersionDependencies): Promise<Uploaded> {
  const collection = admit(request, dependencies);
  const lease = await HeldLease.acquire(
    dependencies.metadata.leases,
    `collection:${collection.id}`,
    dependencies.leaseMs,
  );
  if (!lease) throw new Refused('parallel-upload', 'cannot upload to same collection in parallel');
  try {
    const version = await store(request, collection, lease, dependencies);
    return { version, rotated: await rotateQuietly(collection, dependencies) };
  } finally {
    await lease.release().catch((error: unknown) => {
      dependencies.log.warn({ err: error, collection: collection.id }, 'the lease is left to expire');
    });
  }
}

/** Who may upload, and when. */
function admit(request: UploadRequest, { clock }: VersionDependencies): Collection {
  const collection = request.snapshot.collections.get(request.collectionId);
  if (!collection) throw new Refused('collection-not-found', 'cannot find specified collection');
  if (!request.may('file.upload', collection)) {
    throw new Refused('upload-not-authorized', 'not authorized to upload versions to this collection');
  }
  if (!request.may('file.upload-anytime', collection) && !isOpen(collection.spec.windows, clock())) {
    throw new Refused(
      'outside-window',
      "backup window does not allow you to send a backup at this time. You need a token that has a special permission 'uploadsAnytime'",
    );
  }
  return collection;
}

/** Everything that is done under the lease before rotation. */
async function store(
  request: UploadRequest,
  collection: Collection,
  held: HeldLease,
  dependencies: VersionDependencies,
): Promise<Version> {
  const { metadata, storage, clock } = dependencies;
  const { id: collectionId, spec } = collection;
  const versionNumber = await metadata.versions.nextNumber(collectionId).catch((error: unknown) => {
    throw new Refused('cannot-increment', 'cannot increment version. The database does not answer', {
      cause: error,
    });
  });
  const staying = await versionsThatStay(collection, versionNumber, dependencies);
  const most = limitFor(collection, staying);
  const body = await request.open();
  if (body.length !== undefined && body.length > most) throw tooLarge(body.length, most);

  const filename = filenameOf(spec.filenameTemplate, versionNumber);
  const objectKey = newObjectKey(collectionId, versionNumber, filename);
  const timeout = AbortSignal.timeout(dependencies.storageTimeoutMs);
  const signal = AbortSignal.any([request.signal, held.lost, timeout]);
  const inspection = new Inspection(body.content, {
    mostBytes: most,
    allowUnencrypted: spec.allowUnencrypted === true,
  });
  let committing = false;
  try {
    signal.throwIfAborted();
    const written = await storage.put(objectKey, inspection, { signal });
    const { bytes, sha256, format } = inspection.findings;
    if (written !== bytes) throw streamRefused('storage-failed', 'storage error');
    const digest = body.digest();
    if (digest !== undefined && digest !== sha256) {
      throw streamRefused(
        'digest-mismatch',
        `the SHA-256 of the received data is ${sha256}, Repr-Digest says ${digest}`,
      );
    }
    const proven = digest !== undefined || body.delimited;
    if (!(await body.stillThere(proven))) {
      throw new Refused('cancelled-late', 'upload cancelled by client after the body was written');
    }
    signal.throwIfAborted();
    committing = true;
    return await register(
      {
        id: randomUUID(),
        collectionId,
        versionNumber,
        filename,
        objectKey,
        filesize: bytes,
        sha256,
        format,
        contentEncoding: body.contentEncoding,
        user: request.user,
        uploadedBySessionId: request.sessionId,
      },
      held,
      dependencies,
      clock(),
    );
  } catch (error) {
    inspection.destroy();
    // Whether the row was committed is not known: only the sweeper, later, can tell an orphan from a version.
    if (!(committing && error instanceof MetadataUnavailable)) await removeQuietly(objectKey, dependencies);
    throw explain(error, { request, held, timeout }, dependencies);
  }
}

/** What will still be there after the rotation that follows this upload. */
async function versionsThatStay(
  { id, spec }: Collection,
  versionNumber: number,
  { metadata, clock, log }: VersionDependencies,
): Promise<Version[]> {
  const stored = await metadata.versions.list(id);
  const now = clock();
  try {
    const leaving = new Set<unknown>(
      versionsToRemove([...stored, { versionNumber, createdAt: now, pinned: false }], spec, now),
    );
    return stored.filter((version) => !leaving.has(version));
  } catch (error) {
    log.error({ err: error, collection: id }, 'the rotation strategy cannot be used');
    throw new Refused(
      'rotation-unknown',
      'internal error while trying to create rotation strategy. Check server logs',
      { cause: error },
    );
  }
}

function limitFor({ spec }: Collection, staying: readonly Version[]): number {
  let most: number;
  try {
    most = mostBytes(
      limitsOf(spec),
      staying.map(({ filesize }) => filesize),
    );
  } catch (error) {
    throw new Refused('bad-limits', `cannot construct validators ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (most <= 0) {
    throw new Refused(
      'rotation-declined',
      'backup collection strategy declined a possibility to upload, the versions that may not be removed fill the collection',
    );
  }
  return most;
}

/** Commits the row. If the database's answer is lost, looks whether the row is there. */
async function register(
  version: NewVersion,
  { lease }: HeldLease,
  { metadata, log }: VersionDependencies,
  now: number,
): Promise<Version> {
  try {
    return await metadata.versions.register(version, lease, now);
  } catch (error) {
    if (error instanceof MetadataUnavailable) {
      const found = await metadata.versions.find(version.collectionId, version.versionNumber);
      if (found?.id === version.id) return found;
    }
    log.error({ err: error, collection: version.collectionId }, 'a version could not be registered');
    throw error;
  }
}

/** Rotation that fails is tried again with the next upload: the new version is safe already. */
async function rotateQuietly(collection: Collection, dependencies: VersionDependencies): Promise<Version[]> {
  try {
    return await rotate(collection, dependencies);
  } catch (error) {
    dependencies.log.error({ err: error, collection: collection.id }, 'rotation failed');
    return [];
  }
}

async function removeQuietly(key: string, { storage, log }: VersionDependencies): Promise<void> {
  try {
    await storage.remove(key);
  } catch (error) {
    log.warn({ err: error, object: key }, 'an object of a failed upload is left to the sweeper');
  }
}

/** What to tell the client of whatever was thrown while the content was stored. */
function explain(
  error: unknown,
  { request, held, timeout }: { request: UploadRequest; held: HeldLease; timeout: AbortSignal },
  { log }: VersionDependencies,
): unknown {
  if (error instanceof Refused) return error;
  if (request.signal.aborted && request.signal.reason instanceof Refused) return request.signal.reason;
  if (held.lost.aborted || error instanceof LeaseLost) {
    return streamRefused('lease-lost', 'the right to upload to this collection was lost, try again', {
      cause: error,
    });
  }
  if (timeout.aborted) {
    const reason = 'context deadline exceeded, probably hit a Storage I/O timeout or Request timeout';
    return streamRefused('storage-timeout', reason, { cause: error });
  }
  if (error instanceof MetadataUnavailable) {
    return new Refused('cannot-register', 'the uploaded version could not be registered. Check server logs', {
      cause: error,
    });
  }
  log.error({ err: error, collection: request.collectionId }, 'an upload failed');
  if (error instanceof StorageError) {
    return error.full
      ? streamRefused('storage-full', 'storage error: there is no space left', { cause: error })
      : streamRefused('storage-failed', 'storage error', { cause: error });
  }
  return new Refused('cannot-register', 'the uploaded version could not be registered. Check server logs', {
    cause: error,
  });
}
