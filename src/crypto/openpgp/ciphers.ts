/** The symmetric ciphers of OpenPGP (RFC 9580, section 9.3) that node:crypto and the `openpgp` package both have. */
import { createDecipheriv } from 'node:crypto';
import { CryptoError } from '../failure.ts';
import { aesCfbDecryption, type Transform } from './cfb.ts';

export interface SymmetricCipher {
  /** As OpenSSL calls it, without the mode. */
  name: string;
  keyBytes: number;
  blockBytes: number;
}

const CIPHERS: Readonly<Partial<Record<number, SymmetricCipher>>> = {
  2: { name: 'des-ede3', keyBytes: 24, blockBytes: 8 },
  7: { name: 'aes-128', keyBytes: 16, blockBytes: 16 },
  8: { name: 'aes-192', keyBytes: 24, blockBytes: 16 },
  9: { name: 'aes-256', keyBytes: 32, blockBytes: 16 },
};
const OTHERS: Readonly<Partial<Record<number, string>>> = {
  1: 'IDEA',
  3: 'CAST5',
  4: 'Blowfish',
  10: 'Twofish',
};

export const AES_256 = 9;

/** @throws {CryptoError} `unsupported`. */
export function symmetricCipher(algorithm: number): SymmetricCipher {
  const cipher = CIPHERS[algorithm];
  if (cipher) return cipher;
  throw unsupportedCipher(OTHERS[algorithm] ?? `number ${algorithm}`);
}

export function unsupportedCipher(name: string): CryptoError {
  return new CryptoError(
    'unsupported',
    `the content is encrypted with the cipher ${name}, which cannot be read here: decrypt it with \`gpg --decrypt\``,
  );
}

/** Decrypts whole blocks and, last, what is left, with an initialisation vector of zeros. */
export function cfbDecryption({ name, blockBytes }: SymmetricCipher, key: Uint8Array): Transform {
  if (name.startsWith('aes-')) return aesCfbDecryption(key);
  const decipher = createDecipheriv(`${name}-cfb`, key, Buffer.alloc(blockBytes));
  return (input, target) => void decipher.update(input).copy(target);
}
