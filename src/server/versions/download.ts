/** Finding a version by what the client calls it, and reading it. */
import { pipeline, type Readable } from 'node:stream';
import type { Version } from '../metadata/metadata.ts';
import { timerMs } from '../timers.ts';
import type { VersionDependencies } from './dependencies.ts';
import { Refused } from './refusals.ts';
import { Verified } from './verified.ts';

/** Both ends inclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/** `latest`, `3` or `v3`. @throws {Refused} if there is no such version. */
export async function findVersion(
  collectionId: string,
  name: string,
  { metadata }: Pick<VersionDependencies, 'metadata'>,
): Promise<Version> {
  const [, number] = /^v?(\d{1,15})$/.exec(name) ?? [];
  const version =
    name === 'latest'
      ? await metadata.versions.latest(collectionId)
      : number !== undefined
        ? await metadata.versions.find(collectionId, Number(number))
        : undefined;
  if (!version) throw new Refused('version-not-found', 'cannot find specified version');
  return version;
}

/**
 * The bytes of a version. A whole one is verified on its way and fails with `Damaged` before its last bytes if it is
 * not what was stored; a part cannot be.
 *
 * @throws {Refused} if the storage does not give it.
 */
export async function openVersion(
  version: Version,
  range: ByteRange | undefined,
  signal: AbortSignal,
  { storage, storageTimeoutMs, log }: Pick<VersionDependencies, 'storage' | 'storageTimeoutMs' | 'log'>,
): Promise<Readable> {
  const whole = !range || (range.start === 0 && range.end === version.filesize - 1);
  let stored: Readable;
  // Only until it begins to give: how long the rest may take is the client's matter.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timerMs(storageTimeoutMs)).unref();
  try {
    stored = await storage.get(version.objectKey, {
      ...(range && !whole && { range }),
      signal: AbortSignal.any([signal, late.signal]),
    });
  } catch (error) {
    log.error(
      { err: error, version: version.id, object: version.objectKey },
      'a stored version cannot be read',
    );
    throw new Refused(
      'cannot-read',
      'cannot read from storage: the object cannot be read. Check server logs',
      {
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
  if (!whole) return stored;
  return pipeline(stored, new Verified(version), (error) => {
    // Also called when the client hangs up, which is nothing to report here.
    if (error && !signal.aborted && (error as { code?: unknown }).code !== 'ERR_STREAM_PREMATURE_CLOSE') {
      log.error({ err: error, version: version.id, object: version.objectKey }, 'a download broke off');
    }
  });
}
