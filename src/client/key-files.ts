/** New key pairs as files, or as Secrets that the ScheduledBackup's fields refer to. */
import { generateAgeKey } from '../crypto/age/generate.ts';
import { generateOpenPgpKey } from '../crypto/openpgp/generate.ts';
import { emitYaml } from '../krm/emit.ts';

export type KeyKind = 'age' | 'age-pq' | 'openpgp';

export interface KeyPair {
  kind: KeyKind;
  /** As the tools of the format read it. Ends with a line feed. */
  privateText: string;
  publicText: string;
  /** Of OpenPGP keys. */
  email: string;
  passphrase: string;
  /** What people compare: the age recipient or the OpenPGP fingerprint. */
  fingerprint: string;
}

export interface KeyOptions {
  kind: KeyKind;
  /** User id of an OpenPGP key. */
  name: string;
  email: string;
  /** Protects an OpenPGP key; empty: none. */
  passphrase: string;
  date: Date;
}

export async function generateKeyPair(options: KeyOptions): Promise<KeyPair> {
  const { kind, name, email, passphrase, date } = options;
  if (kind === 'openpgp') {
    const { publicKey, privateKey, fingerprint } = await generateOpenPgpKey({
      name,
      email,
      date,
      ...(passphrase !== '' && { passphrase }),
    });
    return { kind, privateText: privateKey, publicText: publicKey, email, passphrase, fingerprint };
  }
  const { recipient, file } = await generateAgeKey({ postQuantum: kind === 'age-pq', created: date });
  return {
    kind,
    privateText: file,
    publicText: `${recipient}\n`,
    email: '',
    passphrase: '',
    fingerprint: recipient,
  };
}

export interface SecretOptions {
  name: string;
  namespace: string;
  /** Leaves the private half out: a cluster that only makes backups does not need it. */
  publicOnly: boolean;
  /** Names of entries other than the usual ones. */
  entries?: Partial<Entries>;
}

/** Names of a Secret's entries. */
export interface Entries {
  publicKey: string;
  privateKey: string;
  passphrase: string;
}

/** A Secret (v1) as YAML. Entries and labels are the original's for OpenPGP; `identity` and `recipients.txt` for age. */
export function secretManifest(
  pair: KeyPair,
  { name, namespace, publicOnly, entries = {} }: SecretOptions,
): string {
  const openpgp = pair.kind === 'openpgp';
  const privateEntries = {
    [entries.privateKey || (openpgp ? 'key' : 'identity')]: pair.privateText,
    ...(openpgp && { [entries.passphrase || 'passphrase']: pair.passphrase }),
  };
  return emitYaml(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        ...(namespace !== '' && { namespace }),
        ...(openpgp && {
          labels: { 'riotkit.org/type': 'GPGSecret' },
          annotations: { 'riotkit.org/e-mail': pair.email },
        }),
      },
      type: 'Opaque',
      stringData: {
        [entries.publicKey || (openpgp ? 'key.pub' : 'recipients.txt')]: pair.publicText,
        ...(openpgp && { 'e-mail.txt': pair.email }),
        ...(!publicOnly && privateEntries),
      },
    },
    0,
  );
}

/** Commands of the format's own tools that make such a pair, for those who prefer them. */
export function commandsFor({ kind, name, email }: KeyOptions, file: string): string[] {
  const privateFile = quoted(file);
  const publicFile = quoted(`${file}.pub`);
  if (kind === 'openpgp') {
    const address = quoted(email);
    return [
      `gpg --quick-generate-key ${quoted(`${name} <${email}>`)} future-default default never`,
      `gpg --armor --output ${publicFile} --export ${address}`,
      `gpg --armor --output ${privateFile} --export-secret-keys ${address}`,
    ];
  }
  const pq = kind === 'age-pq' ? ' -pq' : '';
  return [`age-keygen${pq} -o ${privateFile}`, `age-keygen -y -o ${publicFile} ${privateFile}`];
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
