/** Encryption as a stream: whatever the size, memory stays the same. */
import { encryptAge } from './age/encrypt.ts';
import type { Recipients } from './keys.ts';
import { encryptOpenPgp } from './openpgp/encrypt.ts';

export interface EncryptOptions {
  /** ASCII armour, a third larger: for the original's server, which accepts nothing else. OpenPGP only. */
  armor?: boolean;
  /** A piece that comes out may be written to again when the next is asked for: saves memory, and the time to get it. */
  lend?: boolean;
}

/**
 * The content, encrypted to all recipients: each of them alone can open it. Ends only after the source has ended; if the source
 * fails, so does this, and what came out until then cannot be opened as if it were whole. A piece of the source may be written to
 * again when the next is asked for.
 */
export function encrypt(
  source: AsyncIterable<Buffer>,
  recipients: Recipients,
  options: EncryptOptions = {},
): AsyncGenerator<Buffer> {
  return recipients.kind === 'age'
    ? encryptAge(source, recipients, options)
    : encryptOpenPgp(source, recipients, options);
}
