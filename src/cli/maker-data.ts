/** The commands that move data: make, restore, download, check. */
import { Command } from 'commander';
import { check } from '../client/check.ts';
import { commandEnvironment } from '../client/command/environment.ts';
import { failure } from '../client/failure.ts';
import type { Repository } from '../client/http/repository.ts';
import { make } from '../client/make.ts';
import { type ReadOptions, restore } from '../client/restore.ts';
import { save } from '../client/save.ts';
import { addFlags } from './maker-flags.ts';
import {
  actionOf,
  collectionOf,
  commandOf,
  identitiesOf,
  levelOf,
  recipientsOf,
  required,
  timeoutOf,
} from './maker-options.ts';
import { type Run, runs, withRepository } from './maker-run.ts';
import type { MakerOutside } from './outside.ts';
import { formatBytes } from './progress.ts';

export function makeCommand(outside: MakerOutside): Command {
  const command = new Command('make')
    .description('back up what a command writes: compressed, encrypted, as a new version')
    .addHelpText(
      'after',
      `
Examples:
  backup-maker make -c 'pg_dump -Fc app' -k public.key
  backup-maker make -c 'tar -cf - ./data' -r age1…
Without an error from the command and from the server nothing is stored.`,
    );
  addFlags(command, 'collection', 'command', 'encrypting', 'server');
  return runs(command, outside, async (run) => {
    const { flags, console, signal } = run;
    const collectionId = collectionOf(flags);
    const options = {
      command: commandOf(flags),
      recipients: await recipientsOf(flags),
      level: levelOf(flags),
    };
    if (!options.recipients) console.warn('not encrypted: whoever has the server can read this backup');
    if (flags.armor && options.recipients?.kind === 'age')
      throw failure('usage', '--armor is for OpenPGP: leave it out, age needs none');
    const made = await withRepository(run, (repository) =>
      make({
        ...options,
        ...timeoutOf(flags),
        repository,
        collectionId,
        env: commandEnvironment(outside.env),
        armor: flags.armor === true,
        action: actionOf(outside.env),
        signal,
        report: console,
      }),
    );
    if (made === 'already-done') return;
    const { versionNumber, plainBytes, storedBytes, sha256, version } = made;
    console.info('Version uploaded', {
      collection: collectionId,
      version: versionNumber,
      bytes: plainBytes,
      storedBytes,
      sha256,
    });
    if (flags.json)
      run.result(
        { collectionId, version: versionNumber, plainBytes, storedBytes, sha256, filename: version.filename },
        '',
      );
  });
}

export function restoreCommand(outside: MakerOutside): Command {
  const command = new Command('restore')
    .description('give a version, decrypted and verified, to a command')
    .addHelpText(
      'after',
      `
Examples:
  backup-maker restore -c 'pg_restore --clean --if-exists -1 -d app' -p private.key
  backup-maker restore -s 12 -c 'tar -xf - -C ./data' -p identity.txt
The command's input ends only after everything was verified; if anything is wrong, the command is killed before.`,
    );
  addFlags(command, 'collection', 'version', 'command', 'decrypting', 'plain', 'server');
  return runs(command, outside, async (run) => {
    const { flags, console } = run;
    const options = await readOptionsOf(run);
    const work = {
      command: commandOf(flags),
      env: commandEnvironment(outside.env),
      action: actionOf(outside.env),
    };
    const restored = await withRepository(run, (repository) =>
      restore({ ...options, ...work, ...timeoutOf(flags), repository }),
    );
    if (restored === 'already-done') return;
    console.info('Backup restored', { collection: options.collectionId, ...describe(restored) });
    if (flags.json) run.result({ collectionId: options.collectionId, ...describe(restored) }, '');
  });
}

export function downloadCommand(outside: MakerOutside): Command {
  const command = new Command('download')
    .description('save a version as a file: decrypted if a private key is given, else as it is stored')
    .requiredOption('--save-path <file>', 'where to; - is standard output')
    .option('--as-stored', 'neither decrypt nor decompress')
    .addHelpText(
      'after',
      `
Examples:
  backup-maker download --save-path app.dump -p private.key
  backup-maker download --save-path app.age      # then: age -d -i identity.txt app.age | zstd -d
The file appears only once it is complete and verified.`,
    );
  addFlags(command, 'collection', 'version', 'decrypting', 'plain', 'server');
  return runs(command, outside, async (run) => {
    const { flags, console } = run;
    const options = await readOptionsOf(run);
    const path = required(flags.savePath, '--save-path', 'none');
    const asStored = flags.asStored === true || (!options.identities && !options.noEncryption);
    const saved = await withRepository(run, (repository) =>
      save({ ...options, repository, asStored, to: path === '-' ? outside.stdout : path }),
    );
    console.info('Version downloaded', { collection: options.collectionId, ...describe(saved), file: path });
    if (flags.json && path !== '-')
      run.result({ collectionId: options.collectionId, ...describe(saved), file: path }, '');
  });
}

export function checkCommand(outside: MakerOutside): Command {
  const command = new Command('check')
    .description('download, decrypt and read a version to its end without restoring it')
    .option('--all', 'every version of the collection')
    .addHelpText(
      'after',
      `
Examples:
  backup-maker check -p private.key
  backup-maker check --all -p private.key --json`,
    );
  addFlags(command, 'collection', 'version', 'decrypting', 'plain', 'server');
  return runs(command, outside, async (run) => {
    const options = await readOptionsOf(run);
    const bad = await withRepository(run, async (repository) => {
      const versions = run.flags.all ? await versionsOf(repository, options.collectionId) : [options.version];
      let damaged = 0;
      for (const version of versions)
        if (!(await checkOne({ ...options, repository, version }, run))) damaged++;
      return damaged;
    });
    if (bad > 0)
      throw failure('unhealthy', `${bad} of the versions ${bad === 1 ? 'is' : 'are'} not intact, see above`);
  });
}

async function versionsOf(repository: Repository, collectionId: string): Promise<string[]> {
  const versions = await repository.versions(collectionId);
  if (versions.length === 0)
    throw failure('unknown-version', `the collection ${collectionId} holds no version`);
  return versions.map(({ versionNumber }) => String(versionNumber));
}

async function checkOne(options: ReadOptions, run: Run): Promise<boolean> {
  const { versionNumber, read, problem } = await check(options);
  const version = versionNumber ?? options.version;
  if (read) {
    const { plainBytes, storedBytes } = read;
    run.result(
      { version, intact: true, plainBytes, storedBytes },
      `version ${version}: intact, ${formatBytes(plainBytes)} (${formatBytes(storedBytes)} stored)`,
    );
    return true;
  }
  const reason = problem?.message ?? '';
  run.result({ version, intact: false, reason }, `version ${version}: NOT INTACT: ${reason}`);
  return false;
}

async function readOptionsOf(run: Run): Promise<Omit<ReadOptions, 'repository'>> {
  const { flags, console, signal } = run;
  return {
    collectionId: collectionOf(flags),
    version: flags.version,
    identities: await identitiesOf(flags),
    noEncryption: !flags.encryption,
    decompression: flags.decompress as ReadOptions['decompression'],
    signal,
    report: console,
  };
}

function describe({
  versionNumber,
  plainBytes,
  storedBytes,
}: {
  versionNumber: number | undefined;
  plainBytes: number;
  storedBytes: number;
}): { version: number | undefined; bytes: number; storedBytes: number } {
  return { version: versionNumber, bytes: plainBytes, storedBytes };
}
