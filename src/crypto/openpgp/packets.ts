/** Packets of OpenPGP (RFC 9580, section 4): a tag, and a body whose length is known, comes in parts, or is everything that follows. */
import { type Bytes, drain, exactly } from './bytes.ts';
import { damaged } from './damaged.ts';

export const TAG = {
  publicKeySession: 1,
  signature: 2,
  symmetricKeySession: 3,
  onePassSignature: 4,
  compressed: 8,
  unprotected: 9,
  marker: 10,
  literal: 11,
  protected: 18,
  gnuAead: 20,
  padding: 21,
} as const;

/** Only these hold data that may be longer than its writer knew. */
const OPEN_ENDED: readonly number[] = [
  TAG.compressed,
  TAG.unprotected,
  TAG.literal,
  TAG.protected,
  TAG.gnuAead,
];

export interface Packet {
  tag: number;
  body: Bytes;
}

/**
 * Reads one packet after the other. What is left of a packet's body is skipped when the next one is asked for.
 *
 * @throws {CryptoError} `damaged` if there is no packet, or it ends before its length says so.
 */
export class PacketReader {
  readonly #bytes: Bytes;
  #body: PacketBody | undefined;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** The next packet; undefined at the end. */
  async next(): Promise<Packet | undefined> {
    if (this.#body) await drain(this.#body);
    const header = Buffer.alloc(1);
    if ((await this.#bytes.read(header)) === 0) return undefined;
    const first = header[0] ?? 0;
    if ((first & 0x80) === 0) throw damaged();
    const isNew = (first & 0x40) !== 0;
    const tag = isNew ? first & 0x3f : (first >> 2) & 0x0f;
    const length = isNew ? await newLength(this.#bytes) : await oldLength(this.#bytes, first & 3);
    if (length.kind !== 'last' && !OPEN_ENDED.includes(tag)) throw damaged();
    this.#body = new PacketBody(this.#bytes, length);
    return { tag, body: this.#body };
  }
}

/** `last`: these are the last bytes of the body. `partial`: another length follows. `endless`: up to the end of everything. */
interface Length {
  kind: 'last' | 'partial' | 'endless';
  octets: number;
}

class PacketBody implements Bytes {
  readonly #bytes: Bytes;
  #length: Length;

  constructor(bytes: Bytes, length: Length) {
    this.#bytes = bytes;
    this.#length = length;
  }

  async read(target: Buffer): Promise<number> {
    while (this.#length.octets === 0) {
      if (this.#length.kind === 'last') return 0;
      this.#length = await newLength(this.#bytes);
    }
    const { octets, kind } = this.#length;
    const read = await this.#bytes.read(target.length > octets ? target.subarray(0, octets) : target);
    if (read === 0 && kind !== 'endless') throw damaged();
    this.#length.octets -= read;
    return read;
  }
}

async function newLength(bytes: Bytes): Promise<Length> {
  const first = (await exactly(bytes, 1))[0] ?? 0;
  if (first < 192) return { kind: 'last', octets: first };
  if (first < 224) {
    const second = (await exactly(bytes, 1))[0] ?? 0;
    return { kind: 'last', octets: ((first - 192) << 8) + second + 192 };
  }
  if (first === 255) return { kind: 'last', octets: (await exactly(bytes, 4)).readUInt32BE() };
  return { kind: 'partial', octets: 2 ** (first & 0x1f) };
}

async function oldLength(bytes: Bytes, type: number): Promise<Length> {
  if (type === 3) return { kind: 'endless', octets: Number.POSITIVE_INFINITY };
  const octets = 1 << type;
  return { kind: 'last', octets: (await exactly(bytes, octets)).readUIntBE(0, octets) };
}

/** A length in the fewest octets, as it stands in front of the last part of a body. */
export function writeLength(octets: number): Buffer {
  if (octets < 192) return Buffer.of(octets);
  if (octets < 8384) return Buffer.of(((octets - 192) >> 8) + 192, (octets - 192) & 0xff);
  const length = Buffer.alloc(5, 255);
  length.writeUInt32BE(octets, 1);
  return length;
}

/** The length octet in front of a part of 2 to this power, 30 at most. */
export function partialLength(power: number): number {
  return 224 + power;
}
