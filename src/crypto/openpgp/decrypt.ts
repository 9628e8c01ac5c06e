/** OpenPGP decryption as a stream. */
import { CryptoError } from '../failure.ts';
import { openGnuAead, openSeipd2 } from './aead.ts';
import { dearmor } from './armor.ts';
import { type Bytes, exactly, fill, SourceBytes } from './bytes.ts';
import { openContent } from './content.ts';
import { damaged } from './damaged.ts';
import type { OpenPgpIdentities } from './keys.ts';
import { MdcBytes } from './mdc.ts';
import { type Packet, PacketReader, TAG } from './packets.ts';
import { openSessionKey } from './session-keys.ts';

/** The largest known session key packet, for a post-quantum key, has less than 2 KiB. */
const MAX_SESSION_BYTES = 8 * 1024;
/** gpg itself would take minutes for more. */
const MAX_SESSIONS = 1024;
const MAX_SKIPPED = 64;

/**
 * The content of a message, armoured or binary, encrypted to one of the keys. Signatures are passed over.
 *
 * Ends without an error only after the last byte was read and the whole was authentic. Trailing data is damage.
 *
 * @throws {CryptoError} `wrong-key`, `damaged` or `unsupported`; whatever the source throws.
 */
export async function* decryptOpenPgp(
  source: AsyncIterable<Buffer>,
  identities: OpenPgpIdentities,
): AsyncGenerator<Buffer> {
  const bytes = new SourceBytes(source);
  try {
    const first = (await bytes.peek()) ?? 0;
    const packets = new PacketReader((first & 0x80) !== 0 ? bytes : new SourceBytes(dearmor(bytes)));
    yield* openContent(await openData(packets, identities));
    if (await packets.next()) throw damaged();
  } finally {
    await bytes.close();
  }
}

/** The session keys, then the encrypted data. */
async function openData(packets: PacketReader, identities: OpenPgpIdentities): Promise<Bytes> {
  const sessions: Buffer[] = [];
  let passphrase = false;
  let skipped = 0;
  for (;;) {
    const packet = await packets.next();
    if (!packet) throw damaged();
    if (packet.tag === TAG.publicKeySession) {
      sessions.push(await sessionBody(packet));
      if (sessions.length > MAX_SESSIONS) throw damaged();
    } else if (
      packet.tag === TAG.symmetricKeySession ||
      packet.tag === TAG.marker ||
      packet.tag === TAG.padding
    ) {
      passphrase ||= packet.tag === TAG.symmetricKeySession;
      if (++skipped > MAX_SKIPPED) throw damaged();
    } else if (sessions.length === 0 && passphrase) {
      throw new CryptoError('wrong-key', 'the content is encrypted with a passphrase, not to a key');
    } else if (sessions.length === 0) {
      throw damaged();
    } else {
      return openPacket(packet, sessions, identities);
    }
  }
}

async function sessionBody({ body }: Packet): Promise<Buffer> {
  const memory = Buffer.alloc(MAX_SESSION_BYTES);
  const length = await fill(body, memory);
  if (length === memory.length) throw damaged();
  return Buffer.from(memory.subarray(0, length));
}

async function openPacket(
  { tag, body }: Packet,
  sessions: readonly Buffer[],
  identities: OpenPgpIdentities,
): Promise<Bytes> {
  if (tag === TAG.unprotected) {
    throw new CryptoError(
      'unsupported',
      'the content is encrypted without protection against changes, as only very old programs do it: if you are sure that it is yours, decrypt it with `gpg --ignore-mdc-error --decrypt`',
    );
  }
  if (tag !== TAG.protected && tag !== TAG.gnuAead) throw damaged();
  const [version] = await exactly(body, 1);
  if (version !== 1 && !(tag === TAG.protected && version === 2)) throw damaged();
  const { algorithm, key } = await openSessionKey(sessions, identities);
  if (tag === TAG.gnuAead) return openGnuAead(body, key);
  if (version === 2) return openSeipd2(body, key);
  if (algorithm === undefined) throw damaged();
  return new MdcBytes(body, algorithm, key);
}
