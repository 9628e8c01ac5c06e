/** The key of one file: wrapped into a header for all recipients, and unwrapped with an identity. */
import { Decrypter, Encrypter, type Stanza } from 'age-encryption';
import { CryptoError } from '../failure.ts';
import { HeaderReader } from './header.ts';
import type { AgeIdentities, AgeRecipients } from './keys.ts';

/** Types of stanzas that the identities here may open. */
const OWN_STANZAS = ['X25519', 'mlkem768x25519'];
const PASSPHRASE_STANZA = 'scrypt';

/** A new file key and the header that holds it. @throws {CryptoError} `bad-key` or `unsupported`. */
export async function createFileKey({
  values,
}: AgeRecipients): Promise<{ header: Buffer; fileKey: Uint8Array }> {
  let fileKey: Uint8Array | undefined;
  const encrypter = new Encrypter();
  for (const recipient of values) encrypter.addRecipient(recipient);
  // The package makes the file key itself, and shows it only to recipients: this one keeps it and adds nothing to the header.
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  let empty: Buffer;
  try {
    // As a stream: for anything else the package has Node.js load all of what fetch() needs, a fifth of the time of starting.
    empty = await whole(await encrypter.encrypt(nothing()));
  } catch (cause) {
    throw new CryptoError('bad-key', 'one of the age public keys is not one that can be encrypted to', {
      cause,
    });
  }
  const framed = new HeaderReader().push(empty);
  if (!framed || !fileKey) throw new Error('the package age-encryption did not make a header');
  return { header: framed.header, fileKey };
}

function nothing(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

async function whole(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/**
 * The file key out of a header, which it authenticates.
 *
 * @throws {CryptoError} `wrong-key`, `damaged`, or `unsupported` if it was sealed with a passphrase.
 */
export async function openFileKey(header: Buffer, { values }: AgeIdentities): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  let types: readonly (string | undefined)[] = [];
  // Identities are asked in turn until one knows the file key. The first one here only looks.
  decrypter.addIdentity({
    unwrapFileKey: (stanzas: Stanza[]) => {
      types = stanzas.map(({ args }) => args[0]);
      if (types.includes(PASSPHRASE_STANZA) && types.length > 1)
        throw new Error('a passphrase is not the only recipient');
      return null;
    },
  });
  for (const identity of values) decrypter.addIdentity(identity);
  // The last one is asked if no other could.
  decrypter.addIdentity({
    unwrapFileKey: () => {
      throw noMatch(types);
    },
  });
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    // Not passed on as the cause: the package may quote the header, which somebody else wrote and which may be long.
    const changed = error instanceof Error && error.message.includes('HMAC');
    throw new CryptoError(
      'damaged',
      changed ? 'the age header was changed: its HMAC does not match' : 'the age header cannot be read',
    );
  }
}

function noMatch(types: readonly (string | undefined)[]): CryptoError {
  if (types.includes(PASSPHRASE_STANZA)) {
    return new CryptoError(
      'unsupported',
      'the content is encrypted with a passphrase instead of keys: open it with `age -d`',
    );
  }
  const own = types.filter((type) => type && OWN_STANZAS.includes(type)).length;
  const others = types.length - own;
  const kinds = [
    ...(own > 0 ? [`${own} other age ${own === 1 ? 'key' : 'keys'}`] : []),
    ...(others > 0 ? [`${others} of kinds that are unknown here, as those of SSH and plugins`] : []),
  ];
  return new CryptoError(
    'wrong-key',
    `the content is encrypted to none of the keys at hand, but to ${kinds.join(' and ')}`,
  );
}
