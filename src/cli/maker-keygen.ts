/** The command keygen. */
import { access, rm, writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { clusterOfPod, createKeySecret } from '../client/cluster-secret.ts';
import { failure } from '../client/failure.ts';
import {
  commandsFor,
  type Entries,
  generateKeyPair,
  type KeyKind,
  type KeyOptions,
  secretManifest,
} from '../client/key-files.ts';
import { addFlags } from './maker-flags.ts';
import { passphraseOf } from './maker-options.ts';
import { type Run, runs } from './maker-run.ts';
import { type MakerOutside, print } from './outside.ts';

interface KeygenFlags {
  format: KeyKind;
  out: string;
  secret?: string;
  createSecret?: string;
  namespace?: string;
  publicOnly?: boolean;
  publicKeyEntry?: string;
  privateKeyEntry?: string;
  passphraseEntry?: string;
  name: string;
  email: string;
  printCommands?: boolean;
}

export function keygenCommand(outside: MakerOutside): Command {
  const command = new Command('keygen')
    .description('make a key pair, as two files or as a Secret')
    .addOption(
      new Option('--format <format>', 'age; age-pq, safe from quantum computers; openpgp')
        .choices(['age', 'age-pq', 'openpgp'])
        .default('age'),
    )
    .option('-o, --out <file>', 'the private key goes here, the public one beside it with .pub', 'backup.key')
    .option('--secret <name>', 'print a Secret manifest instead of writing files')
    .option(
      '--create-secret <name>',
      'in a pod: create the Secret in the cluster, unless it has a key already, which is never changed',
    )
    .option('-n, --namespace <namespace>', 'of the Secret')
    .option('--public-key-entry <entry>', "the Secret's entry (default: key.pub, or recipients.txt for age)")
    .option('--private-key-entry <entry>', "the Secret's entry (default: key, or identity for age)")
    .option('--passphrase-entry <entry>', "the Secret's entry (default: passphrase)")
    .option('--public-only', 'leave the private key out of the Secret, and write it to --out')
    .option('--name <name>', 'OpenPGP user id', 'Backup')
    .option('--email <address>', 'OpenPGP user id', 'backup@localhost')
    .option('--print-commands', 'only print what makes the same with age or gpg')
    .addHelpText(
      'after',
      `
An OpenPGP key is protected with the passphrase in BM_PASSPHRASE, or in the file BM_PASSPHRASE_FILE, if there is one.
Keep the private key where you keep what must survive the loss of the cluster: without it no backup can be read.

Examples:
  backup-maker keygen
  backup-maker keygen --secret app-backup-key -n app | kubeseal > sealed.yaml
  backup-maker keygen --format openpgp --email ops@example.org --secret app-gpg --public-only`,
    );
  addFlags(command, 'output');
  return runs(command, outside, async (run) => {
    const flags = command.opts<KeygenFlags>();
    const options = {
      kind: flags.format,
      name: flags.name,
      email: flags.email,
      passphrase: await passphraseOf(outside.env),
      date: new Date(),
    };
    if (flags.printCommands) return print(outside, `${commandsFor(options, flags.out).join('\n')}\n`);
    if (flags.publicOnly && flags.secret === undefined)
      throw failure('usage', '--public-only is about a Secret', '--secret <name> --public-only');
    if (flags.secret !== undefined && flags.createSecret !== undefined)
      throw failure(
        'usage',
        '--secret prints a manifest and --create-secret makes one: leave one of them out',
      );
    if (flags.createSecret !== undefined) return createSecret(flags.createSecret, flags, options, run);
    return flags.secret === undefined
      ? writePair(flags.out, options, run)
      : printSecret(flags.secret, flags, options, run);
  });
}

async function writePair(file: string, options: KeyOptions, run: Run): Promise<void> {
  await refuseExisting(file);
  await refuseExisting(`${file}.pub`);
  const pair = await generateKeyPair(options);
  await writeNew(file, pair.privateText, 0o600);
  await writeNew(`${file}.pub`, pair.publicText, 0o644).catch(async (error: unknown) => {
    await rm(file, { force: true });
    throw error;
  });
  await run.result(
    { privateKey: file, publicKey: `${file}.pub`, fingerprint: pair.fingerprint },
    `private key: ${file} (keep it safe: without it no backup can be read)\npublic key:  ${file}.pub\n${pair.fingerprint}`,
  );
}

async function printSecret(name: string, flags: KeygenFlags, options: KeyOptions, run: Run): Promise<void> {
  const { namespace = '', publicOnly = false, out } = flags;
  if (publicOnly) await refuseExisting(out);
  const pair = await generateKeyPair(options);
  if (publicOnly) await writeNew(out, pair.privateText, 0o600);
  const entries = entriesOf(flags);
  await print(run.outside, secretManifest(pair, { name, namespace, publicOnly, entries }));
  run.console.info('Key made', { fingerprint: pair.fingerprint, ...(publicOnly && { privateKey: out }) });
}

/** For the Job of a ScheduledBackup with `createIfNotExists`, which may run any number of times. */
async function createSecret(name: string, flags: KeygenFlags, options: KeyOptions, run: Run): Promise<void> {
  const { outcome, namespace, publicText, fingerprint, canRestore } = await createKeySecret(
    await clusterOfPod(run.outside.env),
    {
      name,
      namespace: flags.namespace ?? '',
      kind: flags.format,
      entries: entriesOf(flags),
      generate: (passphrase = options.passphrase) => generateKeyPair({ ...options, passphrase }),
      signal: run.signal,
    },
  );
  run.console.info(outcome === 'kept' ? 'The Secret has a key already, which was kept' : 'Key made', {
    secret: `${namespace}/${name}`,
    fingerprint,
  });
  if (!canRestore)
    run.console.warn('the Secret has no private key: what is backed up can only be restored elsewhere');
  await run.result(
    { secret: name, namespace, outcome, fingerprint, publicKey: publicText },
    publicText.trimEnd(),
  );
}

function entriesOf({ publicKeyEntry, privateKeyEntry, passphraseEntry }: KeygenFlags): Partial<Entries> {
  return {
    ...(publicKeyEntry && { publicKey: publicKeyEntry }),
    ...(privateKeyEntry && { privateKey: privateKeyEntry }),
    ...(passphraseEntry && { passphrase: passphraseEntry }),
  };
}

async function refuseExisting(file: string): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists)
    throw failure(
      'output-failed',
      `${file} exists: a key that is overwritten makes all its backups unreadable`,
      '--out <another file>',
    );
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { mode, flag: 'wx', flush: true });
  } catch (error) {
    // What is left of a full disk would look like a key the next time.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(file, { force: true });
    throw failure(
      'output-failed',
      `cannot write ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'the folder does not exist' : (error as Error).message}`,
      '--out <another file>',
      error,
    );
  }
}
