/** What the tests of OpenPGP share: stock gpg's keys and messages, streams in and out, and messages made by hand. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { CryptoError, type CryptoReason } from '../../../src/crypto/failure.ts';
import { decryptOpenPgp } from '../../../src/crypto/openpgp/decrypt.ts';
import { encryptOpenPgp } from '../../../src/crypto/openpgp/encrypt.ts';
import {
  type OpenPgpIdentities,
  type OpenPgpRecipients,
  readOpenPgpIdentities,
  readOpenPgpRecipients,
} from '../../../src/crypto/openpgp/keys.ts';
import { writeLength } from '../../../src/crypto/openpgp/packets.ts';
import { sealSessionKey } from '../../../src/crypto/openpgp/session-keys.ts';

const folder = join(import.meta.dirname, '../../../fixtures/crypto/openpgp');

export function fixture(name: string): Buffer {
  return readFileSync(join(folder, name));
}

export function recipients(...names: string[]): Promise<OpenPgpRecipients> {
  return readOpenPgpRecipients(
    names.map((name) => fixture(`${name}.pub.asc`)),
    [],
  );
}

export function identities(...names: string[]): Promise<OpenPgpIdentities> {
  return readOpenPgpIdentities(
    names.map((name) => fixture(`${name}.sec.asc`)),
    'correct horse',
  );
}

/** The dump that `make.sh` encrypted. */
export function dump(): Buffer {
  const line = (n: number) =>
    `INSERT INTO measurements VALUES (${n}, ${(n * 7919) % 104729}, '${(n * n) % 99991}');\n`;
  return Buffer.from(Array.from({ length: 3000 }, (_, i) => line(i + 1)).join(''));
}

export async function* chunks(bytes: Buffer, size = 65536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of stream) all.push(chunk);
  return Buffer.concat(all);
}

export function seal(content: Buffer, to: OpenPgpRecipients, options = {}, size?: number): Promise<Buffer> {
  return collect(encryptOpenPgp(chunks(content, size), to, options));
}

export function open(message: Buffer, by: OpenPgpIdentities, size?: number): Promise<Buffer> {
  return collect(decryptOpenPgp(chunks(message, size), by));
}

export async function fails(
  work: Promise<unknown>,
  reason: CryptoReason,
  message = /./,
): Promise<CryptoError> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    assert.is(error.reason, reason, error.message);
    assert.match(error.message, message);
    return error;
  }
  assert.unreachable(`nothing failed, ${reason} was expected`);
  throw new Error();
}

/** A packet with a definite length. */
export function packet(tag: number, ...body: Buffer[]): Buffer {
  const bytes = Buffer.concat(body);
  return Buffer.concat([Buffer.of(0xc0 | tag), writeLength(bytes.length), bytes]);
}

export function literal(content: string): Buffer {
  return packet(11, Buffer.from('b\0\0\0\0\0'), Buffer.from(content));
}

/** A whole message around these packets, by OpenSSL's own cipher feedback. */
export async function sealPackets(plain: Buffer, to: OpenPgpRecipients, mdc = true): Promise<Buffer> {
  const key = randomBytes(32);
  const prefix = randomBytes(16);
  const begun = Buffer.concat([prefix, prefix.subarray(14), plain, ...(mdc ? [Buffer.of(0xd3, 20)] : [])]);
  const hash = createHash('sha1').update(begun).digest();
  const cipher = createCipheriv('aes-256-cfb', key, Buffer.alloc(16));
  return Buffer.concat([
    await sealSessionKey(to, key, new Date()),
    packet(18, Buffer.of(1), cipher.update(begun), cipher.update(hash)),
  ]);
}

/**
 * Opens the message with some bits of one byte changed, which must fail with one of our errors. Only in the first packet, the session
 * key, there are a few bits that say nothing (the number of bits of a number); with those, the content must be what it was.
 */
export async function whatComesOf(
  message: Buffer,
  at: number,
  bits: number,
  by: OpenPgpIdentities,
  content: Buffer,
): Promise<CryptoError | undefined> {
  const changed = Buffer.from(message);
  changed[at] = (changed[at] ?? 0) ^ bits;
  const result = await open(changed, by).catch((error) => error);
  if (result instanceof CryptoError) return result;
  if (!Buffer.isBuffer(result)) throw result;
  assert.ok(at < 2 + (message[1] ?? 0), `byte ${at} ^ ${bits} makes no difference`);
  assert.equal(result, content);
  return undefined;
}
