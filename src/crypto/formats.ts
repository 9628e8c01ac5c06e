/**
 * Recognises what content is by its first bytes, and whether armoured text is complete by its last.
 *
 * On the server this is a guard against mistakes (a dump that was never encrypted), not against people: it cannot read
 * what it stores.
 */

/** Each of the encrypted formats, as `src/wire/headers.ts` names them too. */
export type EncryptedFormat = 'openpgp' | 'openpgp-armor' | 'age' | 'age-armor';

/** As many first bytes as a decision may need. */
export const HEAD_BYTES = 4096;
/** As many last bytes as are searched for a footer. */
export const TAIL_BYTES = 256;

const AGE = 'age-encryption.org/v1\n';
const ARMOURS: Readonly<Partial<Record<string, { header: string; footer: string }>>> = {
  'openpgp-armor': { header: '-----BEGIN PGP MESSAGE', footer: '-----END PGP MESSAGE-----' },
  'age-armor': { header: '-----BEGIN AGE ENCRYPTED FILE-----', footer: '-----END AGE ENCRYPTED FILE-----' },
};

/** OpenPGP packets (RFC 4880, RFC 9580) that lead to encrypted data, and those that hold it. */
const LEADING = { publicKeySession: 1, symmetricKeySession: 3, marker: 10, padding: 21 };
const ENCRYPTED_DATA = [9, 18, 20];
const SESSION_VERSIONS: Readonly<Record<number, readonly number[]>> = {
  [LEADING.publicKeySession]: [2, 3, 6],
  [LEADING.symmetricKeySession]: [4, 5, 6],
};

/** What the bytes begin with; undefined if it is nothing encrypted that we know. */
export function recognise(head: Buffer): EncryptedFormat | undefined {
  if (head.subarray(0, AGE.length).toString('latin1') === AGE) return 'age';
  const text = head.toString('latin1');
  for (const format of ['openpgp-armor', 'age-armor'] as const) {
    const at = text.indexOf(ARMOURS[format]?.header ?? '');
    if (at < 0) continue;
    // Text may stand in front of OpenPGP's armour, as RFC 4880 has it, but the header begins a line. age takes only space.
    const before = text.slice(0, at);
    if (before.trim() === '' || (format === 'openpgp-armor' && before.endsWith('\n'))) return format;
  }
  return isOpenPgp(head) ? 'openpgp' : undefined;
}

/** Whether content of the format ends as it must, given its last bytes. Only armour has an end to look for. */
export function endsWell(format: string, tail: Buffer): boolean {
  const footer = ARMOURS[format]?.footer;
  return footer === undefined || tail.toString('latin1').trimEnd().endsWith(footer);
}

/** Walks packets as far as the bytes go: only session keys, then encrypted data. */
function isOpenPgp(head: Buffer): boolean {
  let at = 0;
  let sessions = 0;
  while (at < head.length) {
    const packet = readPacket(head, at);
    if (!packet) return false;
    if (ENCRYPTED_DATA.includes(packet.tag)) return true;
    const { body, tag, length } = packet;
    const versions = SESSION_VERSIONS[tag];
    if (versions) {
      const version = head[body];
      if (version === undefined) return sessions > 0;
      if (!versions.includes(version)) return false;
      sessions++;
    } else if (tag !== LEADING.marker && tag !== LEADING.padding) {
      return false;
    }
    if (length === undefined) return false;
    at = body + length;
  }
  return sessions > 0;
}

/** Tag, offset of the body and its length, undefined if indeterminate; undefined if there is no packet here. */
function readPacket(
  bytes: Buffer,
  at: number,
): { tag: number; body: number; length: number | undefined } | undefined {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) return undefined;
  const second = bytes[at + 1] ?? 0;
  if ((first & 0x40) === 0) {
    const tag = (first >> 2) & 0x0f;
    const octets = [1, 2, 4, 0][first & 3] ?? 0;
    if (octets === 0) return { tag, body: at + 1, length: undefined };
    const end = at + 1 + octets;
    return { tag, body: end, length: end <= bytes.length ? bytes.readUIntBE(at + 1, octets) : 0 };
  }
  const tag = first & 0x3f;
  if (second < 192) return { tag, body: at + 2, length: second };
  if (second < 224) return { tag, body: at + 3, length: ((second - 192) << 8) + (bytes[at + 2] ?? 0) + 192 };
  if (second === 255) {
    return { tag, body: at + 6, length: at + 6 <= bytes.length ? bytes.readUInt32BE(at + 2) : 0 };
  }
  return { tag, body: at + 2, length: undefined };
}
