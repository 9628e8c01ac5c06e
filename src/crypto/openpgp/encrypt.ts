import type { OpenPgpRecipients } from './keys.ts';
export async function* encryptOpenPgp(
  _source: AsyncIterable<Buffer>,
  _recipients: OpenPgpRecipients,
  _options: { armor?: boolean },
): AsyncGenerator<Buffer> {
  yield Buffer.of();
  throw new Error('to come');
}
