/**
 * Passwords as the original encodes them: base64 of `$argon2id$v=19$m=65536,t=1,p=4$<salt>$<hash>`, where salt and
 * hash are padded standard base64. The plain form with unpadded fields, as other tools print it, is accepted too.
 *
 * Every computation takes 64 MiB and a tenth of a second, which a stranger could ask for in any number: at most two
 * run at a time, a bounded number waits, and the rest is refused.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(argon2);

/** Memory in KiB. */
const PARAMETERS = { memory: 65_536, passes: 1, parallelism: 4 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What an encoded password may ask for at most: the operator writes them, but a slip must not exhaust the machine. */
const MOST = { memory: 4 * 65_536, passes: 16, parallelism: 16 };
const CONCURRENT = 2;
const WAITING = 64;

interface Encoded {
  memory: number;
  passes: number;
  parallelism: number;
  salt: Buffer;
  hash: Buffer;
}

/** Too many passwords wait to be checked: try again later. */
export class PasswordQueueFull extends Error {
  override readonly name = 'PasswordQueueFull';
}

/** Nobody's password: what a login of an unknown account is checked against, so that it takes as long as any other. */
const DECOY: Encoded = { ...PARAMETERS, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };

/** Encodes a password with a fresh salt. @throws {PasswordQueueFull} */
export async function encodePassword(text: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await compute(text, PARAMETERS, salt, HASH_BYTES);
  const { memory, passes, parallelism } = PARAMETERS;
  const inner = `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${salt.toString('base64')}$${hash.toString('base64')}`;
  return Buffer.from(inner).toString('base64');
}

/**
 * Whether the text is the password. Without an encoded password, or with one that cannot be read, the answer is no
 * after as much work as otherwise. @throws {PasswordQueueFull}
 */
export async function verifyPassword(encoded: string | undefined, text: string): Promise<boolean> {
  const parsed = encoded === undefined ? undefined : parse(encoded);
  const { salt, hash, ...parameters } = typeof parsed === 'object' ? parsed : DECOY;
  const found = await compute(text, parameters, salt, hash.length);
  return timingSafeEqual(found, hash) && typeof parsed === 'object';
}

/** Why an encoded password cannot be used, as a sentence without the value; undefined if it can. */
export function explainEncodedPassword(encoded: string): string | undefined {
  const parsed = parse(encoded);
  return typeof parsed === 'string' ? parsed : undefined;
}

/** The parts of an encoded password, or what is wrong with it. */
function parse(encoded: string): Encoded | string {
  const text = encoded.trim();
  const inner = text.startsWith('$') ? text : Buffer.from(text, 'base64').toString('latin1');
  const [lead, algorithm, version, settings = '', salt64 = '', hash64 = '', ...rest] = inner
    .trim()
    .split('$');
  if (lead !== '' || rest.length > 0 || hash64 === '') {
    return 'is not an encoded password: make one with `backup-repository encode-password`';
  }
  if (algorithm !== 'argon2id' || version !== 'v=19') return 'must be encoded with argon2id, version 19';
  const [, memory, passes, parallelism] = (settings.match(/^m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})$/) ?? []).map(
    Number,
  );
  if (!memory || !passes || !parallelism || memory < 8 * parallelism)
    return 'has unreadable argon2id settings';
  if (memory > MOST.memory || passes > MOST.passes || parallelism > MOST.parallelism) {
    return `asks for more than m=${MOST.memory},t=${MOST.passes},p=${MOST.parallelism}`;
  }
  const salt = Buffer.from(salt64, 'base64');
  const hash = Buffer.from(hash64, 'base64');
  // A short hash would be met by many passwords.
  if (salt.length < 8 || salt.length > 64 || hash.length < 16 || hash.length > 64) {
    return 'has a salt or hash of unusual length';
  }
  return { memory, passes, parallelism, salt, hash };
}

let running = 0;
const waiting: (() => void)[] = [];

async function compute(
  text: string,
  { memory, passes, parallelism }: typeof PARAMETERS,
  nonce: Buffer,
  tagLength: number,
): Promise<Buffer> {
  if (running >= CONCURRENT) {
    if (waiting.length >= WAITING) throw new PasswordQueueFull('too many passwords wait to be checked');
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running++;
  }
  try {
    return await derive('argon2id', { message: text, nonce, parallelism, tagLength, memory, passes });
  } finally {
    // The place is handed over, not given back and taken again: nobody can slip in between.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
