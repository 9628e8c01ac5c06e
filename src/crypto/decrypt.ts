/** Decryption as a stream. */
import { decryptAge } from './age/decrypt.ts';
import { CryptoError } from './failure.ts';
import type { EncryptedFormat } from './formats.ts';
import type { Identities } from './keys.ts';
import { decryptOpenPgp } from './openpgp/decrypt.ts';

/**
 * The content inside. Bytes come out as they are opened, some of them before the whole is authenticated; it **ends without an error
 * only if everything was authentic and complete**, so whoever acts on the end acts on what was sealed.
 *
 * @throws {CryptoError} while it is iterated: `wrong-key`, `damaged` or `unsupported`.
 */
export function decrypt(
  source: AsyncIterable<Buffer>,
  format: EncryptedFormat,
  identities: Identities,
): AsyncGenerator<Buffer> {
  const age = format.startsWith('age');
  if (age !== (identities.kind === 'age')) {
    throw new CryptoError(
      'wrong-key',
      `the content is encrypted with ${age ? 'age' : 'OpenPGP'}, and the key is one of ${age ? 'OpenPGP' : 'age'}`,
    );
  }
  return identities.kind === 'age' ? decryptAge(source, identities) : decryptOpenPgp(source, identities);
}
