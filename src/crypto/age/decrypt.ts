import type { AgeIdentities } from './keys.ts';
export async function* decryptAge(
  _source: AsyncIterable<Buffer>,
  _identities: AgeIdentities,
): AsyncGenerator<Buffer> {
  yield Buffer.of();
  throw new Error('to come');
}
