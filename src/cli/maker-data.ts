/** The commands that move data: make, restore, download, check. */
import { Command } from 'commander';
import { check } from '../client/check.ts';
import { commandEnvironment } from '../client/command/environment.ts';
import { failure } from '../client/failure.ts';
import type { Repository } from '../client/http/repository.ts';
import { make } from '../client/make.ts';
import type { Fields } from '../client/report.ts';
import { limitToReading, type Read, type ReadOptions, restore } from '../client/restore.ts';
import { save } from '../client/save.ts';
import { addFlags } from './maker-flags.ts';
import {
  actionOf,
  collectionOf,
  commandOf,
  identitiesOf,
  levelOf,
  recipientsOf,
  refuseKeyFile,
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
Unless the command succeeds and all it wrote has arrived, nothing is stored.`,
    );
  addFlags(command, 'collection', 'command', 'timeout', 'encrypting', 'server', 'output', 'originalMake');
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
    if (made === 'already-done') return before(run, collectionId);
    const { versionNumber, plainBytes, storedBytes, sha256, version } = made;
    console.info('Version uploaded', {
      collection: collectionId,
      version: versionNumber,
      bytes: plainBytes,
      storedBytes,
      sha256,
    });
    if (flags.json)
      await run.result(
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
  addFlags(command, 'collection', 'version', 'command', 'timeout', 'decrypting', 'plain', 'server', 'output');
  addFlags(command, 'originalRead');
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
    const { collectionId } = options;
    if (restored === 'already-done') return before(run, collectionId);
    console.info('Backup restored', { collection: collectionId, ...fieldsOf(restored) });
    if (flags.json) await run.result({ collectionId, ...resultOf(restored) }, '');
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
  addFlags(command, 'collection', 'version', 'decrypting', 'plain', 'server', 'output');
  addFlags(command, 'originalRead', 'originalDownload');
  return runs(command, outside, async (run) => {
    const { flags, console } = run;
    const options = await readOptionsOf(run);
    const path = required(flags.savePath, '--save-path', '--save-path app.dump');
    await refuseKeyFile(path, flags);
    const asStored = flags.asStored === true || (!options.identities && !options.noEncryption);
    const saved = await withRepository(run, (repository) =>
      save({ ...options, repository, asStored, to: path === '-' ? outside.stdout : path }),
    );
    const { collectionId } = options;
    console.info('Version downloaded', { collection: collectionId, ...fieldsOf(saved), file: path });
    if (flags.json && path !== '-') await run.result({ collectionId, ...resultOf(saved), file: path }, '');
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
  addFlags(command, 'collection', 'version', 'decrypting', 'plain', 'server', 'output');
  return runs(command, outside, async (run) => {
    const options = await readOptionsOf(run);
    const bad = await withRepository(run, async (repository) => {
      limitToReading(repository, options.collectionId);
      const versions = run.flags.all ? await versionsOf(repository, options.collectionId) : [options.version];
      let count = 0;
      for (const version of versions)
        if (!(await checkOne({ ...options, repository, version }, run))) count++;
      return { count, of: versions.length };
    });
    if (bad.count > 0)
      throw failure(
        'unhealthy',
        bad.of === 1
          ? 'the version cannot be relied on, see above'
          : `${bad.count} of ${bad.of} versions cannot be relied on, see above`,
        run.flags.all ? undefined : 'backup-maker check --all says which versions are intact',
      );
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
  // Of many versions some may be of another key; of a single one that is the user's mistake.
  if (problem && problem.problem.code !== 'damaged' && !run.flags.all) throw problem;
  const version = versionNumber ?? options.version;
  if (read) {
    const { plainBytes, storedBytes } = read;
    await run.result(
      { version, intact: true, plainBytes, storedBytes },
      `version ${version}: intact, ${formatBytes(plainBytes)} (${formatBytes(storedBytes)} stored)`,
    );
    return true;
  }
  const { code, message: reason } = problem?.problem ?? { code: 'damaged', message: '' };
  await run.result(
    { version, intact: false, code, reason },
    `version ${version}: ${code === 'damaged' ? 'NOT INTACT' : 'CANNOT BE READ'}: ${reason}`,
  );
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

/** The ledger says that there is nothing to do. */
async function before({ flags, result }: Run, collectionId: string): Promise<void> {
  if (flags.json) await result({ collectionId, doneBefore: true }, '');
}

/** For the log, in the words of all its lines. */
function fieldsOf({ versionNumber, plainBytes, storedBytes }: Read): Fields {
  return { version: versionNumber, bytes: plainBytes, storedBytes };
}

/** For programs. */
function resultOf({ versionNumber, plainBytes, storedBytes }: Read): object {
  return { version: versionNumber, plainBytes, storedBytes };
}
