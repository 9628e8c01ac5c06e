/** The key of one message, encrypted to public keys (RFC 9580, section 5.1), by the `openpgp` package. */
import { CryptoError } from '../failure.ts';
import { unsupportedCipher } from './ciphers.ts';
import { damaged } from './damaged.ts';
import type { OpenPgpIdentities, OpenPgpRecipients } from './keys.ts';
import { newSessionKeyPacket, openPgpPackage, packageConfig, type SessionKeyPacket } from './package.ts';
import { encryptionKeyId } from './usable.ts';

export interface SessionKey {
  /** Undefined if the encrypted data says it by itself. */
  algorithm: number | undefined;
  key: Uint8Array;
}

/**
 * One packet for each recipient, of version 3, which every gpg reads.
 *
 * @throws {CryptoError} `bad-key` if a key cannot encrypt any more.
 */
export async function sealSessionKey(
  { keys }: OpenPgpRecipients,
  sessionKey: Uint8Array,
  date: Date,
): Promise<Buffer> {
  const { encryptSessionKey } = await openPgpPackage();
  const ids = await Promise.all(keys.map((key) => encryptionKeyId(key, date)));
  const packets = await encryptSessionKey({
    data: sessionKey,
    algorithm: 'aes256',
    encryptionKeys: [...keys],
    encryptionKeyIDs: ids,
    format: 'binary',
    date,
    config: await packageConfig(),
  });
  return Buffer.from(packets.buffer, packets.byteOffset, packets.byteLength);
}

const NOBODY = '0000000000000000';

/**
 * The session key that one of the identities opens.
 *
 * @param bodies of the packets in front of the data.
 * @throws {CryptoError} `wrong-key` if none is for an identity, `damaged` if one is and does not open.
 */
export async function openSessionKey(
  bodies: readonly Buffer[],
  { packets, names }: OpenPgpIdentities,
): Promise<SessionKey> {
  const sealed = (await Promise.all(bodies.map(parse))).filter((packet) => packet !== undefined);
  let mine = false;
  // Those that name a key first: for hidden recipients, every key must be tried.
  for (const hidden of [false, true]) {
    for (const packet of sealed) {
      const id = packet.publicKeyID.toHex();
      if ((id === NOBODY) !== hidden) continue;
      for (const identity of packets) {
        if (identity.algorithm !== packet.publicKeyAlgorithm) continue;
        if (!hidden && identity.getKeyID().toHex() !== id) continue;
        mine ||= !hidden;
        try {
          await packet.decrypt(identity);
        } catch (error) {
          // Padding and checksum were right, and the package does not know the cipher.
          if (error instanceof Error && /enum/.test(error.message)) throw unsupportedCipher('Camellia');
          continue;
        }
        if (packet.sessionKey) return found(packet, packet.sessionKey);
      }
    }
  }
  if (mine) throw damaged();
  throw new CryptoError(
    'wrong-key',
    `the content is encrypted to ${recipientsOf(sealed)}, and the private key at hand is ${names.join(', ')}`,
  );
}

function found({ sessionKeyAlgorithm }: SessionKeyPacket, key: Uint8Array): SessionKey {
  return { algorithm: sessionKeyAlgorithm ?? undefined, key };
}

async function parse(body: Buffer): Promise<SessionKeyPacket | undefined> {
  const packet = await newSessionKeyPacket();
  try {
    packet.read(body);
    return packet;
  } catch {
    // Of a version or for an algorithm that is not known: another one may be for us.
    return undefined;
  }
}

function recipientsOf(sealed: readonly SessionKeyPacket[]): string {
  if (sealed.length === 0) return 'keys of an unknown kind';
  const ids = sealed.map(({ publicKeyID }) => publicKeyID.toHex());
  const shown = ids
    .slice(0, 5)
    .map((id) => (id === NOBODY ? 'a hidden recipient' : `key ${id.toUpperCase()}`));
  return shown.join(', ') + (ids.length > shown.length ? ` and ${ids.length - shown.length} more` : '');
}
