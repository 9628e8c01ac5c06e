/** What is backed up in a round, unlike everything else that ever is; and what a stored version holds. */
import { createCipheriv, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openContent } from '../../src/client/content.ts';
import { type Identities, readIdentities } from '../../src/crypto/keys.ts';
import type { VersionMessage } from '../../src/wire/messages.ts';

const MIB = 1024 * 1024;
const AGE_HEAD = 'age-encryption.org/v1\n';
/** Random to every compressor. Content is cut out of it: making fresh bytes would take longer than sending them. */
const pool = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(
  Buffer.alloc(5 * MIB),
);
const words = Buffer.from(
  'the parcel was left with a neighbour, please call before delivery. '.repeat(60_000),
);

/**
 * So many bytes that nobody else backs up: they begin with the name. `head` makes them look like age to a server that stores nothing
 * else.
 */
export function contentOf(name: string, bytes: number, kind: 'text' | 'random', head = false): Buffer {
  const mark = Buffer.from(`${head ? AGE_HEAD : ''}${name}`);
  const seed = Number.parseInt(sha256(mark).slice(0, 8), 16);
  const source = kind === 'text' ? words : pool;
  const length = Math.max(0, bytes - mark.length);
  const start = seed % (source.length - length);
  return Buffer.concat([mark, source.subarray(start, start + length)]);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads versions as somebody who has all the keys. */
export class Reader {
  readonly #identities: Readonly<Record<string, Identities>>;
  /** By SHA-256 of what is stored: a version is opened once. */
  readonly #known = new Map<string, string>();

  static async with(keys: { age: string; openpgp: string; passphrase: string }): Promise<Reader> {
    const { age, openpgp, passphrase } = keys;
    return new Reader({
      age: await readIdentities([readFileSync(age)]),
      openpgp: await readIdentities([readFileSync(openpgp)], { passphrase }),
    });
  }

  private constructor(identities: Readonly<Record<string, Identities>>) {
    this.#identities = identities;
  }

  /** Content that is stored as it is, whatever it looks like. */
  knows(content: string): void {
    this.#known.set(content, content);
  }

  /** SHA-256 of what a version holds; empty if it cannot be read to its end. */
  async content(version: VersionMessage, bytes: Buffer): Promise<string> {
    const known = this.#known.get(version.sha256);
    if (known !== undefined) return known;
    const content = await this.#open(version, bytes).catch(() => '');
    if (content !== '') this.#known.set(version.sha256, content);
    return content;
  }

  async #open({ format, contentEncoding }: VersionMessage, bytes: Buffer): Promise<string> {
    const identities = this.#identities[format];
    const { content } = await openContent(pieces(bytes), {
      identities,
      noEncryption: identities === undefined,
      decompression: 'auto',
      contentEncoding,
    });
    const hash = createHash('sha256');
    for await (const piece of content) hash.update(piece);
    return hash.digest('hex');
  }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
