import type { Key } from 'openpgp';

/**
 * Whether a user means this key: an e-mail address, with or without `<>`; a whole user id; a key id, short or long, or a
 * fingerprint, of the key or one of its subkeys, with or without `0x` and spaces.
 */
export function selects(wanted: string, key: Key): boolean {
  const text = wanted.trim();
  const hex = text.replace(/^0x/i, '').replace(/\s/g, '').toLowerCase();
  if (/^([0-9a-f]{8}|[0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64})$/.test(hex)) {
    return key.getKeys().some((part) => {
      const id = part.getKeyID().toHex();
      return [id.slice(-8), id, part.getFingerprint()].includes(hex);
    });
  }
  const address = text.replace(/^<(.*)>$/, '$1').toLowerCase();
  return key.users.some(
    ({ userID }) =>
      userID !== null &&
      (userID.userID === text || (address.includes('@') && userID.email.toLowerCase() === address)),
  );
}
