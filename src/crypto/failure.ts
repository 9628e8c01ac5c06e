/** What can go wrong with keys and encrypted content. Callers turn the reason into what their user can do. */
export type CryptoReason =
  /** The key material itself cannot be read, is of the wrong kind (private where public is due), expired or revoked. */
  | 'bad-key'
  /** The private key needs a passphrase, or the one given does not open it. */
  | 'bad-passphrase'
  /** The content is encrypted, but to none of the keys at hand. */
  | 'wrong-key'
  /** The content is not what was sealed: a bit is different, or parts are missing, added or out of order. */
  | 'damaged'
  /** A format, algorithm or option that cannot be read or written here. */
  | 'unsupported';

/** The one error of this room. Its message is a sentence in lower case without full stop, and never holds a secret. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly reason: CryptoReason;

  constructor(reason: CryptoReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
