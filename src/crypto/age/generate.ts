/** New age keys. */
import { generateHybridIdentity, generateX25519Identity } from 'age-encryption';
import { identityToRecipient } from './keys.ts';

export interface AgeKeyOptions {
  /** The hybrid of ML-KEM-768 and X25519, which needs age 1.3 or newer everywhere; otherwise X25519. */
  postQuantum?: boolean;
  /** For the comment in the file. */
  created: Date;
}

export interface AgeKey {
  /** The private key. */
  identity: string;
  /** The public key. */
  recipient: string;
  /** Both, as `age-keygen` writes them. Secret. */
  file: string;
}

/** A new pair of keys out of the random numbers of the operating system. */
export async function generateAgeKey({ postQuantum = false, created }: AgeKeyOptions): Promise<AgeKey> {
  const identity = await (postQuantum ? generateHybridIdentity() : generateX25519Identity());
  const recipient = await identityToRecipient(identity);
  const date = created.toISOString().replace(/\.\d+Z$/, 'Z');
  return { identity, recipient, file: `# created: ${date}\n# public key: ${recipient}\n${identity}\n` };
}
