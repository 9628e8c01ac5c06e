/** Flags and BR_* variables of the server as the options of `startServer`. */
import { UserError } from '../api/problem.ts';
import type { Settings } from '../server/http/settings.ts';
import type { ServerOptions } from '../server/start.ts';

/** As commander collects what `addServerFlags` declares. */
export interface RepositoryFlags {
  namespace: string;
  dbHostname?: string;
  dbUser?: string;
  dbPassword?: string;
  dbName?: string;
  dbPort?: number;
  jwtSecretKey?: string;
  healthCheckKey?: string;
  logLevel: string;
  storageUrl?: string;
  useGoogleCloud?: boolean;
  storageHealthTimeout: number;
  storageIoTimeout: number;
  httpUploadTimeout: number;
  httpDownloadTimeout: number;
  rateDefaultLimit: number;
  rateAuthLimit: number;
  rateCollectionHealthLimit: number;
  rateServerHealthLimit: number;
  listen: { host: string; port: number };
  provider?: 'filesystem' | 'kubernetes';
  configLocalPath: string;
  database?: string;
  storage?: string;
  dataPath?: string;
  secretsPath?: string;
  publicUrl?: string;
  tokenLifetime?: number;
  trustedProxies: string[];
  openMetrics?: boolean;
  preciseStatuses?: boolean;
  uploadIdleTimeout: number;
  idleTimeout: number;
  hangUpGrace: number;
  shutdownTimeout: number;
  maxConnections: number;
  maxUploads?: number;
}

/** @throws {UserError} for combinations that cannot work. */
export function serverOptions(flags: RepositoryFlags, env: NodeJS.ProcessEnv): ServerOptions {
  if (flags.useGoogleCloud) {
    throw new UserError({
      code: 'invalid-value',
      message:
        'Google Cloud Storage has no driver of its own here: write --storage "s3://bucket?endpoint=https://storage.googleapis.com" and use HMAC keys',
    });
  }
  const settings: Partial<Settings> = {
    healthCheckKey: flags.healthCheckKey ?? '',
    openMetrics: flags.openMetrics === true,
    trustedProxies: flags.trustedProxies,
    rateLimits: {
      default: flags.rateDefaultLimit,
      auth: flags.rateAuthLimit,
      collectionHealth: flags.rateCollectionHealthLimit,
      serverHealth: flags.rateServerHealthLimit,
    },
    uploadTimeoutMs: flags.httpUploadTimeout,
    downloadTimeoutMs: flags.httpDownloadTimeout,
    storageTimeoutMs: flags.storageIoTimeout,
    storageHealthTimeoutMs: flags.storageHealthTimeout,
    uploadIdleTimeoutMs: flags.uploadIdleTimeout,
    idleTimeoutMs: flags.idleTimeout,
    hangUpGraceMs: flags.hangUpGrace,
    shutdownTimeoutMs: flags.shutdownTimeout,
    maxConnections: flags.maxConnections,
    maxUploads: flags.maxUploads,
    preciseStatuses: flags.preciseStatuses === true,
  };
  return {
    provider: flags.provider ?? (env.KUBERNETES_SERVICE_HOST ? 'kubernetes' : 'filesystem'),
    configPath: flags.configLocalPath,
    namespace: flags.namespace,
    secretsPath: flags.secretsPath,
    dataPath: flags.dataPath ?? `${flags.configLocalPath.replace(/\/+$/, '')}/data`,
    database: flags.database ?? originalDatabase(flags),
    storage: flags.storage ?? flags.storageUrl,
    listen: flags.listen,
    url: flags.publicUrl?.replace(/\/+$/, ''),
    jwtKey: flags.jwtSecretKey,
    tokenLifetimeMs: flags.tokenLifetime,
    settings,
    log: { level: flags.logLevel },
  };
}

/** The PostgreSQL that the original's flags name; undefined if they name none. */
function originalDatabase({
  dbHostname,
  dbPort,
  dbUser,
  dbPassword,
  dbName,
}: RepositoryFlags): string | undefined {
  if (dbHostname === undefined && dbUser === undefined && dbName === undefined) return undefined;
  const credentials = [dbUser ?? '', dbPassword ?? ''].map(encodeURIComponent).join(':');
  const host = dbHostname ?? 'localhost';
  const name = dbName ?? dbUser ?? 'postgres';
  return `postgres://${credentials}@${host.includes(':') ? `[${host}]` : host}:${dbPort ?? 5432}/${encodeURIComponent(name)}`;
}
