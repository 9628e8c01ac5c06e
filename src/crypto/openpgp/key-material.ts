/** Keys as they come out of files: armoured blocks with any text around, or binary. */
import type { Key } from 'openpgp';
import { CryptoError } from '../failure.ts';
import { openPgpPackage, packageConfig } from './package.ts';

const KEY_BEGIN = /-----BEGIN PGP (?:PUBLIC|PRIVATE) KEY BLOCK-----/g;
const BLOCK = /-----BEGIN PGP (PUBLIC|PRIVATE) KEY BLOCK-----.*?-----END PGP \1 KEY BLOCK-----/gs;
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);
const ANY_BLOCK = /-----BEGIN PGP ([A-Z ]+)-----/;

/**
 * All keys, those that occur several times put together into one with everything that any copy says.
 *
 * @throws {CryptoError} `bad-key` if a material holds none, or anything is broken.
 */
export async function parseKeys(materials: readonly Buffer[]): Promise<Key[]> {
  const keys = new Map<string, Key>();
  for (const material of materials) {
    // Several files of which one is empty are no mistake that makes a backup weaker; the caller refuses if all are.
    if (material.length === 0) continue;
    for (const part of partsOf(material)) {
      let found: Key[];
      try {
        found = await read(part);
      } catch (cause) {
        throw new CryptoError(
          'bad-key',
          'the OpenPGP key cannot be read: it is damaged, incomplete, or of a kind that is not supported',
          { cause },
        );
      }
      for (const key of found) await add(keys, key);
    }
  }
  return [...keys.values()];
}

async function read(part: string | Buffer): Promise<Key[]> {
  const { readKeys } = await openPgpPackage();
  const config = await packageConfig();
  return typeof part === 'string'
    ? readKeys({ armoredKeys: part, config })
    : readKeys({ binaryKeys: part, config });
}

async function add(keys: Map<string, Key>, key: Key): Promise<void> {
  const fingerprint = key.getFingerprint();
  const known = keys.get(fingerprint);
  if (!known) keys.set(fingerprint, key);
  else if (key.isPrivate() && !known.isPrivate()) keys.set(fingerprint, await key.update(known));
  else keys.set(fingerprint, await known.update(key));
}

/** Armoured blocks, or the whole as it is. */
function partsOf(material: Buffer): (string | Buffer)[] {
  if (((material[0] ?? 0) & 0x80) !== 0 && !material.subarray(0, 3).equals(BYTE_ORDER_MARK))
    return [material];
  const text = material.toString('utf8');
  const blocks = text.match(BLOCK);
  // A key whose END line is missing must not be left out in silence: its owner could read nothing.
  if (blocks && blocks.length === (text.match(KEY_BEGIN)?.length ?? 0)) return blocks;
  const [, kind] = ANY_BLOCK.exec(text) ?? [];
  throw new CryptoError(
    'bad-key',
    kind === undefined
      ? 'this is no key: neither age nor OpenPGP'
      : kind.endsWith('KEY BLOCK')
        ? 'the OpenPGP key is incomplete: its END line is missing'
        : `this is an OpenPGP ${kind.toLowerCase()}, not a key`,
  );
}
