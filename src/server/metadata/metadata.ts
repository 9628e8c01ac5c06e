/**
 * What the server remembers beside the objects themselves: versions, sessions, leases, counters.
 *
 * One interface, two engines: SQLite (one process) and PostgreSQL (any number of replicas). All times are given by the
 * caller as milliseconds since the epoch, so that tests can turn the clock; leases alone use the database's clock on
 * PostgreSQL, because replicas' clocks differ.
 */

export interface Metadata {
  readonly versions: VersionStore;
  readonly sessions: SessionStore;
  readonly leases: LeaseStore;
  readonly counters: CounterStore;
  readonly actions: ActionStore;
  /** Brings the schema up to date; safe to call from several replicas at once. */
  migrate(): Promise<void>;
  /** Throws if the database does not answer within `timeoutMs`. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** One stored version. A row exists only for an object that is complete and durable. */
export interface Version {
  /** Random UUID. */
  id: string;
  collectionId: string;
  /** Counts up from 1 in each collection, and is never used again, not even after a deletion. */
  versionNumber: number;
  /** Name that a download is offered under. */
  filename: string;
  /** Where the object storage holds it. */
  objectKey: string;
  /** Bytes stored. */
  filesize: number;
  /** SHA-256 of the stored bytes, lower-case hex. */
  sha256: string;
  /** What the stored bytes are: `openpgp`, `openpgp-armor`, `age`, `age-armor` or `plain`. */
  format: string;
  /** What the client says of the content inside the encryption, for example `zstd`; empty if it says nothing. */
  contentEncoding: string;
  user: string;
  uploadedBySessionId: string;
  /** Never removed by rotation while true. */
  pinned: boolean;
  createdAt: number;
  updatedAt: number;
  /** Set when the version was deleted; its object may still be there until `removedAt`. */
  deletedAt: number | null;
}

/** What rotation and limits ask of a version. */
export type VersionOutline = Pick<Version, 'id' | 'versionNumber' | 'filesize' | 'pinned' | 'createdAt'>;

export type NewVersion = Omit<Version, 'createdAt' | 'updatedAt' | 'deletedAt' | 'pinned'>;

export interface VersionStore {
  /**
   * The number that the next version of the collection gets: one more than any that ever was. Ask for it while the
   * collection's lease is held: it is only taken once a version of that number is registered.
   */
  nextNumber(collectionId: string): Promise<number>;
  /**
   * Commits a version. Throws `LeaseLost` if the lease is not held any more at that instant, in the same transaction,
   * so that a replica that was too slow cannot commit behind its successor; `AlreadyExists` if the number or the id is
   * taken. After `MetadataUnavailable` it is not known whether the version was committed: keep the object until
   * `isReferenced` says. Registering the same version again is harmless and tells.
   */
  register(version: NewVersion, lease: Lease, now: number): Promise<Version>;
  /** Live versions, oldest first. */
  list(collectionId: string): Promise<Version[]>;
  /** The same, with only what rotation and limits ask for: at each upload it is all of them. */
  outlines(collectionId: string): Promise<VersionOutline[]>;
  find(collectionId: string, versionNumber: number): Promise<Version | undefined>;
  latest(collectionId: string): Promise<Version | undefined>;
  /**
   * Marks versions as deleted; pinned ones only if `force`. Returns those that it marked: none if `sparing` names their collection
   * and no other version would be left there, whoever else deletes at the same instant.
   */
  softDelete(
    ids: readonly string[],
    now: number,
    options?: { force?: boolean; sparing?: string },
  ): Promise<Version[]>;
  /** False if there is no such version any more. */
  setPinned(id: string, pinned: boolean, now: number): Promise<boolean>;
  /** Deleted versions whose object was not yet removed. */
  pendingRemovals(limit: number): Promise<Version[]>;
  /** Notes that the object of a deleted version is gone. */
  removed(id: string, now: number): Promise<void>;
  /** Every live version, for an integrity check; reads in pages. */
  all(): AsyncIterable<Version>;
  /** When the first version that the collection ever had was stored, even if it was deleted long ago. */
  firstStoredAt(collectionId: string): Promise<number | undefined>;
  /** True if a row, live or not yet removed, refers to the object. */
  isReferenced(objectKey: string): Promise<boolean>;
  /** Count, bytes and newest time for each collection that has live versions. */
  totals(): Promise<
    { collectionId: string; count: number; bytes: number; newestAt: number; newestSize: number }[]
  >;
}

/** A login. Its id is the SHA-256 of the token, in lower-case hex: the token itself is never stored. */
export interface Session {
  id: string;
  user: string;
  accessKeyName: string;
  /** The operations scope as JSON, or `null`. */
  scope: string;
  description: string;
  requesterIP: string;
  createdAt: number;
  updatedAt: number;
  expiresAt: number;
  deactivated: boolean;
}

export interface SessionStore {
  /** Throws `AlreadyExists` if there is a session of that id. */
  create(session: Session): Promise<void>;
  find(id: string): Promise<Session | undefined>;
  /** Deactivates; true if there was such a session. */
  revoke(id: string, now: number): Promise<boolean>;
  /** Newest first. */
  listOf(user: string, limit: number): Promise<Session[]>;
  /** Removes sessions that expired before the time. */
  purge(before: number): Promise<number>;
}

/** A right that at most one holder has, until it is released or expires. */
export interface Lease {
  name: string;
  /** Random; tells this holder from all others. */
  holder: string;
}

export interface LeaseStore {
  /** The lease, or undefined if somebody else holds it. An expired one is taken over in the same statement. */
  acquire(name: string, ttlMs: number): Promise<Lease | undefined>;
  /** Extends; false if it was lost. One that ran out, but that nobody took over, is extended too. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Gives it back; does nothing if it was lost. */
  release(lease: Lease): Promise<void>;
  /** Frees all of them: for a process that starts, and knows that whoever held one is gone. */
  releaseAll(): Promise<void>;
}

/** Fixed-window counters that all replicas share, for rate limits. They may be lost when the database restarts. */
export interface CounterStore {
  /** Adds one and returns the count within the window that `now` falls into. */
  hit(key: string, windowMs: number, now: number): Promise<number>;
  purge(before: number): Promise<void>;
}

/** One action of the ledger: something that must not happen twice. Collection, namespace, name and run id identify it. */
export interface Action {
  namespace: string;
  name: string;
  runId: string;
  collectionId: string;
  operation: string;
  state: 'running' | 'done' | 'failed';
  /** Who runs it. */
  holder: string;
  leaseUntil: number;
  /** Version restored or made, once it is known. */
  versionNumber: number | null;
  createdAt: number;
  updatedAt: number;
}

export interface ActionStore {
  /**
   * Claims an action. `claimed`: it is ours now. `done`: it has been carried out. `running`: somebody else's lease is
   * live. `failed`: it failed, or its lease has run out; it may be claimed again only if `retry` says so. What the same
   * holder claims again while its lease is live is granted again, so a holder must be random for each run.
   */
  claim(
    action: Pick<Action, 'namespace' | 'name' | 'runId' | 'collectionId' | 'operation' | 'holder'>,
    leaseMs: number,
    now: number,
    retry: boolean,
  ): Promise<{ outcome: 'claimed' | 'done' | 'running' | 'failed'; action: Action }>;
  /** Extends the lease of a running action; false if it is not ours any more. */
  renew(
    key: Pick<Action, 'collectionId' | 'namespace' | 'name' | 'runId' | 'holder'>,
    leaseMs: number,
    now: number,
  ): Promise<boolean>;
  /** Ends a running action of ours; false if it is not ours any more. */
  finish(
    key: Pick<Action, 'collectionId' | 'namespace' | 'name' | 'runId' | 'holder'>,
    state: 'done' | 'failed',
    versionNumber: number | null,
    now: number,
  ): Promise<boolean>;
  find(collectionId: string, namespace: string, name: string, runId: string): Promise<Action | undefined>;
}

/** The lease is somebody else's by now: nothing was written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** There is a row with the same key. */
export class AlreadyExists extends Error {
  override readonly name = 'AlreadyExists';
}

/** The database did not answer, or refused for a reason that may pass: the request may be tried again later. */
export class MetadataUnavailable extends Error {
  override readonly name = 'MetadataUnavailable';
}
