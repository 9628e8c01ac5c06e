/**
 * Public and private age keys, one a line with `#` comments, as `age -R` and `age -i` read them: X25519 (`age1…`) and the
 * post-quantum hybrid (`age1pq1…`).
 *
 * What the package says of a key that it cannot read holds the key itself, so its errors go no further than this file.
 */
import { Decrypter, Encrypter, identityToRecipient as packageIdentityToRecipient } from 'age-encryption';
import { CryptoError } from '../failure.ts';

/** Public keys that can be used together. */
export class AgeRecipients {
  readonly kind = 'age';
  /** `age1…` or `age1pq1…`, each once. */
  readonly values: readonly string[];

  /** @throws {CryptoError} `bad-key` if there is none, or post-quantum and other keys are mixed. */
  constructor(values: readonly string[]) {
    if (values.length === 0)
      throw new CryptoError('bad-key', 'there is no age public key: add a line `age1…`');
    const postQuantum = values.filter(isPostQuantum).length;
    if (postQuantum > 0 && postQuantum < values.length) {
      // Each recipient can open the whole, so the weakest decides.
      throw new CryptoError(
        'bad-key',
        `post-quantum age keys (age1pq1…) and others (age1…) cannot be used together, as the content would be no safer than with the others alone: keep one kind (${postQuantum} of ${values.length} are post-quantum)`,
      );
    }
    this.values = [...new Set(values)];
  }
}

/** Private keys. Printing or serialising one shows none of them. */
export class AgeIdentities {
  readonly kind = 'age';
  readonly #values: readonly string[];

  /** @throws {CryptoError} `bad-key` if there is none. */
  constructor(values: readonly string[]) {
    if (values.length === 0)
      throw new CryptoError('bad-key', 'there is no age private key: add a line `AGE-SECRET-KEY-…`');
    this.#values = [...new Set(values)];
  }

  /** `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`. */
  get values(): readonly string[] {
    return this.#values;
  }
}

/** The public keys in one or more texts. @throws {CryptoError} `bad-key` or `unsupported`, naming the line. */
export function readAgeRecipients(texts: readonly string[]): AgeRecipients {
  return new AgeRecipients(
    keyLines(texts).map(({ key, where }) => {
      refuseSsh(key, where);
      if (PRIVATE.test(key)) {
        const way = 'give the public key, which `age-keygen -y` prints, and keep the private one to yourself';
        throw new CryptoError('bad-key', `${where} is a private age key where a public one is due: ${way}`);
      }
      if (PLUGIN_RECIPIENT.test(key)) {
        throw new CryptoError(
          'unsupported',
          `${where} is a public key for an age plugin, which cannot be used here: use one of \`age-keygen\`, without a change`,
        );
      }
      if (!works(() => new Encrypter().addRecipient(key))) {
        const expected = 'one is all of a line that begins with age1';
        throw new CryptoError('bad-key', `${where} is not an age public key: ${expected}, without a change`);
      }
      return key;
    }),
  );
}

/** The private keys in one or more texts. @throws {CryptoError} `bad-key` or `unsupported`, naming the line. */
export function readAgeIdentities(texts: readonly string[]): AgeIdentities {
  return new AgeIdentities(
    keyLines(texts).map(({ key, where }) => {
      refuseSsh(key, where);
      if (/^age1/i.test(key)) {
        const way = 'it is in the file that `age-keygen` wrote, in the line below the public key';
        throw new CryptoError('bad-key', `${where} is a public age key where a private one is due: ${way}`);
      }
      if (/^AGE-PLUGIN-/i.test(key)) {
        throw new CryptoError(
          'unsupported',
          `${where} is a private key for an age plugin, which cannot be used here: open the content with \`age -d -i\` on a machine that has the plugin`,
        );
      }
      if (!works(() => new Decrypter().addIdentity(key))) {
        const expected = 'one is all of a line that begins with AGE-SECRET-KEY-';
        throw new CryptoError('bad-key', `${where} is not an age private key: ${expected}, without a change`);
      }
      return key;
    }),
  );
}

/** The public key that belongs to a private one. @throws {CryptoError} `bad-key`. */
export async function identityToRecipient(identity: string): Promise<string> {
  try {
    return await packageIdentityToRecipient(identity);
  } catch {
    throw new CryptoError('bad-key', 'this is not an age private key, so it has no public one');
  }
}

const PRIVATE = /^AGE-(SECRET-KEY|PLUGIN)-/i;
/** The name of the plugin stands between `age1` and another `1`, which the keys themselves never hold. */
const PLUGIN_RECIPIENT = /^age1(?!pq1)[^1\s]+1\S*$/i;
const SSH = /^(ssh-|ecdsa-|sk-)|^-----BEGIN (OPENSSH|RSA|EC) PRIVATE KEY/;
const ENCRYPTED = /^(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE)/;

function isPostQuantum(recipient: string): boolean {
  return recipient.startsWith('age1pq1');
}

function keyLines(texts: readonly string[]): { key: string; where: string }[] {
  return texts.flatMap((text, index) => {
    const place = texts.length > 1 ? ` of key file ${index + 1}` : '';
    const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
    return lines.flatMap((line, number) => {
      const key = line.trim();
      if (key === '' || key.startsWith('#')) return [];
      if (ENCRYPTED.test(key)) {
        throw new CryptoError(
          'unsupported',
          `${texts.length > 1 ? `key file ${index + 1}` : 'the key file'} is itself encrypted: decrypt it with \`age -d key.age > key\` and use the result`,
        );
      }
      return [{ key, where: `line ${number + 1}${place}` }];
    });
  });
}

function refuseSsh(key: string, where: string): void {
  if (!SSH.test(key)) return;
  throw new CryptoError(
    'unsupported',
    `${where} is an SSH key, which cannot be used here: make an age key with \`age-keygen\``,
  );
}

function works(use: () => void): boolean {
  try {
    use();
    return true;
  } catch {
    return false;
  }
}
