/** Reads every stored version and compares it with what was noted when it was stored. */
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Version } from '../metadata/metadata.ts';
import { ObjectNotFound } from '../storage/storage.ts';
import type { VersionDependencies } from './dependencies.ts';
import { Damaged, Verified } from './verified.ts';

export interface Checked {
  readonly version: Version;
  /** `unreadable`: the storage failed, so nothing is known of the version. */
  readonly state: 'intact' | 'damaged' | 'missing' | 'unreadable';
  /** Why it is not intact; empty if it is. */
  readonly reason: string;
}

/**
 * Checks one version after the other; of one collection only, if it is named. What is deleted meanwhile, by rotation or
 * by hand, is left out: its object may be gone, and nobody misses it.
 */
export async function* checkVersions(
  { metadata, storage }: Pick<VersionDependencies, 'metadata' | 'storage'>,
  options: { collectionId?: string; signal: AbortSignal },
): AsyncGenerator<Checked> {
  const versions = options.collectionId
    ? await metadata.versions.list(options.collectionId)
    : metadata.versions.all();
  for await (const version of versions) {
    options.signal.throwIfAborted();
    const checked = await checkVersion(version, storage, options.signal);
    if (checked.state === 'intact' || (await isLive(version, metadata))) yield checked;
  }
}

async function isLive(
  { id, collectionId, versionNumber }: Version,
  { versions }: VersionDependencies['metadata'],
): Promise<boolean> {
  return (await versions.find(collectionId, versionNumber))?.id === id;
}

async function checkVersion(
  version: Version,
  storage: VersionDependencies['storage'],
  signal: AbortSignal,
): Promise<Checked> {
  try {
    const stored = await storage.get(version.objectKey, { signal });
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    await pipeline(stored, new Verified(version), nowhere, { signal });
    return { version, state: 'intact', reason: '' };
  } catch (error) {
    signal.throwIfAborted();
    const reason = (error as Error).message;
    if (error instanceof ObjectNotFound)
      return { version, state: 'missing', reason: 'the object is not there' };
    return { version, state: error instanceof Damaged ? 'damaged' : 'unreadable', reason };
  }
}
