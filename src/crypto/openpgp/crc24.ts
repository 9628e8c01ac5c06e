/** The checksum of armour (RFC 9580, section 6.1.1). */

const INITIAL = 0xb704ce;
const POLYNOMIAL = 0x864cfb;
/** What a byte does to the checksum that 0 to 7 other bytes follow; shifted up by 8 bits, so that 32-bit words can be taken in. */
const TABLES: readonly Int32Array[] = makeTables();

function makeTables(): Int32Array[] {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  const [first] = tables as [Int32Array];
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? POLYNOMIAL << 8 : 0);
    first[byte] = crc;
  }
  for (let distance = 1; distance < 8; distance++) {
    const table = tables[distance] as Int32Array;
    const nearer = tables[distance - 1] as Int32Array;
    for (let byte = 0; byte < 256; byte++) {
      const crc = nearer[byte] as number;
      table[byte] = (crc << 8) ^ (first[crc >>> 24] as number);
    }
  }
  return tables;
}

export class Crc24 {
  #crc = INITIAL << 8;

  update(bytes: Buffer): void {
    const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const whole = bytes.length - (bytes.length % 8);
    let crc = this.#crc;
    for (let at = 0; at < whole; at += 8) {
      const a = crc ^ view.getInt32(at);
      const b = view.getInt32(at + 4);
      crc =
        (t7[a >>> 24] as number) ^
        (t6[(a >>> 16) & 255] as number) ^
        (t5[(a >>> 8) & 255] as number) ^
        (t4[a & 255] as number) ^
        (t3[b >>> 24] as number) ^
        (t2[(b >>> 16) & 255] as number) ^
        (t1[(b >>> 8) & 255] as number) ^
        (t0[b & 255] as number);
    }
    for (let at = whole; at < bytes.length; at++) {
      crc = (crc << 8) ^ (t0[(crc >>> 24) ^ (bytes[at] as number)] as number);
    }
    this.#crc = crc;
  }

  /** Three bytes in base64: four characters. */
  digest(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(this.#crc);
    return bytes.toString('base64', 0, 3);
  }
}
