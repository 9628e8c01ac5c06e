import type { OpenPgpIdentities } from './keys.ts';
export async function* decryptOpenPgp(
  _source: AsyncIterable<Buffer>,
  _identities: OpenPgpIdentities,
): AsyncGenerator<Buffer> {
  yield Buffer.of();
  throw new Error('to come');
}
