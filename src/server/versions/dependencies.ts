/** What the operations on versions work with. */
import type { Metadata } from '../metadata/metadata.ts';
import type { ObjectStorage } from '../storage/storage.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface VersionDependencies {
  readonly metadata: Metadata;
  readonly storage: ObjectStorage;
  readonly clock: Clock;
  readonly log: Log;
  /** Life of the lease that an upload holds; a dead replica blocks its collection for as long. Milliseconds. */
  readonly leaseMs: number;
  /** Most time for storing one version. Milliseconds. */
  readonly storageTimeoutMs: number;
}
