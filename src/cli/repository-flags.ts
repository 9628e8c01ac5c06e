/** The server's flags and BR_* variables, the original's and ours. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../server/collections/durations.ts';

interface Flag {
  names: string;
  variable: string;
  description: string;
  /** As the user would write it. */
  fallback?: string;
  parse?: (text: string) => unknown;
}

/** pino's levels; the original's library knew others besides. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const OTHER_LEVELS: Readonly<Record<string, string>> = { panic: 'fatal', warning: 'warn' };

const FLAGS: readonly Flag[] = [
  text('--listen <address>', 'BR_LISTEN', 'host:port or :port', address, ':8080'),
  text(
    '--database <url>',
    'BR_DATABASE_URL',
    'sqlite:///file.db or postgres://…; default: a file in the data folder',
  ),
  text('--storage <url>', 'BR_STORAGE_URL', 'file:///folder or s3://bucket?…; default: in the data folder'),
  text('--data-path <folder>', 'BR_DATA_PATH', 'default: data in the configuration folder'),
  text(
    '-p, --provider <name>',
    'BR_CONFIG_PROVIDER',
    'filesystem or kubernetes; default: kubernetes in a cluster',
    provider,
  ),
  text(
    '--config-local-path <folder>',
    'BR_CONFIG_LOCAL_PATH',
    'configuration folder',
    undefined,
    '~/.backup-repository',
  ),
  text('--secrets-path <folder>', 'BR_SECRETS_PATH', 'folder of mounted Secrets, one folder for each'),
  text(
    '-n, --namespace <name>',
    'BR_NAMESPACE',
    'namespace of the configuration',
    undefined,
    'backup-repository',
  ),
  text('--public-url <url>', 'BR_PUBLIC_URL', 'where clients reach the server, for commands that it prints'),
  text(
    '-s, --jwt-secret-key <key>',
    'BR_JWT_SECRET_KEY',
    'signs tokens, better as a variable; default: made and kept',
  ),
  text('--token-lifetime <duration>', 'BR_TOKEN_LIFETIME', 'how long tokens are valid', positive, '6h'),
  text('-k, --health-check-key <key>', 'BR_HEALTH_CHECK_KEY', 'code that /ready and /metrics ask for'),
  yes('--open-metrics', 'BR_OPEN_METRICS', 'show /metrics to everybody if there is no health check key'),
  yes(
    '--precise-statuses',
    'BR_PRECISE_STATUSES',
    "answer the client's faults with 4xx where the original has 500",
  ),
  text('--log-level <level>', 'BR_LOG_LEVEL', LEVELS.join(', '), level, 'info'),
  text(
    '--trusted-proxies <blocks>',
    'BR_TRUSTED_PROXIES',
    'whose X-Forwarded-For is believed, with commas',
    list,
    '',
  ),
  text(
    '--http-upload-timeout <duration>',
    'BR_HTTP_UPLOAD_TIMEOUT',
    'most time for an upload',
    positive,
    '180m',
  ),
  text(
    '--http-download-timeout <duration>',
    'BR_HTTP_DOWNLOAD_TIMEOUT',
    'most time for a download',
    positive,
    '180m',
  ),
  text(
    '--storage-io-timeout <duration>',
    'BR_STORAGE_IO_TIMEOUT',
    'most time for storing a version',
    positive,
    '2h',
  ),
  text(
    '--storage-health-timeout <duration>',
    'BR_STORAGE_HEALTH_TIMEOUT',
    'most time for a check',
    positive,
    '5s',
  ),
  text(
    '--upload-idle-timeout <duration>',
    'BR_UPLOAD_IDLE_TIMEOUT',
    'silence of a dump after which its upload is given up',
    positive,
    '1h',
  ),
  text(
    '--idle-timeout <duration>',
    'BR_IDLE_TIMEOUT',
    'silence after which a download is given up',
    positive,
    '5m',
  ),
  text('--hang-up-grace <duration>', 'BR_HANG_UP_GRACE', 'see docs/server.md', duration, '1s'),
  text(
    '--shutdown-timeout <duration>',
    'BR_SHUTDOWN_TIMEOUT',
    'how long stopping waits for transfers',
    duration,
    '5m',
  ),
  text('--max-connections <number>', 'BR_MAX_CONNECTIONS', 'connections at a time', count, '1000'),
  text(
    '--max-uploads <number>',
    'BR_MAX_UPLOADS',
    'uploads at a time, 0: no limit; default: what fits in the memory limit',
    count,
  ),
  text(
    '--rate-default-limit <n>',
    'BR_RATE_DEFAULT_LIMIT',
    'per second and address; 0: no limit',
    count,
    '5',
  ),
  text('--rate-auth-limit <n>', 'BR_RATE_AUTH_LIMIT', 'logins per minute and address', count, '10'),
  text(
    '--rate-collection-health-limit <n>',
    'BR_RATE_COLLECTION_HEALTH_LIMIT',
    'per minute and address',
    count,
    '10',
  ),
  text(
    '--rate-server-health-limit <n>',
    'BR_RATE_SERVER_HEALTH_LIMIT',
    'per minute and address',
    count,
    '160',
  ),
  text('--db-hostname <host>', 'BR_DB_HOSTNAME', 'PostgreSQL as the original has it, instead of --database'),
  text('--db-port <port>', 'BR_DB_PORT', 'default: 5432', count),
  text('--db-user <name>', 'BR_DB_USERNAME', 'see --db-hostname'),
  text('--db-password <password>', 'BR_DB_PASSWORD', 'better as a variable'),
  text('--db-name <name>', 'BR_DB_NAME', 'default: the name of the user'),
  text('--storage-url <url>', 'BR_STORAGE_DRIVER_URL', 'the same as --storage'),
  yes('--use-google-cloud', 'BR_USE_GOOGLE_CLOUD', 'not supported: write --storage s3://…'),
];

/** Adds the flags to a command. */
export function addServerFlags(command: Command): Command {
  for (const { names, variable, description, fallback, parse } of FLAGS) {
    const option = new Option(names, `${description} (${variable})`);
    if (parse) option.argParser(parse);
    if (fallback !== undefined) option.default(parse ? parse(fallback) : fallback, fallback || 'none');
    command.addOption(option);
  }
  return command;
}

/**
 * Fills in from variables what was not given as a flag; an empty variable is as good as none. Ends the command with
 * wrong usage if one cannot be read.
 */
export function readVariables(command: Command, env: NodeJS.ProcessEnv): void {
  for (const option of command.options) {
    const flag = FLAGS.find(({ names }) => names === option.flags);
    const value = flag && env[flag.variable];
    const source = command.getOptionValueSource(option.attributeName());
    if (!value || source === 'cli') continue;
    try {
      command.setOptionValueWithSource(option.attributeName(), flag.parse ? flag.parse(value) : value, 'env');
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      command.error(`error: ${flag.variable} is invalid: ${error.message}`);
    }
  }
}

function text(
  names: string,
  variable: string,
  description: string,
  parse?: (text: string) => unknown,
  fallback?: string,
): Flag {
  return {
    names,
    variable,
    description,
    ...(parse && { parse }),
    ...(fallback !== undefined && { fallback }),
  };
}

/** A switch; as a variable, `true`, `yes` or `1` turn it on. */
function yes(name: string, variable: string, description: string): Flag {
  return { names: `${name} [yes]`, variable, description, parse: (value) => /^(1|true|yes)$/i.test(value) };
}

function duration(value: string): number {
  try {
    return parseDuration(value);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** A duration without which nothing would work. */
function positive(value: string): number {
  const ms = duration(value);
  if (ms === 0) {
    throw new InvalidArgumentError('must be longer than 0s; for as good as no limit, write 500h');
  }
  return ms;
}

function address(value: string): { host: string; port: number } {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value.trim()) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new InvalidArgumentError('must be host:port or :port, such as 127.0.0.1:8080');
  }
  return { host: bracketed ?? (plain || '::'), port: Number(port) };
}

function provider(value: string): string {
  if (value !== 'filesystem' && value !== 'kubernetes') {
    throw new InvalidArgumentError('must be filesystem or kubernetes');
  }
  return value;
}

function level(value: string): string {
  const name = OTHER_LEVELS[value] ?? value;
  if (!LEVELS.includes(name)) throw new InvalidArgumentError(`must be one of ${LEVELS.join(', ')}`);
  return name;
}

function count(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('must be a number');
  return Number(value);
}

function list(value: string): string[] {
  return value.split(/[\s,]+/).filter((part) => part !== '');
}
