/** The commands that look: list, status, login. */
import { Command } from 'commander';
import { failure } from '../client/failure.ts';
import { replaceFile } from '../client/save.ts';
import { type Status, statusesOf } from '../client/status.ts';
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
    .description(
      'how collections are: health, age and size; exits with 13 if one is not well or cannot be asked',
    )
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
      return statusesOf(repository, ids, flags.healthCode);
    });
    const now = Date.now();
    const rows = statuses.map(({ collectionId, versions, storedBytes, newestAt, reason, ...status }) => [
      collectionId,
      healthIn(status),
      versions === undefined ? '' : String(versions),
      storedBytes === undefined ? '' : formatBytes(storedBytes),
      versions === undefined ? '' : newestAt === undefined ? 'never' : formatAge(now - Date.parse(newestAt)),
      reason ?? '',
    ]);
    const collections = statuses.map(({ problem, ...status }) => ({
      ...status,
      failed: problem?.problem.code,
    }));
    await run.result(
      { collections },
      table(['COLLECTION', 'HEALTH', 'VERSIONS', 'STORED', 'NEWEST', 'REASON'], rows),
    );
    refuseUnlessWell(statuses);
  });
}

function healthIn({ healthy, problem }: Pick<Status, 'healthy' | 'problem'>): string {
  if (problem) return 'NOT KNOWN';
  return healthy === undefined ? 'unknown' : healthy ? 'well' : 'NOT WELL';
}

/** @throws {UserError} `unhealthy`; if none could be asked, for one reason, that reason. */
function refuseUnlessWell(statuses: readonly Status[]): void {
  const problems = statuses.flatMap(({ problem }) => (problem ? [problem] : []));
  const [first] = problems;
  if (first && problems.length === statuses.length) {
    const { code, proposal } = first.problem;
    if (problems.length === 1) throw first;
    if (problems.every(({ problem }) => problem.code === code))
      throw failure(code, `none of ${problems.length} collections could be asked, see above`, proposal);
  }
  const named = (words: string, found: readonly Status[]): string[] =>
    found.length === 0 ? [] : [`${words}: ${found.map(({ collectionId }) => collectionId).join(', ')}`];
  const wrong = [
    ...named(
      'not well',
      statuses.filter(({ healthy }) => healthy === false),
    ),
    ...named(
      'not known',
      statuses.filter(({ problem }) => problem),
    ),
  ];
  if (wrong.length > 0) throw failure('unhealthy', wrong.join('; '));
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
