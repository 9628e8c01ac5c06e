/** Bytes as a stream and back. */
import { decryptAge } from '../../../src/crypto/age/decrypt.ts';
import { encryptAge } from '../../../src/crypto/age/encrypt.ts';
import { generateAgeKey } from '../../../src/crypto/age/generate.ts';
import { readAgeIdentities, readAgeRecipients } from '../../../src/crypto/age/keys.ts';

/** One pair for all tests: which one it is never matters. */
export const key = await generateAgeKey({ created: new Date(0) });
export const recipients = readAgeRecipients([key.recipient]);
export const identities = readAgeIdentities([key.file]);

/** The bytes in pieces of these sizes, over and over. */
export async function* pieces(bytes: Buffer, ...sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await parts(stream));
}

/** What comes out, buffer by buffer. */
export async function parts(stream: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const part of stream) all.push(part);
  return all;
}

export function encrypted(plain: Buffer): Promise<Buffer> {
  return collect(encryptAge(pieces(plain), recipients));
}

/** What came out, and the error that ended it, if any. */
export async function outcome(
  stream: AsyncIterable<Buffer>,
): Promise<{ released: Buffer; error: (Error & { reason?: string }) | undefined }> {
  const released: Buffer[] = [];
  try {
    for await (const part of stream) released.push(part);
    return { released: Buffer.concat(released), error: undefined };
  } catch (error) {
    return { released: Buffer.concat(released), error: error as Error };
  }
}

export function decryption(sealed: Buffer, ...sizes: readonly number[]) {
  return outcome(decryptAge(pieces(sealed, ...sizes), identities));
}

/** As `age -a` writes it. */
export function armored(bytes: Buffer, lineEnd = '\n'): Buffer {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return Buffer.from(
    ['-----BEGIN AGE ENCRYPTED FILE-----', ...lines, '-----END AGE ENCRYPTED FILE-----', ''].join(lineEnd),
  );
}
