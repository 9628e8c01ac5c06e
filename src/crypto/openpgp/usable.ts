/** Which part of a public key content is encrypted to, and why there is none. */
import type { Key, KeyID, Subkey } from 'openpgp';
import { CryptoError } from '../failure.ts';
import { nameOfKey, packageConfig } from './package.ts';

/** Algorithms that encrypt: RSA, ElGamal, ECDH, X25519, X448. */
export const ENCRYPTING: readonly number[] = [1, 2, 16, 18, 25, 26];

/**
 * The newest part of the key that may encrypt now, as gpg chooses it. Whom the key really belongs to is not asked
 * (`--always-trust`): it was given for this purpose.
 *
 * @throws {CryptoError} `bad-key`, with the key, the reason and its date.
 */
export async function encryptionKeyId(key: Key, date: Date): Promise<KeyID> {
  const config = await packageConfig();
  try {
    return (await key.getEncryptionKey(undefined, date, undefined, config)).getKeyID();
  } catch (cause) {
    throw new CryptoError('bad-key', `the key ${nameOfKey(key)} ${await reason(key, date)}`, { cause });
  }
}

async function reason(key: Key, date: Date): Promise<string> {
  const config = await packageConfig();
  if (key.getCreationTime() > date)
    return `is valid only from ${day(key.getCreationTime())} on: is the clock right?`;
  // Without a date, revocations count whenever they were made.
  if (await key.isRevoked(undefined, undefined, date, config)) return `was revoked${await revokedOn(key)}`;
  const expiry = await key.getExpirationTime(undefined, config);
  if (expiry instanceof Date && expiry <= date) return `expired on ${day(expiry)}: ${EXTEND}`;
  const encrypting = key.subkeys.filter(({ keyPacket }) => ENCRYPTING.includes(keyPacket.algorithm));
  const reasons = await Promise.all(encrypting.map((subkey) => subkeyReason(subkey, date)));
  return reasons[0] ?? 'cannot encrypt: it has no encryption subkey';
}

async function subkeyReason(subkey: Subkey, date: Date): Promise<string> {
  const config = await packageConfig();
  const name = `its encryption subkey ${subkey.getKeyID().toHex().toUpperCase()}`;
  if (subkey.getCreationTime() > date)
    return `cannot be used: ${name} is valid only from ${day(subkey.getCreationTime())} on`;
  const expiry = await subkey.getExpirationTime(date, config);
  if (expiry instanceof Date && expiry <= date)
    return `cannot be used: ${name} expired on ${day(expiry)}: ${EXTEND}`;
  try {
    await subkey.verify(date, config);
  } catch (error) {
    if (error instanceof Error && /revoked/.test(error.message)) return `cannot be used: ${name} was revoked`;
  }
  return `cannot be used: ${name} is too weak, not meant for encryption, or of an unsupported kind`;
}

async function revokedOn(key: Key): Promise<string> {
  const [signature] = key.revocationSignatures;
  return signature?.created ? ` on ${day(signature.created)}` : '';
}

const EXTEND = 'extend it and export it again, or use another';

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
