/** What an operator can set about the server, with the original's defaults where it had them. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export interface Settings {
  /** Code that /ready and /metrics ask for; empty for none. */
  readonly healthCheckKey: string;
  /** Shows /metrics to everybody if there is no health check key. */
  readonly openMetrics: boolean;
  /** Addresses and blocks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly rateLimits: {
    /** Requests per second and address, of IPv6 per /64; 0 for no limit, here and below. */
    readonly default: number;
    /** Requests per minute and address. */
    readonly auth: number;
    readonly collectionHealth: number;
    readonly serverHealth: number;
  };
  /** Most time for an upload or download. */
  readonly uploadTimeoutMs: number;
  readonly downloadTimeoutMs: number;
  /**
   * Silence after which an upload is given up. Long, because dumps pause: behind a lock, or while a database writes its snapshot.
   * Clients that are gone are found out by TCP, far sooner.
   */
  readonly uploadIdleTimeoutMs: number;
  /** Silence after which a download is given up. Clients take it up again when their loader goes on. */
  readonly idleTimeoutMs: number;
  /** Most time for the body of any other request, and for headers. */
  readonly requestTimeoutMs: number;
  /**
   * How long a client that gave neither length nor digest may hang up after its last byte, to say that what it sent is
   * not complete. The original's client does so when the dump fails.
   */
  readonly hangUpGraceMs: number;
  readonly storageTimeoutMs: number;
  readonly storageHealthTimeoutMs: number;
  /** How long a dead replica blocks the collections that it was writing to. */
  readonly leaseMs: number;
  readonly maxConnections: number;
  /** Uploads at a time; 0 for no limit; undefined for as many as fit in the memory that the server may have. */
  readonly maxUploads: number | undefined;
  /** Most bytes of a body that is not an upload. */
  readonly bodyLimit: number;
  /** How long a stopping server lets uploads and downloads finish. */
  readonly shutdownTimeoutMs: number;
  /** Answers what is the client's fault with 4xx where the original answered 500. */
  readonly preciseStatuses: boolean;
  readonly sweepIntervalMs: number;
  /** See `SweepSettings`. */
  readonly orphanAgeMs: number;
}

export const DEFAULT_SETTINGS: Settings = {
  healthCheckKey: '',
  openMetrics: false,
  trustedProxies: [],
  rateLimits: { default: 5, auth: 10, collectionHealth: 10, serverHealth: 160 },
  uploadTimeoutMs: 180 * MINUTE,
  downloadTimeoutMs: 180 * MINUTE,
  uploadIdleTimeoutMs: HOUR,
  idleTimeoutMs: 5 * MINUTE,
  requestTimeoutMs: 30 * SECOND,
  hangUpGraceMs: SECOND,
  storageTimeoutMs: 2 * HOUR,
  storageHealthTimeoutMs: 5 * SECOND,
  leaseMs: 30 * SECOND,
  maxConnections: 1000,
  maxUploads: undefined,
  bodyLimit: 64 * 1024,
  shutdownTimeoutMs: 5 * MINUTE,
  preciseStatuses: false,
  sweepIntervalMs: HOUR,
  orphanAgeMs: 48 * HOUR,
};
