/** The command keygen. */
import { access, rm, writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { failure } from '../client/failure.ts';
import { commandsFor, generateKeyPair, type KeyKind, secretManifest } from '../client/key-files.ts';
import { runs } from './maker-run.ts';
import type { MakerOutside } from './outside.ts';

interface KeygenFlags {
  format: KeyKind;
  out: string;
  secret?: string;
  namespace: string;
  publicOnly?: boolean;
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
    .option('-n, --namespace <namespace>', 'of the Secret', '')
    .option('--public-only', 'leave the private key out of the Secret, and write it to --out')
    .option('--name <name>', 'OpenPGP user id', 'Backup')
    .option('--email <address>', 'OpenPGP user id', 'backup@localhost')
    .option('--json', 'print the result as JSON')
    .option('--print-commands', 'only print what makes the same with age or gpg')
    .addHelpText(
      'after',
      `
An OpenPGP key is protected with the passphrase in BM_PASSPHRASE, if there is one.
Keep the private key where you keep what must survive the loss of the cluster: without it no backup can be read.

Examples:
  backup-maker keygen
  backup-maker keygen --secret app-backup-key -n app | kubeseal > sealed.yaml
  backup-maker keygen --format openpgp --email ops@example.org --secret app-gpg --public-only`,
    );
  return runs(command, outside, async (run) => {
    const flags = command.opts<KeygenFlags>();
    const options = {
      kind: flags.format,
      name: flags.name,
      email: flags.email,
      passphrase: outside.env.BM_PASSPHRASE ?? '',
      date: new Date(),
    };
    if (flags.printCommands) {
      outside.stdout.write(`${commandsFor(options, flags.out).join('\n')}\n`);
      return;
    }
    if (flags.publicOnly && flags.secret === undefined)
      throw failure('usage', '--public-only is about a Secret', '--secret <name> --public-only');
    const files = flags.secret === undefined || flags.publicOnly ? [flags.out] : [];
    if (flags.secret === undefined) files.push(`${flags.out}.pub`);
    for (const file of files) await refuseExisting(file);

    const pair = await generateKeyPair(options);
    if (files.includes(flags.out)) await writeNew(flags.out, pair.privateText, 0o600);
    if (flags.secret === undefined) {
      await writeNew(`${flags.out}.pub`, pair.publicText, 0o644).catch(async (error: unknown) => {
        await rm(flags.out, { force: true });
        throw error;
      });
      run.result(
        { privateKey: flags.out, publicKey: `${flags.out}.pub`, fingerprint: pair.fingerprint },
        `private key: ${flags.out} (keep it safe: without it no backup can be read)\npublic key:  ${flags.out}.pub\n${pair.fingerprint}`,
      );
      return;
    }
    const { secret, namespace, publicOnly = false } = flags;
    outside.stdout.write(secretManifest(pair, { name: secret, namespace, publicOnly }));
    run.console.info('Key made', {
      fingerprint: pair.fingerprint,
      ...(publicOnly && { privateKey: flags.out }),
    });
  });
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
    throw failure(
      'output-failed',
      `cannot write ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'the folder does not exist' : (error as Error).message}`,
      '--out <another file>',
      error,
    );
  }
}
