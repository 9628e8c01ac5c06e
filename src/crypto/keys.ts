/** Keys as users have them: text or files that hold either age or OpenPGP keys, never both. */

import { type AgeIdentities, type AgeRecipients, readAgeIdentities, readAgeRecipients } from './age/keys.ts';
import { CryptoError } from './failure.ts';
import {
  type OpenPgpIdentities,
  type OpenPgpRecipients,
  readOpenPgpIdentities,
  readOpenPgpRecipients,
} from './openpgp/keys.ts';

/** To whom content is encrypted. */
export type Recipients = AgeRecipients | OpenPgpRecipients;
/** What opens content. */
export type Identities = AgeIdentities | OpenPgpIdentities;

export interface RecipientOptions {
  /** Only OpenPGP keys with one of these e-mail addresses, user ids, key ids or fingerprints; empty: all of them. */
  select?: readonly string[];
}

export interface IdentityOptions {
  /** Opens the private OpenPGP key, if it needs one. */
  passphrase?: string;
}

/**
 * Public keys out of one or more files or texts: lines of age recipients with `#` comments (as `age -R` reads them), or OpenPGP
 * public keys, armoured (several blocks in one text too) or binary.
 *
 * @throws {CryptoError} `bad-key` if there is none, one cannot be used, or both kinds are mixed; `unsupported`.
 */
export async function readRecipients(
  materials: readonly Buffer[],
  options: RecipientOptions = {},
): Promise<Recipients> {
  const [unmatched] = options.select ?? [];
  if (unmatched !== undefined && kindOf(materials) === 'age') {
    throw new CryptoError(
      'bad-key',
      `"${unmatched}" is no age recipient (they begin with age1), and only OpenPGP keys can be selected by name`,
    );
  }
  return kindOf(materials) === 'age'
    ? readAgeRecipients(materials.map(String))
    : readOpenPgpRecipients(materials, options.select ?? []);
}

/**
 * Private keys out of one or more files: age identity files (as `age-keygen` writes them), or OpenPGP private keys, armoured
 * or binary.
 *
 * @throws {CryptoError} `bad-key`, `bad-passphrase` or `unsupported`.
 */
export async function readIdentities(
  materials: readonly Buffer[],
  options: IdentityOptions = {},
): Promise<Identities> {
  return kindOf(materials) === 'age'
    ? readAgeIdentities(materials.map(String))
    : readOpenPgpIdentities(materials, options.passphrase);
}

/** What age reads, or what somebody would take for it: its reader says best why it is not. */
const AGE_LINE =
  /^\s*(age1|age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE|ssh-|ecdsa-|-----BEGIN (OPENSSH|RSA|EC) PRIVATE KEY|AGE-SECRET-KEY-|AGE-PLUGIN-)/im;

function kindOf(materials: readonly Buffer[]): 'age' | 'openpgp' {
  if (materials.every((material) => material.length === 0))
    throw new CryptoError('bad-key', 'the key is empty');
  const age = materials.filter((material) => AGE_LINE.test(material.toString('latin1')));
  if (age.length > 0 && age.length < materials.length)
    throw new CryptoError('bad-key', 'age keys and OpenPGP keys cannot be used together: keep one kind');
  return age.length > 0 ? 'age' : 'openpgp';
}
