/** Encryption to age recipients (https://c2sp.org/age), binary. */
import { randomBytes } from 'node:crypto';
import { createFileKey } from './filekey.ts';
import type { AgeRecipients } from './keys.ts';
import { PAYLOAD_NONCE_BYTES, PayloadSealer } from './payload.ts';

/**
 * What `age -r` would write. Holds some 1 MiB at most, whatever the size; pieces of the source must not be written to
 * after they were given. Nothing comes out before the first piece came in. If the source fails, so does this, with the same error;
 * once begun, it closes the source when it is itself closed.
 *
 * @throws {CryptoError} `bad-key` while it is iterated, if a recipient cannot be used.
 */
export async function* encryptAge(
  source: AsyncIterable<Buffer>,
  recipients: AgeRecipients,
): AsyncGenerator<Buffer> {
  let file: { head: Buffer; payload: PayloadSealer } | undefined;
  // Inside the loop, as whatever happens there closes the source.
  for await (const piece of source) {
    if (!file) {
      file = await begin(recipients);
      yield file.head;
    }
    yield* file.payload.push(piece);
  }
  if (!file) {
    file = await begin(recipients);
    yield file.head;
  }
  yield file.payload.end();
}

async function begin(recipients: AgeRecipients): Promise<{ head: Buffer; payload: PayloadSealer }> {
  const { header, fileKey } = await createFileKey(recipients);
  const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
  return { head: Buffer.concat([header, nonce]), payload: new PayloadSealer(fileKey, nonce) };
}
