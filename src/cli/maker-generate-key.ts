/** The file that --gpg-key-path names: a public or private key, or the SealedSecret that brings it into the cluster. */
import { readFile } from 'node:fs/promises';
import { UserError } from '../api/problem.ts';
import type { Operation } from '../api/procedure.ts';
import { isObject } from '../api/vars.ts';
import type { DefinitionKey } from '../expand/definition-target.ts';
import type { JsonObject } from '../krm/json.ts';
import { parseKubernetesYaml, YamlError } from '../krm/yaml.ts';

export interface KeyOptions {
  operation: Operation;
  kubernetes: boolean;
  /** Name of the generated objects, and their namespace, empty if there is none. */
  name: string;
  namespace: string;
}

/**
 * Reads the key; an empty path means no encryption. A backup must not be given a private key: whoever has the machine or
 * the cluster could then read all earlier backups.
 *
 * @throws {UserError} `bad-key`, `conflict` for a SealedSecret that does not fit, `not-found`.
 */
export async function readKeyFile(path: string, shown: string, options: KeyOptions): Promise<DefinitionKey> {
  if (shown === '') return 'none';
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code;
    const which = options.operation === 'backup' ? 'public' : 'private';
    throw new UserError(
      {
        code: 'bad-key',
        message: `cannot read the key ${shown}: ${reason}; name the file of the ${which} key with --gpg-key-path, or write --gpg-key-path '' to do without encryption`,
      },
      { cause: error },
    );
  }
  const sealed = readSealedSecret(bytes);
  if (sealed) {
    checkSealedSecret(sealed, options);
    return { sealed };
  }
  checkKind(bytes, shown, options.operation);
  return { bytes };
}

/** A SealedSecret of https://sealed-secrets.netlify.app; undefined if the bytes are something else. */
function readSealedSecret(bytes: Buffer): JsonObject | undefined {
  const text = bytes.toString('utf8');
  if (!/^\s*["']?kind["']?\s*:\s*["']?SealedSecret\b|"kind"\s*:\s*"SealedSecret"/m.test(text))
    return undefined;
  try {
    const value = parseKubernetesYaml(text.replace(/^\s*---[ \t]*\n/, ''));
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw invalid(`line ${error.line} is not valid YAML`);
  }
  throw invalid('it is no map');
}

function checkSealedSecret(
  { metadata, spec }: JsonObject,
  { kubernetes, operation, name, namespace }: KeyOptions,
): void {
  if (!kubernetes) throw invalid('only the cluster can open it: give the key itself, or add --kubernetes');
  const entries = isObject(spec) && isObject(spec.encryptedData) ? spec.encryptedData : {};
  if (!entries['gpg-key'])
    throw invalid('missing .Spec.EncryptedData.gpg-key: seal the key under that entry');
  const about = isObject(metadata) ? metadata : {};
  const found = typeof about.namespace === 'string' ? about.namespace : '';
  if (found !== namespace) {
    throw invalid(
      `SealedSecret is in different Namespace (${found}), expected to be in '${namespace}': it can be opened in its own only, so give that one with --k8s-namespace`,
    );
  }
  if (typeof about.name !== 'string' || about.name === '') throw invalid('it has no metadata.name');
  const taken = [name, `${name}-${operation}`].find((own) => own === about.name);
  if (taken !== undefined)
    throw invalid(
      `SealedSecret cannot have .metadata.name same as '${taken}': what is generated has that name`,
    );
}

function invalid(reason: string): UserError {
  return new UserError({ code: 'conflict', message: `--gpg-key-path: SealedSecret is invalid: ${reason}` });
}

/** Packet types of OpenPGP (RFC 9580, 5) that a binary key begins with. */
const SECRET_KEY_PACKET = 5;
const PUBLIC_KEY_PACKET = 6;

type KeyKind = 'private' | 'public';

/** What the bytes of a key file hold, undefined if it is no key. A private key that comes with its public part is private. */
export function kindOfKey(bytes: Buffer): KeyKind | undefined {
  const text = bytes.toString('latin1');
  const packet = packetOf(bytes);
  if (
    /-----BEGIN PGP PRIVATE KEY BLOCK-----|^\s*AGE-(SECRET-KEY|PLUGIN)-/m.test(text) ||
    packet === SECRET_KEY_PACKET
  )
    return 'private';
  if (/-----BEGIN PGP PUBLIC KEY BLOCK-----|^\s*age1/m.test(text) || packet === PUBLIC_KEY_PACKET)
    return 'public';
  return undefined;
}

function checkKind(bytes: Buffer, shown: string, operation: Operation): void {
  const bad = (message: string) =>
    new UserError({ code: 'bad-key', message: `--gpg-key-path: ${shown} ${message}` });
  if (bytes.length === 0) throw bad('is empty');
  const kind = kindOfKey(bytes);
  if (kind === undefined) throw bad('is neither an OpenPGP key, nor an age key, nor a SealedSecret');
  if (operation === 'backup' && kind === 'private')
    throw bad(
      'is a private key, which a backup must not have: give the public one (gpg --armor --export, or age-keygen -y)',
    );
  if (operation === 'restore' && kind === 'public')
    throw bad(
      'is a public key, which opens nothing: a restore needs the private one (gpg --armor --export-secret-keys)',
    );
}

/** Type of the first packet, in the old or the new form of its header; undefined if the bytes are none. */
function packetOf(bytes: Buffer): number | undefined {
  const [first = 0] = bytes;
  if ((first & 0x80) === 0) return undefined;
  return first & 0x40 ? first & 0x3f : (first >> 2) & 0x0f;
}
