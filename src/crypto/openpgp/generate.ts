/** A new key pair for those who have none. */
import { openPgpPackage, packageConfig } from './package.ts';

export interface NewOpenPgpKey {
  name: string;
  email: string;
  /** Locks the private key; without one, whoever has the file can read the backups. */
  passphrase?: string;
  date: Date;
}

/** Armoured, and the fingerprint in upper case hex. */
export interface OpenPgpKeyPair {
  publicKey: string;
  privateKey: string;
  fingerprint: string;
}

/** A key of version 4 as gpg 2.1 and later make it: ed25519 signs, a cv25519 subkey encrypts, and it never expires. */
export async function generateOpenPgpKey({
  name,
  email,
  passphrase,
  date,
}: NewOpenPgpKey): Promise<OpenPgpKeyPair> {
  const { generateKey } = await openPgpPackage();
  const config = { ...(await packageConfig()), v6Keys: false, aeadProtect: false };
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    curve: 'curve25519Legacy',
    userIDs: [{ name, email }],
    // The package takes an empty one for none.
    ...(passphrase !== undefined && { passphrase }),
    date,
    format: 'object',
    config,
  });
  return {
    publicKey: publicKey.armor(config),
    privateKey: privateKey.armor(config),
    fingerprint: publicKey.getFingerprint().toUpperCase(),
  };
}
