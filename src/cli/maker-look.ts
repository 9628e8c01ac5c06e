/** The commands that look: list, status, login. */
import { Command } from 'commander';
import { failure } from '../client/failure.ts';
import { replaceFile } from '../client/save.ts';
import { type Status, statusOf } from '../client/status.ts';
import { addFlags } from './maker-flags.ts';
import { collectionOf } from './maker-options.ts';
import { runs, withRepository } from './maker-run.ts';
import type { MakerOutside } from './outside.ts';
import { formatBytes } from './progress.ts';
import { formatAge, table } from './table.ts';

export function listCommand(outside: MakerOutside): Command {
  const command = new Command('list')
    .description('list the versions of a collection, oldest first')
    .addHelpText(
      'after',
      `
Examples:
  backup-maker list -i app
  backup-maker list -i app --json`,
    );
  addFlags(command, 'collection', 'server', 'output');
  return runs(command, outside, async (run) => {
    const collectionId = collectionOf(run.flags);
    const versions = await withRepository(run, (repository) => repository.versions(collectionId));
    const rows = versions.map((version) => [
      String(version.versionNumber),
      version.CreatedAt,
      formatBytes(version.filesize),
      version.format ?? '',
      version.contentEncoding ?? '',
      version.pinned ? 'pinned' : '',
      version.filename,
    ]);
    const header = ['VERSION', 'CREATED', 'STORED', 'FORMAT', 'INSIDE', 'PINNED', 'FILE'];
    await run.result({ collectionId, versions }, rows.length === 0 ? 'no versions yet' : table(header, rows));
  });
}

export function statusCommand(outside: MakerOutside): Command {
  const command = new Command('status')
    .description('how collections are: health, age and size; exits with 13 if one is not well')
    .argument('[collections...]', 'default: the one of --collection-id, else all that the account may see')
    .addHelpText(
      'after',
      `
Examples:
  backup-maker status
  backup-maker status app shop --json`,
    );
  addFlags(command, 'collection', 'health', 'server', 'output');
  return runs(command, outside, async (run) => {
    const { flags } = run;
    const named = command.args.length > 0 ? command.args : flags.collectionId ? [flags.collectionId] : [];
    const statuses = await withRepository(run, async (repository) => {
      const ids = named.length > 0 ? named : (await repository.collections()).map(({ id }) => id);
      // One after the other: servers limit how many requests may come in a second.
      const found: Status[] = [];
      for (const id of ids) found.push(await statusOf(repository, id, flags.healthCode));
      return found;
    });
    const now = Date.now();
    const rows = statuses.map(({ collectionId, healthy, versions, storedBytes, newestAt, reason }) => [
      collectionId,
      healthy === undefined ? 'unknown' : healthy ? 'well' : 'NOT WELL',
      String(versions),
      formatBytes(storedBytes),
      newestAt === undefined ? 'never' : formatAge(now - Date.parse(newestAt)),
      reason ?? '',
    ]);
    await run.result(
      { collections: statuses },
      table(['COLLECTION', 'HEALTH', 'VERSIONS', 'STORED', 'NEWEST', 'REASON'], rows),
    );
    const ill = statuses.filter(({ healthy }) => healthy === false);
    if (ill.length > 0)
      throw failure('unhealthy', `not well: ${ill.map(({ collectionId }) => collectionId).join(', ')}`);
  });
}

export function loginCommand(outside: MakerOutside): Command {
  const command = new Command('login')
    .description('log in with an access key and print a token that is limited to one collection')
    .option('--role <role...>', 'what the token may do with the collection', [
      'backupUploader',
      'backupDownloader',
    ])
    .option('--unlimited', 'a token for all that the account may do')
    .option(
      '--save-path <file>',
      'write the token into a file that only its owner can read, instead of printing it; replaces the file',
    )
    .addHelpText(
      'after',
      `
Examples:
  export BM_ACCESS_KEY_PASSWORD=…
  export BM_AUTH_TOKEN="$(backup-maker login --access-key 'ci$nightly' -i app)"
  backup-maker login --access-key admin --role backupDownloader -i app --save-path token`,
    );
  addFlags(command, 'collection', 'server', 'output');
  return runs(command, outside, async (run) => {
    const { flags, console } = run;
    const { role, unlimited } = command.opts<{ role: string[]; unlimited?: boolean }>();
    const scope = unlimited
      ? undefined
      : { elements: [{ type: 'collection' as const, name: collectionOf(flags), roles: role }] };
    const { savePath } = flags;
    // A token that nobody gets is revoked again.
    await withRepository(
      run,
      async (repository) => {
        if (scope) repository.limitTo(scope);
        const { token, expire } = await repository.login();
        console.info('Logged in', { expires: expire });
        if (savePath === undefined) return run.result({ token, expire }, token);
        await replaceFile(savePath, `${token}\n`);
        if (flags.json) await run.result({ file: savePath, expire }, '');
      },
      { keepSession: true },
    );
  });
}
