/** Flags and BR_* variables of the server, the original's and ours, as the options of `startServer`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../api/problem.ts';
import { parseDuration } from '../server/collections/durations.ts';
import type { Settings } from '../server/http/settings.ts';
import type { ServerOptions } from '../server/start.ts';

/** As commander collects them. */
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
  useGoogleCloud?: string | boolean;
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
  idleTimeout: number;
  hangUpGrace: number;
  shutdownTimeout: number;
  maxConnections: number;
}

/** pino's levels; the original's library knew one more. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const OTHER_LEVELS: Readonly<Record<string, string>> = { panic: 'fatal', warning: 'warn' };

/** Adds the flags to a command. Flags win over variables. */
export function addServerFlags(command: Command): Command {
  const flags: [string, string, string | undefined, unknown, ((text: string) => unknown)?][] = [
    ['-n, --namespace <name>', 'namespace of the configuration', 'BR_NAMESPACE', 'backup-repository'],
    ['--listen <address>', 'host:port or :port to listen on', 'BR_LISTEN', ':8080', address],
    [
      '--database <url>',
      'sqlite:///file.db or postgres://user:password@host/name; default: a file in the data folder',
      'BR_DATABASE_URL',
      undefined,
    ],
    [
      '--storage <url>',
      'file:///folder or s3://bucket?...; default: a folder in the data folder',
      'BR_STORAGE_URL',
      undefined,
    ],
    [
      '--data-path <folder>',
      'for what has no URL of its own; default: data in the configuration folder',
      'BR_DATA_PATH',
      undefined,
    ],
    [
      '-p, --provider <name>',
      'filesystem or kubernetes; default: kubernetes within a cluster, else filesystem',
      'BR_CONFIG_PROVIDER',
      undefined,
      provider,
    ],
    [
      '--config-local-path <folder>',
      'configuration folder of the filesystem provider',
      'BR_CONFIG_LOCAL_PATH',
      '~/.backup-repository',
    ],
    [
      '--secrets-path <folder>',
      'folder of mounted Secrets, one folder for each',
      'BR_SECRETS_PATH',
      undefined,
    ],
    [
      '--public-url <url>',
      'address under which clients reach the server, for commands that it prints',
      'BR_PUBLIC_URL',
      undefined,
    ],
    [
      '-s, --jwt-secret-key <key>',
      'signs tokens; better as a variable than as an argument; default: made and kept',
      'BR_JWT_SECRET_KEY',
      undefined,
    ],
    [
      '--token-lifetime <duration>',
      'how long tokens are valid; default: 6h',
      'BR_TOKEN_LIFETIME',
      undefined,
      duration,
    ],
    [
      '-k, --health-check-key <key>',
      'code that /ready and /metrics ask for',
      'BR_HEALTH_CHECK_KEY',
      undefined,
    ],
    ['--log-level <level>', LEVELS.join(', '), 'BR_LOG_LEVEL', 'info', level],
    [
      '--trusted-proxies <blocks>',
      'addresses and blocks whose X-Forwarded-For is believed, with commas',
      'BR_TRUSTED_PROXIES',
      [],
      list,
    ],
    [
      '--http-upload-timeout <duration>',
      'most time for an upload',
      'BR_HTTP_UPLOAD_TIMEOUT',
      '180m',
      duration,
    ],
    [
      '--http-download-timeout <duration>',
      'most time for a download',
      'BR_HTTP_DOWNLOAD_TIMEOUT',
      '180m',
      duration,
    ],
    [
      '--storage-io-timeout <duration>',
      'most time for storing a version',
      'BR_STORAGE_IO_TIMEOUT',
      '2h',
      duration,
    ],
    [
      '--storage-health-timeout <duration>',
      'most time for a check of storage and database',
      'BR_STORAGE_HEALTH_TIMEOUT',
      '5s',
      duration,
    ],
    [
      '--idle-timeout <duration>',
      'silence after which a transfer is given up',
      'BR_IDLE_TIMEOUT',
      '5m',
      duration,
    ],
    [
      '--hang-up-grace <duration>',
      'how long a client that sent neither length nor digest may hang up after its last byte',
      'BR_HANG_UP_GRACE',
      '1s',
      duration,
    ],
    [
      '--shutdown-timeout <duration>',
      'how long a stopping server lets transfers finish',
      'BR_SHUTDOWN_TIMEOUT',
      '5m',
      duration,
    ],
    ['--max-connections <number>', 'connections at a time', 'BR_MAX_CONNECTIONS', 1000, count],
    [
      '--rate-default-limit <number>',
      'requests per second and address; 0 for no limit',
      'BR_RATE_DEFAULT_LIMIT',
      5,
      count,
    ],
    ['--rate-auth-limit <number>', 'logins per minute and address', 'BR_RATE_AUTH_LIMIT', 10, count],
    [
      '--rate-collection-health-limit <number>',
      'per minute and address',
      'BR_RATE_COLLECTION_HEALTH_LIMIT',
      10,
      count,
    ],
    [
      '--rate-server-health-limit <number>',
      'per minute and address',
      'BR_RATE_SERVER_HEALTH_LIMIT',
      160,
      count,
    ],
    [
      '--db-hostname <host>',
      'PostgreSQL, as the original has it: instead of --database',
      'BR_DB_HOSTNAME',
      undefined,
    ],
    ['--db-port <port>', 'default: 5432', 'BR_DB_PORT', undefined, count],
    ['--db-user <name>', '', 'BR_DB_USERNAME', undefined],
    ['--db-password <password>', 'better as a variable', 'BR_DB_PASSWORD', undefined],
    ['--db-name <name>', '', 'BR_DB_NAME', undefined],
    ['--storage-url <url>', 'the same as --storage', 'BR_STORAGE_DRIVER_URL', undefined],
    ['--use-google-cloud [yes]', 'not supported: use --storage s3://…', 'BR_USE_GOOGLE_CLOUD', undefined],
  ];
  for (const [names, description, variable, fallback, parse] of flags) {
    const option = new Option(names, description);
    if (variable) option.env(variable);
    if (parse) option.argParser(parse);
    if (fallback !== undefined)
      option.default(
        typeof fallback === 'string' && parse ? parse(fallback) : fallback,
        String(fallback) || 'none',
      );
    command.addOption(option);
  }
  command.addOption(
    new Option('--open-metrics', 'show /metrics to everybody if there is no health check key').env(
      'BR_OPEN_METRICS',
    ),
  );
  command.addOption(
    new Option(
      '--precise-statuses',
      "answer the client's faults with 4xx where the original answered 500",
    ).env('BR_PRECISE_STATUSES'),
  );
  return command;
}

/** @throws {UserError} for combinations that cannot work. */
export function serverOptions(flags: RepositoryFlags, env: NodeJS.ProcessEnv): ServerOptions {
  if (isTrue(flags.useGoogleCloud)) {
    throw new UserError({
      code: 'invalid-value',
      message:
        'Google Cloud Storage has no driver of its own here: write --storage "s3://bucket?endpoint=https://storage.googleapis.com" and use HMAC keys',
    });
  }
  const settings: Partial<Settings> = {
    healthCheckKey: flags.healthCheckKey ?? '',
    openMetrics: isTrue(flags.openMetrics),
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
    idleTimeoutMs: flags.idleTimeout,
    hangUpGraceMs: flags.hangUpGrace,
    shutdownTimeoutMs: flags.shutdownTimeout,
    maxConnections: flags.maxConnections,
    preciseStatuses: isTrue(flags.preciseStatuses),
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

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && /^(1|true|yes)$/i.test(value));
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function address(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text.trim()) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new InvalidArgumentError('must be host:port or :port, such as 127.0.0.1:8080');
  }
  return { host: bracketed ?? (plain || '::'), port: Number(port) };
}

function provider(text: string): string {
  if (text !== 'filesystem' && text !== 'kubernetes')
    throw new InvalidArgumentError('must be filesystem or kubernetes');
  return text;
}

function level(text: string): string {
  const name = OTHER_LEVELS[text] ?? text;
  if (!LEVELS.includes(name)) throw new InvalidArgumentError(`must be one of ${LEVELS.join(', ')}`);
  return name;
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a number');
  return Number(text);
}

function list(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '');
}
