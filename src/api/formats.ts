/**
 * The string formats that the schemas name, each as a sentence that says why a value does not fit.
 *
 * The compiled validators ask `formats` for yes or no; `explainFormat` gives the reason for the error message.
 */

import { timeZones } from '../../gen/time-zones.ts';
import { hasBech32Checksum } from './bech32.ts';
import { explainCron } from './cron.ts';
import { nearest } from './nearest.ts';

type Explain = (value: string) => string | undefined;

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const IPV6 = /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/;
/** RFC 1123 host names; underscores occur in real cluster DNS names of Docker Compose origin. */
const HOST = /^[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?)*\.?$/;
/** Kubernetes apimachinery: resource.Quantity, without a minus, which no amount of a resource has. */
const QUANTITY = /^\+?(\d+(\.\d*)?|\.\d+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?\d+))?$/;
const IMAGE_TAG = /^\w[\w.-]{0,127}$/;
/** The reference grammar of the OCI distribution specification: [host[:port]/]path[:tag][@digest]. */
const IMAGE =
  /^(?:(?:[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

const explain: Record<string, Explain> = {
  'object-name': (value) =>
    value === ''
      ? 'must not be empty'
      : explainLength(value, 253) ||
        (DNS_NAME.test(value)
          ? undefined
          : 'must consist of lower-case letters, digits, "-" and ".", and begin and end with a letter or digit'),
  'dns-name': (value) => explain['object-name']?.(value),
  'dns-label': (value) =>
    explainLength(value, 63) ||
    (DNS_LABEL.test(value)
      ? undefined
      : 'must consist of lower-case letters, digits and "-", and begin and end with a letter or digit'),
  'label-key': (value) => {
    const slash = value.indexOf('/');
    const prefix = slash < 0 ? undefined : value.slice(0, slash);
    if (prefix !== undefined && !DNS_NAME.test(prefix)) return `the prefix "${prefix}" must be a DNS name`;
    const name = value.slice(slash + 1);
    return (
      explainLength(name, 63) ||
      (LABEL_NAME.test(name)
        ? undefined
        : 'must consist of letters, digits, "-", "_" and ".", with at most one prefix such as example.org/ before it')
    );
  },
  'label-value': (value) =>
    value === ''
      ? undefined
      : explainLength(value, 63) ||
        (LABEL_NAME.test(value)
          ? undefined
          : 'must consist of letters, digits, "-", "_" and ".", and begin and end with a letter or digit'),
  'secret-key': explainSecretKey,
  // The original took an empty text for none at all.
  'dns-name-or-empty': (value) => (value === '' ? undefined : explain['dns-name']?.(value)),
  'secret-key-or-empty': (value) => (value === '' ? undefined : explainSecretKey(value)),
  'vars-path': (value) =>
    /^[A-Za-z]\w*(\.[A-Za-z_][\w-]*)+$/.test(value)
      ? undefined
      : 'must be a dotted path into vars, for example Params.password',
  quantity: (value) =>
    QUANTITY.test(value)
      ? undefined
      : 'is not an amount: write a number, with a unit if need be, such as 500m, 2 or 512Mi',
  'image-tag': (value) =>
    IMAGE_TAG.test(value)
      ? undefined
      : 'must be the tag of an image and nothing else, such as 16 or 16.4-alpine',
  image: explainImage,
  cron: explainCron,
  'time-zone': explainTimeZone,
  'http-url': explainUrl,
  recipient: explainRecipient,
  'backup-version': (value) =>
    /^(latest|v?[1-9]\d*)$/.test(value)
      ? undefined
      : 'must be latest or the number of a version, such as 3 or v3',
  'relative-folder': (value) =>
    /^[\w.-]+(\/[\w.-]+)*$/.test(value) && !value.split('/').some((part) => part === '..' || part === '.')
      ? undefined
      : 'must be a folder below the source, such as generated, without ".."',
  host: (value) =>
    value.length <= 253 && (HOST.test(value) || IPV4.test(value) || IPV6.test(value))
      ? undefined
      : 'must be a host name or an IP address, without scheme and port',
  size: (value) =>
    /^\d{1,12}[BKMGT]$/.test(value)
      ? undefined
      : 'must be a number with one of the units B, K, M, G, T, such as 500M',
  duration: (value) =>
    /^(\d+h)?(\d+m)?(\d+s)?$/.test(value) && value !== ''
      ? undefined
      : 'must be a duration such as 30m or 1h30m',
  age: (value) =>
    /^[1-9]\d*[mhdwy]$/.test(value)
      ? undefined
      : 'must be a number with one of the units m, h, d, w, y, such as 36h or 7d',
  port: (value) =>
    /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65535
      ? undefined
      : 'must be a port number, 1 to 65535',
  name: (value) => {
    if (value === '') return 'must not be empty';
    return CONTROL.test(value) ? 'must not contain control characters' : undefined;
  },
  path: (value) => {
    if (!value.startsWith('/')) return 'must be an absolute path';
    if (CONTROL.test(value)) return 'must not contain control characters';
    return value.split('/').includes('..') ? 'must not contain ".."' : undefined;
  },
  'sub-path': (value) => {
    if (value.startsWith('/')) return 'must be a path inside the volume, without "/" before it';
    if (CONTROL.test(value)) return 'must not contain control characters';
    return value.split('/').includes('..') ? 'must not contain ".."' : undefined;
  },
  uri: (value) => (/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(value) ? undefined : 'must be a URI'),
};

/** One predicate for each format, in the form that Ajv's generated code calls. */
export const formats: Record<string, (value: string) => boolean> = Object.fromEntries(
  Object.entries(explain).map(([name, reason]) => [name, (value: string) => reason(value) === undefined]),
);

/** The reason why `value` is not of the format; undefined if it is, or if the format is unknown. */
export function explainFormat(name: string, value: string): string | undefined {
  return Object.hasOwn(explain, name) ? explain[name]?.(value) : undefined;
}

function explainLength(value: string, most: number): string | undefined {
  return value.length > most ? `must have at most ${most} characters, has ${value.length}` : undefined;
}

function explainSecretKey(value: string): string | undefined {
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) return 'must consist of letters, digits, "-", "_" and "."';
  return /^\.(\.|$)/.test(value) ? 'must not be "." nor begin with ".."' : explainLength(value, 253);
}

function explainImage(value: string): string | undefined {
  if (value.length <= 1024 && IMAGE.test(value)) return undefined;
  if (value === '') return 'must not be empty';
  if (/\s/.test(value)) return 'must not contain spaces';
  if (value.includes('://')) return 'must be an image reference without a scheme';
  const repository = value.replace(/@.*$/, '').replace(/:[^/]*$/, '');
  const path = repository.includes('/') ? repository.slice(repository.indexOf('/') + 1) : repository;
  if (/[A-Z]/.test(path)) return 'the repository must be in lower case';
  return 'is not an image reference such as postgres:16 or ghcr.io/example/tool:v1';
}

/** Kubernetes reads names of the IANA database case-sensitively, and refuses `Local`. */
function explainTimeZone(value: string): string | undefined {
  if (timeZones.has(value)) return undefined;
  const lower = value.toLowerCase();
  const known = [...timeZones].find((name) => name.toLowerCase() === lower);
  if (known !== undefined) return `must be written ${known}`;
  try {
    // Making a date format takes 10 ms, as long as all the rest; only names newer than our list and mistakes need it.
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions();
    if (/^[+-]/.test(value)) return 'must be a name such as Europe/Warsaw, not an offset';
    return timeZone === value ? undefined : `must be written ${timeZone}`;
  } catch {
    const near = nearest(value, timeZones);
    return near
      ? `is not a time zone; did you mean ${near}?`
      : 'is not a time zone of the IANA database, such as Europe/Warsaw or Etc/UTC';
  }
}

function explainUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return 'must be an address such as https://backups.example.org';
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username || url.password) return 'must not contain a user name or password: keep these in a Secret';
  if (url.search || url.hash) return 'must not contain a query or a fragment';
  return undefined;
}

/** Public keys only: what stands in Git must not be able to read a backup. */
function explainRecipient(value: string): string | undefined {
  const text = value.trim();
  if (/^AGE-(SECRET-KEY|PLUGIN)-/i.test(text) || text.includes('PRIVATE KEY BLOCK')) {
    return 'is a private key: put it into a Secret, make a new key pair, and write the public key here';
  }
  if (/^age1[0-9a-z]{20,}$/.test(text))
    return hasBech32Checksum(text) ? undefined : 'has a typing mistake: its checksum is wrong';
  if (/^-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*-----END PGP PUBLIC KEY BLOCK-----$/.test(text))
    return undefined;
  if (text.startsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----'))
    return 'the armoured key is cut off: its END line is missing';
  return 'must be an age public key (age1...) or an armoured OpenPGP public key';
}
