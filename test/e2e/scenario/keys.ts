/** One key pair of each format for all rows, made as users make them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documents, folderWith, type Manifest, root, succeed } from '../sandbox.ts';
import { secret } from './objects.ts';

export const PASSPHRASE = 'passphrase-s3cret of the key';
export const EMAIL = 'ops@example.org';

export interface Keys {
  /** The Secret of an OpenPGP key pair with its passphrase, as `backup-maker keygen --secret` prints it. */
  openpgp(name: string): Manifest;
  /** Public key of age. */
  recipient: string;
  identity(name: string): Manifest;
  /** Texts of private keys, of which no part may be where only backups are made. */
  secrets: string[];
}

export function makeKeys(): Keys {
  const client = join(root, 'dist/backup-maker/backup-maker.mjs');
  const words = ['keygen', '--format', 'openpgp', '--email', EMAIL, '--secret', 'keys'];
  const printed = succeed(process.execPath, [client, ...words], { env: { BM_PASSPHRASE: PASSPHRASE } });
  const [pair] = documents(printed) as [Manifest];
  const folder = folderWith();
  succeed('age-keygen', ['-o', join(folder, 'identity.txt')]);
  const identity = readFileSync(join(folder, 'identity.txt'), 'utf8');
  const recipient = identity.match(/age1\w+/)?.[0] ?? '';
  const entries: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(pair.data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(String(value), 'base64').toString(),
      ]),
    ),
    ...pair.stringData,
  };
  const [, privateLine = ''] = (entries.key ?? '').split('\n\n');
  return {
    openpgp: (name) => secret(name, entries),
    recipient,
    identity: (name) => secret(name, { identity }),
    secrets: [privateLine.split('\n')[1] ?? '', identity.match(/AGE-SECRET-KEY-\w+/)?.[0] ?? '', PASSPHRASE],
  };
}
