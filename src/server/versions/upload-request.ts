/** What an upload asks for, and what it brings. */
import type { Readable } from 'node:stream';
import type { Collection, Snapshot } from '../configuration/configuration.ts';

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
  /** The configuration that decides whether the upload may come, and how large it may be. */
  readonly snapshot: Snapshot;
  readonly user: string;
  readonly sessionId: string;
  /** Whether whoever uploads may do this to the collection. */
  may(action: 'file.upload' | 'file.upload-anytime', collection: Collection): boolean;
  /** The collection as it is configured now, which may be hours after the upload began; undefined if it is gone. */
  collectionNow(): Collection | undefined;
  /**
   * Waits for the client until the content begins. When the signal aborts, nobody waits for it any more, and it should
   * stop reading. @throws {Refused} if the body is not what it should be.
   */
  open(signal: AbortSignal): Promise<UploadBody>;
  /** Aborts with the `Refused` that says why: the client went silent, took too long, or the server stops. */
  readonly signal: AbortSignal;
}
