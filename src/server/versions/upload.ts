/**
 * One upload, from the first check to the last.
 *
 * The order of the checks is the original's, since clients see the first that fails. The order of the writing is:
 * object durable, then its row committed under the lease, then the answer. A crash at any instant leaves either a
 * complete version or none.
 */
import { randomUUID } from 'node:crypto';
import { filenameOf, newObjectKey } from '../collections/names.ts';
import type { Collection } from '../configuration/configuration.ts';
import { MetadataUnavailable, type NewVersion, type Version } from '../metadata/metadata.ts';
import { within } from '../storage/within.ts';
import { timerMs } from '../timers.ts';
import type { VersionDependencies } from './dependencies.ts';
import { HeldLease } from './held-lease.ts';
import { Inspection, tooLarge } from './inspection.ts';
import { Refused, streamRefused } from './refusals.ts';
import { rotate } from './rotate.ts';
import { unlessAborted } from './unless-aborted.ts';
import { admit, declineIfFull, limitFor, versionsThatStay } from './upload-checks.ts';
import { explainFault } from './upload-faults.ts';
import type { UploadRequest } from './upload-request.ts';

/** How long a refusal may wait for its object to be removed. */
const CLEANUP_MS = 1000;

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
    return { version, rotated: await rotateQuietly(request, dependencies) };
  } finally {
    await lease.release().catch((error: unknown) => {
      dependencies.log.warn(
        { err: error, collection: collection.id },
        'the lease could not be given back yet, at the latest it expires',
      );
    });
  }
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
  declineIfFull(collection, staying);
  // Before the body is opened: a form's client may be silent as well, and holds the lease meanwhile.
  const timeout = AbortSignal.timeout(timerMs(dependencies.storageTimeoutMs));
  const signal = AbortSignal.any([request.signal, held.lost, timeout]);
  const explain = (error: unknown) =>
    explainFault(error, { request, lost: held.lost, timeout }, dependencies);
  const body = await unlessAborted(request.open(signal), signal).catch((error: unknown) => {
    throw signal.aborted ? explain(error) : error;
  });
  const most = limitFor(collection, staying);
  if (body.length !== undefined && body.length > most) throw tooLarge(body.length, most);

  const filename = filenameOf(spec.filenameTemplate, versionNumber);
  const objectKey = newObjectKey(collectionId, versionNumber, filename);
  const inspection = new Inspection(body.content, {
    mostBytes: most,
    allowUnencrypted: spec.allowUnencrypted === true,
  });
  let committing = false;
  try {
    signal.throwIfAborted();
    const written = await storage.put(objectKey, inspection, {
      signal,
      mostBytes: most,
      ...(body.length !== undefined && { expectedBytes: body.length }),
    });
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
    throw explain(error);
  }
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

/**
 * Rotates as the collection is configured by now, not when the upload began: who has said meanwhile that more shall stay
 * relies on it. Rotation that fails is tried again with the next upload: the new version is safe already.
 */
async function rotateQuietly(request: UploadRequest, dependencies: VersionDependencies): Promise<Version[]> {
  const collection = request.collectionNow();
  if (!collection) return [];
  try {
    return await rotate(collection, dependencies);
  } catch (error) {
    dependencies.log.error({ err: error, collection: collection.id }, 'rotation failed');
    return [];
  }
}

/** Waits only briefly: the answer, and the lease, must not depend on a storage that hangs. No other upload has this key. */
async function removeQuietly(key: string, { storage, log }: VersionDependencies): Promise<void> {
  try {
    const late = () => new Error(`the storage did not remove it within ${CLEANUP_MS} ms`);
    await within(CLEANUP_MS, storage.remove(key), late);
  } catch (error) {
    log.warn({ err: error, object: key }, 'an object of a failed upload is left to the sweeper');
  }
}
