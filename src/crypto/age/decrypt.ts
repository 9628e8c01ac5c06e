/** Decryption of age files (https://c2sp.org/age), binary or armoured. */
import { removeArmor } from './armor.ts';
import { openFileKey } from './filekey.ts';
import { HeaderReader } from './header.ts';
import type { AgeIdentities } from './keys.ts';
import { PayloadOpener } from './payload.ts';

/**
 * The plaintext, of which each part is authentic when it comes out; **ends without an error only if the final part was there too and
 * nothing followed it**. Holds the header, or one chunk of 64 KiB and what the source gives. Pieces of the source must not be
 * written to after they were given. If the source fails, so does this, with the same error; once begun, it closes the source when it
 * is itself closed.
 *
 * @throws {CryptoError} `wrong-key`, `damaged` or `unsupported`, while it is iterated.
 */
export async function* decryptAge(
  source: AsyncIterable<Buffer>,
  identities: AgeIdentities,
): AsyncGenerator<Buffer> {
  const head = new HeaderReader();
  let payload: PayloadOpener | undefined;
  for await (const piece of removeArmor(source)) {
    if (payload) {
      yield* payload.push(piece);
      continue;
    }
    const framed = head.push(piece);
    if (!framed) continue;
    payload = new PayloadOpener(await openFileKey(framed.header, identities), framed.nonce);
    yield* payload.push(framed.rest);
  }
  if (!payload) throw head.incomplete();
  yield* payload.end();
}
