/** End-to-end encryption: which keys a pod gets, where they are mounted, and what the client is told of them. */
import type { ScheduledBackup } from '../../gen/types.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import type { Problem } from '../api/problem.ts';
import { OPERATIONS, type Operation } from '../api/procedure.ts';
import { plaintext } from './access.ts';
import type { Catalog } from './catalog.ts';
import { Environment, type SecretEntry } from './environment.ts';
import { keygenArguments } from './key-job.ts';
import { SCRIPT_FOLDER, SECRET_FOLDER } from './paths.ts';
import type { NewKey } from './plan.ts';
import type { RepositoryValue } from './script.ts';
import type { Values } from './values.ts';

/** One operation's view of the keys. A backup never sees a private key. */
export interface Keys {
  environment: Environment;
  /** Entries to mount below /mnt/secrets, by file name. */
  files: Map<string, SecretEntry>;
  /** Public keys that stand in Git, for the ConfigMap; undefined if the key comes from a Secret. */
  recipients: string | undefined;
  repository: Map<string, RepositoryValue>;
  literals: Map<string, string>;
  /** What would make this operation fail; only an error if the operation is really wanted. */
  missing: Problem[];
}

/** File names in the pods. `gpg-key` is the original's: scripts may name it. */
const GPG_KEY = 'gpg-key';
const IDENTITY = 'identity';
export const RECIPIENTS = 'recipients.txt';

/** Works out the keys of both operations. */
export function planEncryption(
  backup: ScheduledBackup,
  values: Values,
  namespace: string,
  catalog: Catalog,
  config: FunctionConfig,
): { keys: Record<Operation, Keys>; newKey: NewKey | undefined; problems: Problem[] } {
  const problems: Problem[] = [];
  const keys = { backup: newKeys(), restore: newKeys() };
  let newKey: NewKey | undefined;
  const { encryption, gpgKeySecretRef: gpg } = backup.spec;
  if (encryption?.disabled) {
    planNone(keys, backup, problems);
  } else if (encryption && gpg?.secretName) {
    problems.push({
      code: 'conflict',
      path: 'spec.encryption',
      message: 'excludes spec.gpgKeySecretRef: keep one of them',
    });
  } else if (encryption) {
    planRecipients(keys, encryption, problems);
  } else if (gpg?.secretName) {
    planGpg(keys, gpg.secretName, backup, namespace, catalog);
    if (gpg.createIfNotExists && !catalog.secret(namespace, gpg.secretName))
      newKey = planNewKey(gpg, gpg.secretName, namespace, config, problems);
  } else {
    problems.push({
      code: 'missing-field',
      path: 'spec.encryption.recipients',
      message:
        'is required: list the public keys that may read the backup, or set spec.encryption.disabled to true',
    });
  }
  planPassphrase(keys.restore, backup, values, problems);
  return { keys, newKey, problems };
}

function newKeys(): Keys {
  return {
    environment: new Environment(),
    files: new Map(),
    recipients: undefined,
    repository: new Map([
      ['encryptionKeyPath', { text: '' }],
      ['passphrase', { text: '' }],
      ['recipient', { text: '' }],
    ]),
    literals: new Map(),
    missing: [],
  };
}

function planNone(keys: Record<Operation, Keys>, backup: ScheduledBackup, problems: Problem[]): void {
  for (const operation of OPERATIONS) keys[operation].environment.set('BM_NO_ENCRYPTION', 'true');
  if (backup.spec.encryption?.recipients || backup.spec.gpgKeySecretRef?.secretName) {
    problems.push({
      code: 'conflict',
      path: 'spec.encryption.disabled',
      message: 'contradicts the keys beside it: remove one',
    });
  }
  problems.push({
    code: 'unencrypted',
    path: 'spec.encryption.disabled',
    message: 'the backup is stored unencrypted: whoever can read the storage can read the data',
  });
}

type Encryption = NonNullable<ScheduledBackup['spec']['encryption']>;

function planRecipients(keys: Record<Operation, Keys>, encryption: Encryption, problems: Problem[]): void {
  const recipients = encryption.recipients ?? [];
  if (recipients.length === 0) {
    problems.push({
      code: 'missing-field',
      path: 'spec.encryption.recipients',
      message: 'is required: list the public keys that may read the backup',
    });
  }
  const formats = new Set(
    recipients.map((recipient) => (recipient.trim().startsWith('age1') ? 'age' : 'OpenPGP')),
  );
  if (formats.size > 1) {
    problems.push({
      code: 'conflict',
      path: 'spec.encryption.recipients',
      message: 'mixes age and OpenPGP keys, which cannot read the same backup: use one format',
    });
  }
  const path = `${SCRIPT_FOLDER}/${RECIPIENTS}`;
  keys.backup.recipients = recipients.map((recipient) => `${recipient.trim()}\n`).join('');
  keys.backup.environment.set('BM_PUBLIC_KEY_PATH', path);
  keys.backup.repository.set('encryptionKeyPath', { text: path });
  const identity = encryption.identitySecretRef;
  if (identity) {
    mount(keys.restore, IDENTITY, { name: identity.name, key: identity.key }, 'BM_PRIVATE_KEY_PATH');
  } else {
    keys.restore.missing.push({
      code: 'missing-field',
      path: 'spec.encryption.identitySecretRef',
      message: 'is required to restore: name the Secret that holds the private key',
    });
  }
}

function planGpg(
  keys: Record<Operation, Keys>,
  secretName: string,
  backup: ScheduledBackup,
  namespace: string,
  catalog: Catalog,
): void {
  const gpg = backup.spec.gpgKeySecretRef;
  const privateKey = gpg?.privateKey || 'key';
  mount(keys.backup, GPG_KEY, { name: secretName, key: gpg?.publicKey || 'key.pub' }, 'BM_PUBLIC_KEY_PATH');
  mount(keys.restore, GPG_KEY, { name: secretName, key: privateKey }, 'BM_PRIVATE_KEY_PATH');
  const provider = catalog.secret(namespace, secretName);
  if (provider?.keys && !provider.keys.includes(privateKey)) {
    keys.restore.missing.push({
      code: 'not-found',
      path: 'spec.gpgKeySecretRef.privateKey',
      message: `is ${privateKey}, but Secret ${secretName} has no such entry, and a restore needs it; it has: ${provider.keys.join(', ')}`,
      value: privateKey,
    });
  }
}

/** A pure function makes no keys, and a private key has no place in Git: either a Job in the cluster makes it, or a person. */
function planNewKey(
  gpg: NonNullable<ScheduledBackup['spec']['gpgKeySecretRef']>,
  secretName: string,
  namespace: string,
  config: FunctionConfig,
  problems: Problem[],
): NewKey | undefined {
  const path = 'spec.gpgKeySecretRef.createIfNotExists';
  const newKey: NewKey = {
    secretName,
    publicKey: gpg.publicKey || 'key.pub',
    privateKey: gpg.privateKey || 'key',
    passphrase: gpg.passphraseKey || 'passphrase',
    email: gpg.email || undefined,
  };
  if (config.keyGeneration === 'job') {
    const where = namespace ? ` -n ${namespace}` : '';
    problems.push({
      code: 'note',
      path,
      message: `a Job makes the key in Secret ${secretName} if there is none, and only the cluster has it then: keep a copy elsewhere, kubectl get secret${where} ${secretName} -o yaml`,
    });
    return newKey;
  }
  const words = [...keygenArguments(newKey, 'secret'), ...(namespace ? [`--namespace=${namespace}`] : [])];
  const command = `backup-maker ${words.map(quoted).join(' ')}`;
  problems.push({
    code: config.keyGeneration === 'error' ? 'unsupported' : 'ignored-field',
    path,
    message:
      `no key is made when rendering: unless Secret ${secretName} exists in the cluster, run \`${command} | kubectl create -f -\`, ` +
      "or set keyGeneration: job in the function's configuration",
  });
  return undefined;
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function mount(keys: Keys, file: string, entry: SecretEntry, variable: string): void {
  const path = `${SECRET_FOLDER}/${file}`;
  keys.files.set(file, entry);
  keys.environment.set(variable, path);
  keys.repository.set('encryptionKeyPath', { text: path });
}

/** The recipient is public; the passphrase goes to restores only, like the key that it opens. */
function planPassphrase(restore: Keys, backup: ScheduledBackup, values: Values, problems: Problem[]): void {
  const { encryption, gpgKeySecretRef: gpg } = backup.spec;
  const fromVars = values.find(['Repository', 'passphrase']);
  if (fromVars && 'secret' in fromVars) restore.environment.setSecret('BM_PASSPHRASE', fromVars.secret);
  else if (fromVars && 'text' in fromVars && fromVars.text !== '') {
    restore.literals.set('BM_PASSPHRASE', fromVars.text);
    problems.push(plaintext('spec.vars.Repository.passphrase', 'spec.gpgKeySecretRef.passphraseKey'));
  } else if (encryption?.passphraseSecretRef) {
    restore.environment.setSecret('BM_PASSPHRASE', encryption.passphraseSecretRef);
  } else if (gpg?.secretName && !encryption) {
    // Keys made by the original have no passphrase, and their Secrets may lack the entry.
    const entry = { name: gpg.secretName, key: gpg.passphraseKey || 'passphrase', optional: true };
    restore.environment.setSecret('BM_PASSPHRASE', entry);
  } else return;
  restore.repository.set('passphrase', { variable: 'BM_PASSPHRASE' });
}

/** The recipient that OpenPGP keys are chosen by: `vars.Repository.recipient`, else the key's e-mail address. */
export function planRecipientName(
  keys: Record<Operation, Keys>,
  backup: ScheduledBackup,
  values: Values,
): void {
  const fromVars = values.find(['Repository', 'recipient']);
  for (const operation of OPERATIONS) {
    const { environment, repository } = keys[operation];
    if (fromVars && 'secret' in fromVars) {
      environment.setSecret('BM_RECIPIENT', fromVars.secret);
      repository.set('recipient', { variable: 'BM_RECIPIENT' });
      continue;
    }
    const text = (fromVars && 'text' in fromVars && fromVars.text) || backup.spec.gpgKeySecretRef?.email;
    if (!text || backup.spec.encryption) continue;
    environment.set('BM_RECIPIENT', text);
    repository.set('recipient', { text });
  }
}
