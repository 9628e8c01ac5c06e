import type { AgeRecipients } from './keys.ts';
export async function* encryptAge(
  _source: AsyncIterable<Buffer>,
  _recipients: AgeRecipients,
): AsyncGenerator<Buffer> {
  yield Buffer.of();
  throw new Error('to come');
}
