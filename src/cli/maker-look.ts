/** The commands that look: list, status, login. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { UserError } from '../api/problem.ts';
import { failure } from '../client/failure.ts';
import type { Repository } from '../client/http/repository.ts';
import { statusOf } from '../client/status.ts';
import { addFlags } from './maker-flags.ts';
import { collectionOf } from './maker-options.ts';
import { runs, withRepository } from './maker-run.ts';
import type { MakerOutside } from './outside.ts';
import { formatBytes } from './progress.ts';
import { formatAge, table } from './table.ts';

export function listCommand(outside: MakerOutside): Command {
  const command = new Command('list').description('list the versions of a collection, oldest first');
  addFlags(command, 'collection', 'server');
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
    run.result({ collectionId, versions }, rows.length === 0 ? 'no versions yet' : table(header, rows));
  });
}

export function statusCommand(outside: MakerOutside): Command {
  const command = new Command('status')
    .description('how collections are: health, age and size; exits with 13 if one is not well')
    .argument('[collections...]', 'default: the one of --collection-id, else all that the account may see')
    .option('--health-code <code>', "the collection's health code, if it has one [BM_HEALTH_CODE]");
  addFlags(command, 'collection', 'server');
  return runs(command, outside, async (run) => {
    const { flags } = run;
    const named = command.args.length > 0 ? command.args : flags.collectionId ? [flags.collectionId] : [];
    const code = flags.healthCode ?? outside.env.BM_HEALTH_CODE;
    const statuses = await withRepository(run, async (repository) => {
      const ids = named.length > 0 ? named : (await repository.collections()).map(({ id }) => id);
      return Promise.all(ids.map((id) => statusOf(repository, id, code)));
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
    run.result(
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
    .option('--role <role...>', 'what the token may do', ['backupUploader', 'backupDownloader'])
    .option('--unlimited', 'a token for all that the account may do')
    .option(
      '--save-path <file>',
      'write the token into a file that only its owner can read, instead of printing it',
    )
    .addHelpText(
      'after',
      `
Examples:
  export BM_AUTH_TOKEN=$(backup-maker login --access-key 'ci$nightly' -i app)
  backup-maker login --access-key admin --role backupDownloader -i app --save-path token`,
    );
  addFlags(command, 'collection', 'server');
  return runs(command, outside, async (run) => {
    const { flags, console } = run;
    const { role, unlimited } = command.opts<{ role: string[]; unlimited?: boolean }>();
    const scope = unlimited
      ? undefined
      : { elements: [{ type: 'collection' as const, name: collectionOf(flags), roles: role }] };
    const { token, expire } = await withRepository(run, (repository) => login(repository, scope), {
      keepSession: true,
    });
    console.info('Logged in', { expires: expire });
    if (flags.savePath === undefined) run.result({ token, expire }, token);
    else await saveToken(flags.savePath, token);
  });
}

async function login(
  repository: Repository,
  scope: Parameters<Repository['limitTo']>[0] | undefined,
): Promise<{ token: string; expire: string }> {
  if (scope) repository.limitTo(scope);
  return repository.login();
}

async function saveToken(file: string, token: string): Promise<void> {
  try {
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw failure(
      'output-failed',
      `cannot write ${file}: ${code === 'EEXIST' ? 'there is such a file already' : message}`,
      '--save-path <another file>',
      error,
    );
  }
}
