import { CryptoError } from '../failure.ts';

/**
 * The one answer to every structure or check that fails. It says nothing of where: whoever may send messages and watch the
 * answers could otherwise learn about the content.
 */
export function damaged(): CryptoError {
  return new CryptoError(
    'damaged',
    'the encrypted content is damaged or incomplete: it is not what was encrypted',
  );
}
