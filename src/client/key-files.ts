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
}

/** A Secret (v1) as YAML. Entries and labels are the original's for OpenPGP; `identity` and `recipients.txt` for age. */
export function secretManifest(pair: KeyPair, { name, namespace, publicOnly }: SecretOptions): string {
  const openpgp = pair.kind === 'openpgp';
  const privateEntries = openpgp
    ? { key: pair.privateText, passphrase: pair.passphrase }
    : { identity: pair.privateText };
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
        [openpgp ? 'key.pub' : 'recipients.txt']: pair.publicText,
        ...(openpgp && { 'e-mail.txt': pair.email }),
        ...(!publicOnly && privateEntries),
      },
    },
    0,
  );
}

/** Commands of the format's own tools that make such a pair, for those who prefer them. */
export function commandsFor({ kind, name, email }: KeyOptions, file: string): string[] {
  if (kind === 'openpgp') {
    const user = `'${`${name} <${email}>`.replaceAll("'", "'\\''")}'`;
    return [
      `gpg --quick-generate-key ${user} future-default default never`,
      `gpg --armor --export ${email} > ${file}.pub`,
      `gpg --armor --export-secret-keys ${email} > ${file}`,
    ];
  }
  const pq = kind === 'age-pq' ? ' -pq' : '';
  return [`age-keygen${pq} -o ${file}`, `age-keygen -y ${file} > ${file}.pub`];
}
