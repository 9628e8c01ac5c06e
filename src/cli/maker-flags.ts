/** Flags of `backup-maker` and their BM_* variables: the original's, and ours. A variable that is not empty wins over its flag. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { failure } from '../client/failure.ts';

interface Flag {
  names: string;
  variable?: string;
  description: string;
  parse?: (text: string) => unknown;
  /** May be given several times; the variable holds one on each line. */
  repeated?: boolean;
  choices?: readonly string[];
  fallback?: string;
  /** Not in the help: taken because the original took it. */
  hidden?: boolean;
}

/** Everything that the commands read, as commander names it. */
export interface MakerFlags {
  url?: string;
  collectionId?: string;
  authToken?: string;
  authTokenFile?: string;
  accessKey?: string;
  accessKeyFile?: string;
  caFile?: string;
  timeout?: number;
  idleTimeout: number;
  logLevel: string;
  logFormat: string;
  progress: string;
  json?: boolean;
  key?: string[];
  recipient?: string[];
  encryption: boolean;
  compress: string;
  armor?: boolean;
  cmd?: string;
  passphrase?: string;
  passphraseFile?: string;
  privateKey?: string[];
  identity?: string[];
  decompress: string;
  version: string;
  savePath?: string;
  asStored?: boolean;
  healthCode?: string;
  all?: boolean;
}

export const GROUPS = {
  server: [
    {
      names: '-u, --url <url>',
      variable: 'BM_URL',
      description: 'the server, such as https://backups.example.org',
    },
    {
      names: '-t, --auth-token <token>',
      variable: 'BM_AUTH_TOKEN',
      description: 'a token; better as the variable or in a file, because arguments are visible to others',
    },
    {
      names: '--auth-token-file <file>',
      variable: 'BM_AUTH_TOKEN_FILE',
      description: 'file that holds the token',
    },
    {
      names: '--access-key <user$key>',
      variable: 'BM_ACCESS_KEY_USERNAME',
      description:
        'log in instead of using a token; the password comes from BM_ACCESS_KEY_PASSWORD or a file',
    },
    {
      names: '--access-key-file <file>',
      variable: 'BM_ACCESS_KEY_PASSWORD_FILE',
      description: "file that holds the access key's password",
    },
    {
      names: '--ca-file <file>',
      variable: 'BM_CA_FILE',
      description: 'certificate authorities (PEM) to trust as well',
    },
    {
      names: '--idle-timeout <seconds>',
      variable: 'BM_IDLE_TIMEOUT',
      description: 'give a connection up that moves nothing for so long; 0: never',
      parse: seconds,
      fallback: '300',
    },
  ],
  output: [
    {
      names: '--log-level <level>',
      variable: 'BM_LOG_LEVEL',
      description: 'panic, fatal, error, warn, info, debug, trace',
      parse: level,
      fallback: 'info',
    },
    {
      names: '--log-format <format>',
      variable: 'BM_LOG_FORMAT',
      description: 'how standard error looks; auto: for people on a terminal, else key=value lines',
      choices: ['auto', 'text', 'json'],
      fallback: 'auto',
    },
    {
      names: '--progress <when>',
      variable: 'BM_PROGRESS',
      description: 'auto: a moving line on a terminal, else a line every half minute; always: a moving line',
      choices: ['auto', 'always', 'never'],
      fallback: 'auto',
    },
    { names: '--json', description: 'print the result as JSON on standard output, and log lines as JSON' },
  ],
  collection: [
    {
      names: '-i, --collection-id <id>',
      variable: 'BM_COLLECTION_ID',
      description: 'the collection on the server',
    },
  ],
  command: [
    {
      names: '-c, --cmd <command>',
      variable: 'BM_CMD',
      description: 'what the shell runs: bash with pipefail, or sh where there is no bash',
    },
  ],
  timeout: [
    {
      names: '--timeout <seconds>',
      variable: 'BM_TIMEOUT',
      description: 'how long the command may take (default, and 0: as long as it likes)',
      parse: seconds,
    },
  ],
  encrypting: [
    {
      names: '-k, --key <file>',
      variable: 'BM_PUBLIC_KEY_PATH',
      description: 'public keys: age recipients, one a line, or OpenPGP',
      repeated: true,
    },
    {
      names: '-r, --recipient <recipient>',
      variable: 'BM_RECIPIENT',
      description:
        'an age1… recipient; or which of the OpenPGP keys to use, by e-mail address or fingerprint',
      repeated: true,
    },
    {
      names: '--no-encryption',
      variable: 'BM_NO_ENCRYPTION',
      description: 'store the data readable by everybody who has the server',
    },
    {
      names: '--compress <how>',
      variable: 'BM_COMPRESS',
      description: 'zstd, zstd:<level from 1 to 19>, or none',
      parse: compression,
      fallback: 'zstd:1',
    },
    {
      names: '--armor',
      variable: 'BM_ARMOR',
      description:
        "ASCII armour, a third larger: for the original's server, which takes nothing else (OpenPGP only)",
    },
  ],
  decrypting: [
    {
      names: '-p, --private-key <file>',
      variable: 'BM_PRIVATE_KEY_PATH',
      description: 'private key: an age identity file or an OpenPGP key',
      repeated: true,
    },
    { names: '--identity <file>', description: 'the same, in the words of age', repeated: true },
    {
      names: '--passphrase <passphrase>',
      variable: 'BM_PASSPHRASE',
      description: 'of the OpenPGP key; better as the variable or in a file',
    },
    {
      names: '--passphrase-file <file>',
      variable: 'BM_PASSPHRASE_FILE',
      description: 'file that holds the passphrase',
    },
    {
      names: '--decompress <how>',
      variable: 'BM_DECOMPRESS',
      description: 'auto: as the version says; zstd; none',
      choices: ['auto', 'zstd', 'none'],
      fallback: 'auto',
    },
  ],
  /** Of commands that read: where a key is given, content that is not encrypted is refused. */
  plain: [
    {
      names: '--no-encryption',
      variable: 'BM_NO_ENCRYPTION',
      description: 'take the version as it is, encrypted or not',
    },
  ],
  health: [
    {
      names: '--health-code <code>',
      variable: 'BM_HEALTH_CODE',
      description: "the collection's health code, if it has one; better as the variable",
    },
  ],
  /** Without effect, as in the original: a public key needs no passphrase. */
  originalMake: [
    {
      names: '--passphrase <passphrase>',
      variable: 'BM_PASSPHRASE',
      description: 'without effect',
      hidden: true,
    },
  ],
  /** Without effect: the private key says for whom it is. */
  originalRead: [
    {
      names: '-r, --recipient <recipient>',
      variable: 'BM_RECIPIENT',
      description: 'without effect',
      repeated: true,
      hidden: true,
    },
  ],
  /** Without effect: there is no command. The original did not apply it either. */
  originalDownload: [
    {
      names: '--timeout <seconds>',
      variable: 'BM_TIMEOUT',
      description: 'without effect',
      parse: seconds,
      hidden: true,
    },
  ],
  version: [
    {
      names: '-s, --version <version>',
      variable: 'BM_VERSION',
      description: 'latest, or a number',
      parse: version,
      fallback: 'latest',
    },
  ],
} as const satisfies Record<string, readonly Flag[]>;

export type Group = keyof typeof GROUPS;

/** Declares the flags on the command. */
export function addFlags(command: Command, ...groups: Group[]): Command {
  for (const group of groups) for (const flag of GROUPS[group]) command.addOption(optionOf(flag));
  return command;
}

function optionOf(flag: Flag): Option {
  const { names, variable, description, parse, repeated, choices, fallback, hidden } = flag;
  const option = new Option(names, variable ? `${description} [${variable}]` : description);
  if (choices) option.choices(choices);
  if (parse) option.argParser(parse);
  if (repeated) option.argParser((text: string, before?: string[]) => [...(before ?? []), text]);
  if (fallback !== undefined) option.default(parse ? parse(fallback) : fallback, fallback);
  if (hidden) option.hideHelp();
  return option;
}

/**
 * Variables that are not empty overwrite what the flags said, as in the original.
 *
 * @returns sentences about flags that say something else and are not heard. @throws {UserError} `usage`
 */
export function readVariables(command: Command, env: NodeJS.ProcessEnv): string[] {
  const unheard: string[] = [];
  const flags: readonly Flag[] = Object.values(GROUPS).flat();
  for (const option of command.options) {
    const flag = flags.find(({ names }) => names === option.flags);
    const value = flag?.variable === undefined ? undefined : env[flag.variable];
    if (!flag || value === undefined || value.trim() === '') continue;
    const name = option.attributeName();
    const heard = read(option, flag, value);
    const given = command.getOptionValueSource(name) === 'cli';
    if (given && String(command.getOptionValue(name)) !== String(heard))
      unheard.push(`${option.long} has no effect: the variable ${flag.variable} is set, and wins`);
    command.setOptionValueWithSource(name, heard, 'env');
  }
  return unheard;
}

function read(option: Option, { repeated, parse, choices, variable }: Flag, text: string): unknown {
  if (option.negate) return !isTrue(text, variable);
  if (option.isBoolean()) return isTrue(text, variable);
  if (repeated)
    return text
      .split('\n')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  if (choices && !choices.includes(text))
    throw failure('usage', `${variable}: "${text}" is none of ${choices.join(', ')}`);
  try {
    return parse ? parse(text) : text;
  } catch (error) {
    if (error instanceof InvalidArgumentError)
      throw failure('usage', `${variable}: ${error.message.replace(/\.$/, '')}`);
    throw error;
  }
}

function isTrue(text: string, variable = ''): boolean {
  if (/^(true|yes|1|on)$/i.test(text)) return true;
  if (/^(false|no|0|off)$/i.test(text)) return false;
  throw failure('usage', `${variable}: "${text}" is neither true nor false`);
}

/** What a timer can wait for: 24 days. */
const MOST_SECONDS = 2_147_483;

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > MOST_SECONDS)
    throw new InvalidArgumentError(`it is a number of seconds up to ${MOST_SECONDS}, such as 3600.`);
  return value;
}

const LEVELS = ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace'];

function level(text: string): string {
  const level = text.toLowerCase();
  if (!LEVELS.includes(level)) throw new InvalidArgumentError(`it is one of ${LEVELS.join(', ')}.`);
  return level === 'warning' ? 'warn' : level;
}

function compression(text: string): string {
  const [, found] = /^(?:none|zstd(?::(\d+))?)$/.exec(text) ?? [undefined, 'x'];
  if (found === 'x' || (found !== undefined && (Number(found) < 1 || Number(found) > 19)))
    throw new InvalidArgumentError('it is zstd, zstd:<level from 1 to 19> or none.');
  return text;
}

function version(text: string): string {
  if (!/^(latest|v?\d{1,15})$/.test(text))
    throw new InvalidArgumentError('it is latest, or a number such as 12 or v12.');
  return text;
}
