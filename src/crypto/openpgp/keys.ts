/** OpenPGP keys: those that content is encrypted to, and those that open it. */
import type { Key, PrivateKey } from 'openpgp';
import { CryptoError } from '../failure.ts';
import { parseKeys } from './key-material.ts';
import { nameOfKey, packageConfig, type SecretPacket } from './package.ts';
import { selects } from './select.ts';
import { ENCRYPTING, encryptionKeyId } from './usable.ts';

export interface OpenPgpRecipients {
  kind: 'openpgp';
  /** At least one; each of them can encrypt. */
  keys: readonly Key[];
  /** User id and fingerprint of each. */
  names: readonly string[];
}

export interface OpenPgpIdentities {
  kind: 'openpgp';
  /** At least one; open, and able to decrypt. */
  packets: readonly SecretPacket[];
  /** User id and fingerprint of each key that they belong to. */
  names: readonly string[];
}

/**
 * Public keys, armoured (any number of blocks, with any text around) or binary (as `gpg --export` writes several). No trust in
 * them is asked for: they were given for this purpose.
 *
 * @param select e-mail addresses, user ids, key ids or fingerprints; empty for all keys. If one means several keys, those of them that
 * can be used are.
 * @throws {CryptoError} `bad-key` if there is none, or a private one, or one is expired, revoked or unable to encrypt.
 */
export async function readOpenPgpRecipients(
  materials: readonly Buffer[],
  select: readonly string[],
): Promise<OpenPgpRecipients> {
  const all = await parseKeys(materials);
  if (all.length === 0) throw new CryptoError('bad-key', 'there is no OpenPGP key');
  const secret = all.find((key) => key.isPrivate());
  if (secret) {
    throw new CryptoError(
      'bad-key',
      `the key ${nameOfKey(secret)} is a private key, and a backup must never need one: export the public key with \`gpg --armor --export <email>\``,
    );
  }
  const keys =
    select.length === 0
      ? await usable(all, 'every')
      : (await Promise.all(select.map((wanted) => selected(wanted, all)))).flat();
  const unique = [...new Set(keys)];
  return { kind: 'openpgp', keys: unique, names: unique.map(nameOfKey) };
}

async function selected(wanted: string, all: readonly Key[]): Promise<Key[]> {
  const found = all.filter((key) => selects(wanted, key));
  if (found.length > 0) return usable(found, 'some');
  throw new CryptoError('bad-key', `no key is for ${wanted}: there is ${all.map(nameOfKey).join(', ')}`);
}

async function usable(keys: readonly Key[], how: 'every' | 'some'): Promise<Key[]> {
  const date = new Date();
  const results = await Promise.allSettled(keys.map((key) => encryptionKeyId(key, date)));
  const refused = results.filter((result) => result.status === 'rejected');
  if (refused.length > 0 && (how === 'every' || refused.length === keys.length)) throw refused[0]?.reason;
  return keys.filter((_, i) => results[i]?.status === 'fulfilled');
}

/**
 * Private keys, armoured or binary, opened with the passphrase where they need one. Public keys among them are passed over; expired
 * and revoked ones still decrypt.
 *
 * @throws {CryptoError} `bad-key` if none can decrypt; `bad-passphrase` if one is missing or wrong.
 */
export async function readOpenPgpIdentities(
  materials: readonly Buffer[],
  passphrase?: string,
): Promise<OpenPgpIdentities> {
  const all = await parseKeys(materials);
  const keys = all.filter((key): key is PrivateKey => key.isPrivate());
  if (keys.length === 0) {
    const [known] = all;
    throw new CryptoError(
      'bad-key',
      `${known ? `the key ${nameOfKey(known)} is a public key, and only a private one decrypts` : 'there is no OpenPGP key'}: export the private key with \`gpg --armor --export-secret-keys <email>\``,
    );
  }
  const packets: SecretPacket[] = [];
  const names: string[] = [];
  for (const key of keys) {
    const present = decrypting(key);
    for (const packet of present) await unlock(packet, key, passphrase);
    packets.push(...present);
    if (present.length > 0) names.push(nameOfKey(key));
  }
  if (packets.length === 0) {
    throw new CryptoError(
      'bad-key',
      `the private key ${nameOfKey(keys[0] as PrivateKey)} holds nothing that decrypts: what does is on a card, was left out when it was exported, or is locked in a way that is not supported`,
    );
  }
  return { kind: 'openpgp', packets, names };
}

/** The parts of the key that can decrypt and are there; gpg leaves a stub of what is on a card or was removed. */
function decrypting(key: PrivateKey): SecretPacket[] {
  return key
    .getKeys()
    .map(({ keyPacket }) => keyPacket as SecretPacket)
    .filter((packet) => ENCRYPTING.includes(packet.algorithm) && !packet.isMissingSecretKeyMaterial());
}

async function unlock(packet: SecretPacket, key: PrivateKey, passphrase: string | undefined): Promise<void> {
  if (packet.isDecrypted()) return;
  if (passphrase === undefined || passphrase === '') {
    throw new CryptoError(
      'bad-passphrase',
      `the private key ${nameOfKey(key)} is locked, and there is no passphrase`,
    );
  }
  try {
    await (packet as Unlockable).decrypt(passphrase, await packageConfig());
  } catch (cause) {
    // How the package says that the passphrase is wrong depends on the cipher; what it refuses is what it names.
    const refused = cause instanceof Error && REFUSED.test(cause.message);
    throw refused
      ? new CryptoError(
          'bad-key',
          `the private key ${nameOfKey(key)} is damaged, or locked in a way that is not supported: set its passphrase anew with \`gpg --change-passphrase\` and export it again`,
          { cause },
        )
      : new CryptoError('bad-passphrase', `the passphrase does not open the private key ${nameOfKey(key)}`);
  }
}

const REFUSED = /insecure|unsupported S2K|not allowed|not supported|MPIs|argon2/i;

/** What the package takes and its types do not say. */
interface Unlockable {
  decrypt(passphrase: string, config: Awaited<ReturnType<typeof packageConfig>>): Promise<void>;
}
