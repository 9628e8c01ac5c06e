const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/**
 * Whether the last six characters of a Bech32 text (BIP 173, as age writes its keys) fit the others: a typing mistake
 * of up to four characters never does. The length is not limited, as age has it.
 */
export function hasBech32Checksum(text: string): boolean {
  const separator = text.lastIndexOf('1');
  const prefix = text.slice(0, separator);
  const data = Array.from(text.slice(separator + 1), (char) => ALPHABET.indexOf(char));
  if (separator < 1 || data.length < 6 || data.includes(-1)) return false;
  const codes = Array.from(prefix, (char) => char.charCodeAt(0));
  return polymod([...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...data]) === 1;
}

function polymod(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, factor] of GENERATOR.entries()) if ((top >> bit) & 1) sum ^= factor;
  }
  return sum;
}
