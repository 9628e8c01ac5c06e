/** What client and server say to each other, as types. Names and cases are the original's. */
import type { ErrorCode } from './error-codes.ts';
import type { Format } from './headers.ts';

/** Every answer of the API itself. The JSON is indented by four spaces. */
export interface Success<Data> {
  status: true;
  data: Data;
}

export interface Failure<Data = Record<string, never>> {
  status: false;
  /** For people. Programs read the header `x-backup-error`. */
  error: string;
  data: Data;
}

/** The shape of errors about tokens; the original's library made it so. */
export interface TokenFailure {
  status: false;
  code: number;
  message: string;
  data: Record<string, never>;
}

/** What a token is limited to; it never allows more than its user may do. */
export interface OperationsScope {
  elements: { type: 'collection'; name: string; roles: string[] }[];
}

export interface LoginRequest {
  /** `user`, or `user$key` for an access key. */
  username: string;
  password: string;
  operationsScope?: OperationsScope;
}

export interface LoginData {
  token: string;
  sessionId: string;
  /** RFC 3339. */
  expire: string;
  msg: string;
}

/** Without the envelope, as in the original. */
export interface RefreshedToken {
  code: 200;
  token: string;
  expire: string;
}

export interface ProfileData {
  email: string;
  permissions: string[];
}

export interface GrantedAccess {
  CreatedAt: string;
  UpdatedAt: string;
  DeletedAt: null;
  id: string;
  expiresAt: string;
  deactivated: boolean;
  description: string;
  requesterIP: string;
  user: string;
  accessKeyName: string;
}

export interface WhoamiData extends ProfileData {
  sessionId: string;
  grantedAccess: GrantedAccess;
}

/** A version as it is listed. The last four fields are not the original's. */
export interface VersionMessage {
  id: string;
  collectionId: string;
  versionNumber: number;
  filename: string;
  filesize: number;
  uploadedBySessionId: string;
  user: string;
  CreatedAt: string;
  UpdatedAt: string;
  DeletedAt: string | null;
  sha256: string;
  format: Format | string;
  contentEncoding: string;
  pinned: boolean;
}

export interface CollectionMessage {
  id: string;
  description: string;
  versions: number;
  bytes: number;
  /** RFC 3339, or null if nothing was stored yet. */
  newestAt: string | null;
  maxBackupsCount: number;
  maxOneVersionSize: number;
  maxCollectionSize: number;
}

export interface HealthCheck {
  name: string;
  /** `<name>=true` or `<name>=false`. */
  statusText: string;
  status: boolean;
  message: string;
}

/** Names one run of something that must not happen twice. */
export interface ActionKey {
  namespace: string;
  name: string;
  runId: string;
  /** Random text that tells this run of the client from all others. */
  holder: string;
}

export interface ClaimRequest extends ActionKey {
  operation: 'backup' | 'restore';
  /** How long the claim holds unless it is renewed. */
  leaseSeconds: number;
  /** true claims an action anew that failed, or whose holder went silent. */
  retry?: boolean;
}

export interface RenewRequest extends ActionKey {
  leaseSeconds: number;
}

export interface FinishRequest extends ActionKey {
  state: 'done' | 'failed';
  versionNumber?: number | null;
}

export interface ActionMessage {
  namespace: string;
  name: string;
  runId: string;
  collectionId: string;
  operation: string;
  state: 'running' | 'done' | 'failed';
  holder: string;
  leaseUntil: string;
  versionNumber: number | null;
  createdAt: string;
  updatedAt: string;
}

export interface ClaimData {
  /** `claimed`: go on. `done`: succeed without doing anything. `running`, `failed`: stop. */
  outcome: 'claimed' | 'done' | 'running' | 'failed';
  action: ActionMessage;
}

export type { ErrorCode };
