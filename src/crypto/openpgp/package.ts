/**
 * The `openpgp` package, which knows keys and session keys. It is large, and who uses age never needs it, so it is loaded when a
 * key is read.
 */
import type { Config, Key, SecretKeyPacket, SecretSubkeyPacket } from 'openpgp';

type OpenPgp = typeof import('openpgp');

export function openPgpPackage(): Promise<OpenPgp> {
  return import('openpgp');
}

/** A packet of private key material. */
export type SecretPacket = SecretKeyPacket | SecretSubkeyPacket;

/** The part of the package's class for an encrypted session key that its types keep private. */
export interface SessionKeyPacket {
  version: number;
  publicKeyID: { toHex(): string };
  publicKeyAlgorithm: number;
  /** Known once it is decrypted; null in version 6, where the data says it. */
  sessionKeyAlgorithm: number | null;
  sessionKey: Uint8Array | null;
  read(body: Uint8Array): void;
  decrypt(key: SecretPacket): Promise<void>;
}

export async function newSessionKeyPacket(): Promise<SessionKeyPacket> {
  const { PublicKeyEncryptedSessionKeyPacket } = await openPgpPackage();
  return new PublicKeyEncryptedSessionKeyPacket() as unknown as SessionKeyPacket;
}

/**
 * The package's settings, with those keys accepted that gpg accepts too: ElGamal, secp256k1, and old ones that do not say what they
 * are for. RSA keys of less than 2048 bits stay refused.
 */
export async function packageConfig(): Promise<Config> {
  const { config } = await openPgpPackage();
  return {
    ...config,
    rejectPublicKeyAlgorithms: new Set(),
    rejectCurves: new Set(),
    allowMissingKeyFlags: true,
    showVersion: false,
    showComment: false,
  };
}

/** A key as its owner knows it: the first user id and the fingerprint. */
export function nameOfKey(key: Key): string {
  const [userId = 'without user id'] = key.getUserIDs();
  return `${userId.replace(/\p{C}/gu, '?')} (${key.getFingerprint().toUpperCase()})`;
}
