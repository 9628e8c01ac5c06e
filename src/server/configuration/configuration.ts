/**
 * Users, collections and secrets as the operator declared them, kept up to date by a provider.
 *
 * A snapshot is immutable and complete: a broken file never replaces a good state, and never opens access.
 */
import type { BackupCollection, BackupUser } from '../../../gen/types.ts';

export type CollectionSpec = BackupCollection['spec'];
export type UserSpec = BackupUser['spec'];

export interface Snapshot {
  /** By `spec.id`, else by `metadata.name`. */
  readonly users: ReadonlyMap<string, User>;
  /** By `metadata.name`. */
  readonly collections: ReadonlyMap<string, Collection>;
  /** Value of a Secret's entry, used as it is; undefined if it is not there. Never logged. */
  secret(name: string, entry: string): string | undefined;
}

export interface User {
  readonly name: string;
  readonly spec: UserSpec;
}

export interface Collection {
  readonly id: string;
  readonly spec: CollectionSpec;
}

export interface ConfigurationProvider {
  /** Reads everything once and begins to watch. Throws `UserError` if there is nothing to start with. */
  start(): Promise<void>;
  /** The last good state. Cheap. */
  current(): Snapshot;
  /** What is wrong with the configuration as it stands now, one sentence each; empty if all is well. */
  problems(): readonly string[];
  stop(): Promise<void>;
}
