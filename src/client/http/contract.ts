/** The server as the client sees it: one backup repository with its collections. */
import type {
  ActionKey,
  ClaimData,
  CollectionMessage,
  HealthCheck,
  OperationsScope,
  VersionMessage,
} from '../../wire/messages.ts';
import type { Report } from '../report.ts';

/** Who is asking. */
export type Credentials =
  | { kind: 'token'; token: string }
  /** `user` or `user$key`; a session is opened with the first request that needs one, and closed at the end. */
  | { kind: 'password'; username: string; password: string };

export interface RepositoryOptions {
  /** Base address, such as `https://backups.example.org`; a path is kept. */
  url: string;
  credentials: Credentials;
  /** PEM of certificate authorities to trust beside the system's. */
  ca?: Buffer;
  /** Silence on the connection after which it is given up; 0: never. Milliseconds. */
  idleTimeoutMs: number;
  /** Fails every request; its reason is what is thrown. */
  signal: AbortSignal;
  report: Report;
  /** Waits before each further try, in milliseconds. Default: 1, 3 and 9 seconds. */
  backoffMs?: readonly number[];
  /** What is added to waits, so that many clients do not come back at once: from 0 to below 1. Default: `Math.random`. */
  random?: () => number;
  /** Waits. Rejects once the signal is aborted. Default: by the clock. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up. Default: the environment of the process. */
  env?: NodeJS.ProcessEnv;
}

export interface Upload {
  /** How the content inside the encryption is compressed: `zstd` or empty. */
  contentEncoding: string;
  /** Ends the tries before anything was sent. Afterwards the content decides: what it throws breaks the upload off. */
  signal?: AbortSignal;
}

export interface Uploaded {
  version: VersionMessage;
  /** As sent. */
  bytes: number;
  /** Lower-case hex, of the bytes as sent. */
  sha256: string;
}

export interface Download {
  /** The number, whatever was asked for; undefined if the server does not say. */
  versionNumber: number | undefined;
  /** Bytes as stored; undefined if the server does not say. */
  size: number | undefined;
  /** Undefined if the server does not say, as the original's does not; empty if the content is not compressed. */
  contentEncoding: string | undefined;
  filename: string | undefined;
  /**
   * The bytes as stored. Interrupted connections are taken up again where they broke off. Ends without an error only if the
   * length and, where the server says it, the SHA-256 are right. @throws {UserError} `damaged`, `unreachable`, …
   */
  content: AsyncGenerator<Buffer>;
}

/** All methods throw `UserError`; its code says which of the client's exit codes it is. */
export interface Repository {
  /** What the session is limited to if one has to be opened; call it before the first request. */
  limitTo(scope: OperationsScope): void;
  /** Opens a session. @returns the token and when it expires (RFC 3339). */
  login(): Promise<{ token: string; expire: string }>;
  /** Whom the server takes us for, as it says it, unchecked. */
  whoami(): Promise<Record<string, unknown>>;
  collections(): Promise<CollectionMessage[]>;
  versions(collectionId: string): Promise<VersionMessage[]>;
  health(collectionId: string, code?: string): Promise<{ healthy: boolean; checks: HealthCheck[] }>;
  /** Sends the request with the first bytes of the content, and its end only after the content has ended without an error. */
  upload(collectionId: string, content: AsyncIterable<Buffer>, upload: Upload): Promise<Uploaded>;
  /** `latest`, `3` or `v3`. The signal ends it, with its tries, as that of the whole repository does. */
  download(collectionId: string, version: string, signal?: AbortSignal): Promise<Download>;
  claim(
    collectionId: string,
    key: ActionKey,
    claim: { operation: 'backup' | 'restore'; leaseSeconds: number; retry?: boolean },
  ): Promise<ClaimData>;
  renew(collectionId: string, key: ActionKey, leaseSeconds: number): Promise<void>;
  /** That something is done is said with minutes of patience. Goes on for some seconds after the signal, too. */
  finish(
    collectionId: string,
    key: ActionKey,
    end: { state: 'done' | 'failed'; versionNumber?: number },
  ): Promise<void>;
  /** Ends the session that `login` opened, unless it is to be kept, and closes connections. Never throws. */
  close(options?: { keepSession?: boolean }): Promise<void>;
}
