/** Encryption to age recipients (https://c2sp.org/age), binary. */
import { randomBytes } from 'node:crypto';
import { createFileKey } from './filekey.ts';
import type { AgeRecipients } from './keys.ts';
import { PAYLOAD_NONCE_BYTES, PayloadSealer } from './payload.ts';

/**
 * What `age -r` would write. Holds some 1 MiB at most, whatever the size; a piece of the source may be written to again when the
 * next is asked for, and with `lend` so is what comes out. Nothing comes out before the first piece came in. If the source fails, so does this, with the same error;
 * once begun, it closes the source when it is itself closed.
 *
 * @throws {CryptoError} `bad-key` while it is iterated, if a recipient cannot be used.
 */
export async function* encryptAge(
  source: AsyncIterable<Buffer>,
  recipients: AgeRecipients,
  { lend = false }: { lend?: boolean } = {},
): AsyncGenerator<Buffer> {
  let file: { head: Buffer; payload: PayloadSealer } | undefined;
  // Inside the loop, as whatever happens there closes the source.
  for await (const piece of source) {
    if (!file) {
      file = await begin(recipients, lend);
      yield file.head;
    }
    yield* file.payload.push(piece);
  }
  if (!file) {
    file = await begin(recipients, lend);
    yield file.head;
  }
  yield file.payload.end();
}

async function begin(
  recipients: AgeRecipients,
  lend: boolean,
): Promise<{ head: Buffer; payload: PayloadSealer }> {
  const { header, fileKey } = await createFileKey(recipients);
  const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
  return { head: Buffer.concat([header, nonce]), payload: new PayloadSealer(fileKey, nonce, lend) };
}
