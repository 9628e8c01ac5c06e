/** Keys of both kinds, as `keygen` makes them; the OpenPGP one has a passphrase. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from './client.ts';
import { proofFolder } from './programs.ts';
import { newSecret } from './server.ts';

/** `plain` is not encrypted, so that only its digest says what is right. */
export type Format = 'age' | 'openpgp' | 'plain';
export const FORMATS: readonly Format[] = ['age', 'openpgp', 'plain'];
/** Those whose tags notice everything by themselves. */
export const SEALED: readonly Format[] = ['age', 'openpgp'];

export interface Keys {
  passphrase: string;
  /** Flags that encrypt, and that decrypt. */
  seal: Readonly<Record<Format, readonly string[]>>;
  open: Readonly<Record<Format, readonly string[]>>;
}

export async function makeKeys(): Promise<Keys> {
  const passphrase = newSecret();
  const folder = mkdtempSync(join(proofFolder, 'keys-'));
  for (const format of SEALED) {
    const args = ['keygen', '--format', format, '--out', join(folder, format)];
    const { status, stderr } = await Client.run(args, { env: { BM_PASSPHRASE: passphrase } });
    if (status !== 0) throw new Error(stderr);
  }
  const flags = (format: Format, flag: string, end: string) => [flag, join(folder, `${format}${end}`)];
  return {
    passphrase,
    seal: {
      age: flags('age', '--key', '.pub'),
      openpgp: flags('openpgp', '--key', '.pub'),
      plain: ['--no-encryption', '--compress', 'none'],
    },
    open: {
      age: flags('age', '--private-key', ''),
      openpgp: flags('openpgp', '--private-key', ''),
      plain: ['--no-encryption'],
    },
  };
}
