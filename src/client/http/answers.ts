/** Answers that are no success: what they mean for whoever has to act. */
import type { Code } from '../../api/codes.ts';
import { ERROR_CODES, type ErrorCode } from '../../wire/error-codes.ts';
import { HEADERS } from '../../wire/headers.ts';
import type { Answer } from './exchange.ts';
import { speaksTls } from './faults.ts';
import { type Attempt, inAddresses, quoted, type Reason } from './reasons.ts';
import { explainExpiry } from './token.ts';

const MEANING: Readonly<Record<ErrorCode, Code>> = {
  'bad-request': 'refused',
  'not-found': 'usage',
  'method-not-allowed': 'usage',
  'body-too-large': 'refused',
  'uri-too-long': 'refused',
  'unsupported-media-type': 'refused',
  'rate-limited': 'unreachable',
  'request-timeout': 'unreachable',
  'shutting-down': 'unreachable',
  internal: 'unreachable',
  'database-unavailable': 'unreachable',
  'not-authenticated': 'not-authenticated',
  'not-authorized': 'not-authorized',
  'login-refused': 'not-authenticated',
  'login-too-soon': 'unreachable',
  'account-not-found': 'refused',
  'session-not-found': 'refused',
  'wrong-health-code': 'not-authorized',
  unhealthy: 'unhealthy',
  'collection-not-found': 'unknown-version',
  'upload-not-authorized': 'not-authorized',
  'outside-window': 'not-authorized',
  'parallel-upload': 'refused',
  'cannot-increment': 'unreachable',
  'rotation-unknown': 'refused',
  'rotation-declined': 'refused',
  'bad-form': 'refused',
  'bad-digest': 'refused',
  'bad-limits': 'refused',
  'too-large': 'refused',
  empty: 'refused',
  'not-encrypted': 'refused',
  truncated: 'refused',
  cancelled: 'unreachable',
  idle: 'unreachable',
  'storage-timeout': 'unreachable',
  'storage-failed': 'unreachable',
  'storage-full': 'unreachable',
  'digest-mismatch': 'damaged',
  'cancelled-late': 'unreachable',
  'lease-lost': 'unreachable',
  'cannot-register': 'unreachable',
  'version-not-found': 'unknown-version',
  'download-not-authorized': 'not-authorized',
  'list-not-authorized': 'not-authorized',
  'manage-not-authorized': 'not-authorized',
  'cannot-read': 'unreachable',
  'cannot-list': 'unreachable',
  'range-not-satisfiable': 'damaged',
  'version-pinned': 'refused',
  'last-version': 'refused',
  'action-not-authorized': 'not-authorized',
  'action-lost': 'action-refused',
};

/** Sentences of the original's server, which has no codes, in the order in which they are looked for. */
const SENTENCES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^cannot find specified collection/, 'collection-not-found'],
  [/^cannot find specified version/, 'version-not-found'],
  [/^(incorrect|missing) Username or Password/, 'login-refused'],
  [/^too short interval between login attempts/, 'login-too-soon'],
  [/^not authorized to upload versions/, 'upload-not-authorized'],
  [/^not authorized to download versions/, 'download-not-authorized'],
  [/^not authorized to list versions/, 'list-not-authorized'],
  [/invalid value of 'code'/, 'wrong-health-code'],
  [/^backup window does not allow/, 'outside-window'],
  [/^cannot upload to same collection in parallel/, 'parallel-upload'],
  [/^cannot increment version/, 'cannot-increment'],
  [/^internal error while trying to create rotation strategy/, 'rotation-unknown'],
  [/^backup collection strategy declined/, 'rotation-declined'],
  [/^cannot construct validators/, 'bad-limits'],
  [/filesize reached allowed limit/, 'too-large'],
  [/sent empty data/, 'empty'],
  [/valid GPG header/, 'not-encrypted'],
  [/valid GPG footer/, 'truncated'],
  [/upload was cancelled/, 'cancelled'],
  [/context deadline exceeded/, 'storage-timeout'],
  [/storage error/, 'storage-failed'],
  [/upload cancelled by client/, 'cancelled-late'],
  [/^Request took too long/, 'idle'],
  [/^cannot (read from storage|copy stream to download)/, 'cannot-read'],
  [/^cannot list versions/, 'cannot-list'],
  [/^one of checks failed/, 'unhealthy'],
];

interface Said {
  /** What the server says of the error, if it is a backup repository; undefined for anything else. */
  sentence: string | undefined;
  /** It is about the token as such. */
  aboutToken: boolean;
  code: ErrorCode | undefined;
  /** It comes from our server and not from something in between. */
  own: boolean;
}

/** Takes an answer apart that is no success. */
export function readRefusal({ headers, text }: Answer): Said {
  const header = headers[HEADERS.error];
  const own = typeof header === 'string';
  const known = ERROR_CODES.find((each) => each === header);
  let body: { status?: unknown; error?: unknown; message?: unknown } = {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) body = value;
  } catch {}
  const isEnvelope = body.status === false;
  const aboutToken = isEnvelope && typeof body.message === 'string' && body.error === undefined;
  const sentence = isEnvelope ? String(body.error ?? body.message ?? '') : undefined;
  const code = known ?? SENTENCES.find(([pattern]) => sentence !== undefined && pattern.test(sentence))?.[1];
  return { sentence, aboutToken: aboutToken && code !== 'login-refused', code, own };
}

/** True if another token could help. */
export function isTokenRefused(answer: Answer): boolean {
  if (answer.status !== 401 && answer.status !== 403) return false;
  return readRefusal(answer).aboutToken;
}

/** True if the same request may be accepted some seconds later. */
export function isTemporaryAnswer(answer: Answer): boolean {
  return [429, 502, 503, 504].includes(answer.status) || readRefusal(answer).code === 'login-too-soon';
}

/** True if the server does not know the address, rather than what it names. */
export function isNoSuchRoute(answer: Answer): boolean {
  if (answer.status !== 404 && answer.status !== 405) return false;
  const { code, sentence } = readRefusal(answer);
  if (code !== undefined) return code === 'not-found' || code === 'method-not-allowed';
  return sentence === undefined;
}

/** Why the server, or something in front of it, did not do what was asked. `token`: the one of the request, if it had one. */
export function explainAnswer(answer: Answer, attempt: Attempt, token?: string): Reason {
  const { status, headers, text } = answer;
  const said = readRefusal(answer);
  const words = quoted(said.sentence ?? '', attempt.secrets);
  if (status >= 300 && status < 400) return explainRedirect(answer, attempt);
  if (said.aboutToken) return explainToken(words, token);
  if (said.code !== undefined) {
    const damaged = said.code === 'cannot-read' && words.startsWith('cannot copy stream');
    const code = damaged ? 'damaged' : MEANING[said.code];
    return { code, why: words === '' ? said.code : words, hint: hintFor(said, answer, attempt) };
  }
  if (said.own || said.sentence !== undefined)
    return { code: codeOfStatus(status), why: words || `status ${status}` };
  return explainForeign(status, headers['content-type'] ?? '', text, attempt, headers['retry-after']);
}

function explainToken(words: string, token: string | undefined): Reason {
  const expired = token === undefined ? undefined : explainExpiry(token, Date.now());
  return {
    code: 'not-authenticated',
    why: expired ?? `the token is not accepted: ${words}`,
    hint: expired
      ? 'set BM_AUTH_TOKEN to a new token, or use a user name and password: they get a new one each time'
      : 'it may be revoked or of another server, or its account deactivated or limited to other addresses: get a new one',
  };
}

function hintFor({ code }: Said, { status, headers }: Answer, attempt: Attempt): string | undefined {
  switch (code) {
    case 'login-refused':
      return 'check user name and password; the answer is the same for accounts that are unknown, deactivated, or used from an address that is not allowed';
    case 'collection-not-found':
      return 'check --collection-id; the server needs a BackupCollection of that name';
    case 'upload-not-authorized':
      return "the account needs the role backupUploader in the collection's accessControl, and in the access key if it uses one";
    case 'download-not-authorized':
      return "the account needs the role backupDownloader in the collection's accessControl, and in the access key if it uses one";
    case 'list-not-authorized':
      return 'the account needs the role backupUploader or backupDownloader in the collection';
    case 'action-not-authorized':
      return 'the account needs backupDownloader to restore, backupUploader to back up';
    case 'outside-window':
      return 'run it within the windows of the collection, or give the account the role uploadsAnytime';
    case 'parallel-upload':
      return 'try again when the other upload has ended';
    case 'too-large':
      return 'raise maxOneVersionSize (and maxCollectionSize) of the BackupCollection, or back up less';
    case 'rotation-declined':
      return 'raise maxCollectionSize of the BackupCollection, or unpin versions';
    case 'not-encrypted':
    case 'truncated':
      // Our own server takes binary formats and says its code; the original's does neither.
      return headers[HEADERS.error] === undefined
        ? 'this server accepts only armoured OpenPGP: use an OpenPGP key and --armor'
        : 'encrypt it, or set allowUnencrypted in the BackupCollection';
    case 'version-not-found':
      return 'list the versions that are there: backup-maker list';
    case 'storage-full':
      return "make room in the server's storage";
    case 'digest-mismatch':
      return 'nothing was stored; run it again, and look for a proxy that changes content';
    case 'idle':
      return idleHint(headers[HEADERS.error] !== undefined);
    case 'rate-limited':
      return retryHint(headers['retry-after']);
    case 'wrong-health-code':
      return 'give the code whose SHA-256 is in the healthSecretRef of the collection';
    case 'not-found':
    case 'method-not-allowed':
      return status === 404 || status === 405 ? wrongPath(attempt) : undefined;
    default:
      return undefined;
  }
}

function codeOfStatus(status: number): Code {
  if (status === 401) return 'not-authenticated';
  if (status === 403) return 'not-authorized';
  if (status === 404) return 'unknown-version';
  if (status === 408 || status === 429 || status >= 500) return 'unreachable';
  return 'refused';
}

/** Answers of proxies, of web servers, and of whatever else may listen there. */
function explainForeign(
  status: number,
  type: string,
  text: string,
  attempt: Attempt,
  retryAfter: string | undefined,
): Reason {
  const server = attempt.connection.address.text;
  const html = /html/i.test(type) || /^\s*</.test(text);
  switch (status) {
    case 413:
      return {
        code: 'refused',
        why: 'something in front of the server does not let so much content through (413)',
        hint: 'raise its limit for bodies, such as nginx client_max_body_size 0, or the annotation nginx.ingress.kubernetes.io/proxy-body-size: "0"',
      };
    case 408:
      return {
        code: 'unreachable',
        why: 'a proxy on the way gave up waiting for what was to be sent (408)',
        hint: 'raise its time limit for bodies, such as nginx client_body_timeout, or find out why the command paused',
      };
    case 429:
      return { code: 'unreachable', why: 'too many requests (429)', hint: retryHint(retryAfter) };
    case 502:
    case 503:
    case 504:
      return {
        code: 'unreachable',
        why: `the server does not answer the proxy in front of it (${status})`,
        hint: 'check whether the server is running, and the timeouts of the proxy',
      };
    case 407:
      return { code: 'unreachable', why: 'the proxy asks for a user name and password (407)' };
  }
  if (status === 400 && /HTTPS (port|server)/i.test(text)) return speaksTls(server);
  if (html || (status >= 200 && status < 300)) {
    return {
      code: 'usage',
      why: `what answers there is not a backup repository (${status}${html ? ', a web page' : ''})`,
      hint: wrongPath(attempt),
    };
  }
  if (status === 404 || status === 405) {
    return { code: 'usage', why: `the server has no such address (${status})`, hint: wrongPath(attempt) };
  }
  const words = quoted(text, attempt.secrets);
  return {
    code: codeOfStatus(status),
    why: `status ${status}${words === '' ? '' : `: ${words.slice(0, 120)}`}`,
  };
}

function explainRedirect({ status, headers }: Answer, attempt: Attempt): Reason {
  const { address } = attempt.connection;
  const secrets = inAddresses(attempt.secrets);
  // Before it is parsed, too: that changes the case of letters in the name of the host.
  const location = headers.location === undefined ? undefined : quoted(headers.location, secrets);
  const target = location === undefined ? null : URL.parse(location, address.text);
  if (!target) return { code: 'usage', why: `the server redirects (${status}), and does not say where to` };
  // Neither query nor credentials: nobody knows what is in them.
  const where = quoted(`${target.origin}${target.pathname}`, secrets);
  const api = target.pathname.search(/\/api\/(stable|alpha)\//);
  const base = api < 0 ? undefined : quoted(`${target.origin}${target.pathname.slice(0, api)}`, secrets);
  return {
    code: 'usage',
    why: `the server redirects to ${where} (${status}), and redirects are not followed, since they would carry the token away`,
    hint: base === undefined ? 'use the address that it points to, if it is the server' : `--url ${base}`,
  };
}

/** The original's server has one limit, ours two. */
function idleHint(own: boolean): string {
  const total = 'the upload took longer than --http-upload-timeout (BR_HTTP_UPLOAD_TIMEOUT)';
  const limits = own
    ? `the command paused for longer than --upload-idle-timeout (BR_UPLOAD_IDLE_TIMEOUT), or ${total}`
    : total;
  return `${limits} of the server: raise that, or find out what the command waits for, such as a lock`;
}

function wrongPath({ connection }: Attempt): string {
  return `--url must be the address under which /api/stable/ begins; ${connection.address.text}/health must answer`;
}

function retryHint(retryAfter: string | undefined): string {
  return retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)
    ? `try again in ${retryAfter} s`
    : 'try again later';
}
