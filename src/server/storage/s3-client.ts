/** A client of S3 whose every request ends, well or badly, in bounded time. */
import { S3Client } from '@aws-sdk/client-s3';
import type { S3Address } from './s3-url.ts';

export interface S3Options {
  /** Milliseconds after which a connection that does not come about counts as failed. */
  connectTimeoutMs?: number;
  /** Milliseconds of silence after which a request counts as failed. */
  idleTimeoutMs?: number;
  /** How often a request is made before its failure counts. */
  attempts?: number;
}

export const CONNECT_MS = 5000;
export const IDLE_MS = 30_000;
export const ATTEMPTS = 3;
/** Connections at once, for many uploads of a few parts each and as many downloads. */
const SOCKETS = 256;

/** Otherwise the SDK writes its warnings to the console. */
const QUIET = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Asks nobody anything yet. Credentials come from where AWS's own programs find them. */
export function s3Client(address: S3Address, options: S3Options): S3Client {
  const { endpoint, region, profile } = address;
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  return new S3Client({
    ...(endpoint && { endpoint }),
    // Servers other than AWS's do not care, but the signature needs one.
    ...(region ? { region } : endpoint && !process.env.AWS_REGION && { region: 'us-east-1' }),
    ...(profile && { profile }),
    forcePathStyle: address.pathStyle,
    useAccelerateEndpoint: address.accelerate,
    useDualstackEndpoint: address.dualStack,
    useFipsEndpoint: address.fips,
    // The signature covers the body's SHA-256 already; other servers than AWS's refuse more checksums than that.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Asking before each part would also mean a new connection for each.
    expectContinueHeader: false,
    retryMode: 'standard',
    maxAttempts: options.attempts ?? ATTEMPTS,
    logger: QUIET,
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs ?? CONNECT_MS,
      // Of silence, not of the whole request: a part may take long on a slow line.
      socketTimeout: options.idleTimeoutMs ?? IDLE_MS,
      requestTimeout: 0,
      httpAgent: agent,
      httpsAgent: agent,
      logger: QUIET,
    },
  });
}
