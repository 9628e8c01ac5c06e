const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * A short name for a text: 10 characters out of an alphabet without vowels, as Kubernetes uses for its own
 * suffixes. Equal texts have equal digests on every machine. Not cryptographic: it tells versions of one user's
 * object apart, where 53 bits are plenty, and spares the start-up cost of loading node:crypto.
 *
 * The hash is cyrb53: two 32-bit multiplicative hashes with different primes, mixed at the end.
 */
export function digest(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  let rest = 4294967296 * (2097151 & b) + (a >>> 0);
  let name = '';
  for (let length = 0; length < 10; length++) {
    name += ALPHABET[rest % ALPHABET.length];
    rest = Math.floor(rest / ALPHABET.length);
  }
  return name;
}
