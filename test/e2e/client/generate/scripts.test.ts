/** Generated scripts in real shells: checked by shellcheck, and run with a stand-in for the client. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Operation } from '../../../../src/api/procedure.ts';
import type { GenerateOptions } from '../../../../src/cli/maker-generate-options.ts';
import { generate } from '../../../../src/cli/maker-generate-run.ts';
import { cases } from '../../../cli/maker-generate-cases.ts';
import { filesOf, folderWith, type Ran, run, succeed, write } from '../../sandbox.ts';

const test = suite('client: generated scripts');

for (const { name, options } of cases.filter((one) => !one.options.kubernetes)) {
  test(`shells and shellcheck have nothing to say: ${name}, ${options.operation}`, async () => {
    const folder = folderWith();
    await generate({ ...options, outputDir: folder });
    const script = join(folder, `${options.operation}.sh`);
    const posix = readFileSync(script, 'utf8').startsWith('#!/bin/sh');
    for (const shell of posix ? ['bash', 'dash', 'sh'] : ['bash'])
      assert.is(succeed(shell, ['-n', script]), '');
    assert.is(succeed('shellcheck', ['--severity=style', script]), '');
  });
}

/**
 * In place of the client: runs the command as the client does, without its secrets, keeps what it wrote or gives it back, and
 * notes what it was called with.
 */
const CLIENT = `#!/bin/bash
set -e
operation=$1
shift
while [ $# -gt 0 ]; do
  case $1 in
    -c | --cmd) command=$2; shift 2 ;;
    --key | --private-key) key=$2; printf '%s\\n' "$1" "$2" >>"$STORE/arguments"; shift 2 ;;
    *) printf '%s\\n' "$1" >>"$STORE/arguments"; shift ;;
  esac
done
printf '%s\\n' "$BM_URL" "$BM_COLLECTION_ID" "$BM_AUTH_TOKEN" "$BM_VERSION" >"$STORE/settings"
cat "\${key:-\${BM_PUBLIC_KEY_PATH:-$BM_PRIVATE_KEY_PATH}}" >"$STORE/key"
unset BM_AUTH_TOKEN BM_PASSPHRASE
if [ "$operation" = make ]; then
  /bin/bash -eo pipefail -c "$command" >"$STORE/version"
else
  /bin/bash -eo pipefail -c "$command" <"$STORE/version"
fi
`;

interface Machine {
  folder: string;
  store: string;
  /** Runs a generated script in a shell, from another folder. */
  start(operation: Operation, env?: Record<string, string>, shell?: string): Ran;
}

const KEYS = {
  public: '-----BEGIN PGP PUBLIC KEY BLOCK-----\npublic\n',
  private: '-----BEGIN PGP PRIVATE KEY BLOCK-----\nprivate\n',
};

async function machine(
  definition: string,
  template: string,
  files: Record<string, string> = {},
): Promise<Machine> {
  const folder = folderWith({
    'bin/backup-maker': CLIENT,
    'rkc-backup.yaml': definition,
    'store/empty': '',
    ...files,
  });
  chmodSync(join(folder, 'bin/backup-maker'), 0o755);
  write(folder, { 'public.key': KEYS.public, 'private.key': KEYS.private });
  const options = (operation: Operation): GenerateOptions => ({
    operation,
    template,
    gpgKeyPath: operation === 'backup' ? 'public.key' : 'private.key',
    outputDir: `it's a/${operation}`,
    cwd: folder,
    home: folder,
  });
  for (const operation of ['backup', 'restore'] as const) {
    const { problems } = await generate(options(operation));
    assert.equal(
      problems.filter(({ code }) => code !== 'plaintext-secret' && code !== 'expiring-token'),
      [],
    );
  }
  const store = join(folder, 'store');
  return {
    folder,
    store,
    start: (operation, env = {}, shell) => {
      const script = join(folder, `it's a/${operation}/${operation}.sh`);
      const [program = '', ...args] = shell ? [shell, script] : [script];
      return run(program, args, { cwd: '/', env: { STORE: store, ...env }, path: [join(folder, 'bin')] });
    },
  };
}

const tarDefinition = (path: string) =>
  `Params:\n  path: ${path}\nRepository:\n  url: https://backups.example.org\n  token: secret 'token'\n  collectionId: app\n`;

for (const shell of [undefined, 'bash', 'dash']) {
  test(`files go to the server and back with ${shell ?? 'the shell of the first line'}`, async () => {
    const data = folderWith({ a: 'one\n', 'b/c': 'two\n' });
    const { store, start } = await machine(tarDefinition(data), 'tar');
    const before = filesOf(data);

    const backup = start('backup', {}, shell);
    assert.is(backup.code, 0, backup.stderr);
    assert.is(
      readFileSync(join(store, 'settings'), 'utf8'),
      "https://backups.example.org\napp\nsecret 'token'\n\n",
    );
    assert.is(readFileSync(join(store, 'key'), 'utf8'), KEYS.public);
    assert.match(succeed('tar', ['-tf', join(store, 'version')]), /^\.\/b\/c$/m);
    assert.not.ok(existsSync(join(store, 'arguments')), 'something but the command was an argument');

    write(data, { a: 'changed\n', new: 'new\n' });
    rmSync(join(data, 'b'), { recursive: true });
    const restore = start('restore', { RESTORE_VERSION: '12' }, shell);
    assert.is(restore.code, 0, restore.stderr);
    assert.equal(filesOf(data), before);
    assert.match(readFileSync(join(store, 'settings'), 'utf8'), /\n12\n$/);
    assert.is(readFileSync(join(store, 'key'), 'utf8'), KEYS.private);
  });
}

test("a failure of the procedure is the script's", async () => {
  const { start } = await machine(tarDefinition('/nowhere'), 'tar');
  const { code, stderr } = start('backup');
  assert.is.not(code, 0);
  assert.match(stderr, /^files backup: \/nowhere is no folder\./m);
});

test('without its file the script takes secrets from the environment, and says which it lacks', async () => {
  const data = folderWith({ a: 'one\n' });
  const { folder, store, start } = await machine(tarDefinition(data), 'tar');
  rmSync(join(folder, "it's a/backup/backup.env"));
  const lacking = start('backup');
  assert.is(lacking.code, 2);
  assert.is(
    lacking.stderr,
    'backup.sh: BM_AUTH_TOKEN is not set: write it into backup.env beside this script, or set it in the environment\n',
  );
  assert.is(start('backup', { BM_ACCESS_KEY_USERNAME: 'app$key', BM_ACCESS_KEY_PASSWORD: 'x' }).code, 0);
  assert.is(start('backup', { BM_AUTH_TOKEN: 'mine' }).code, 0);
  assert.match(readFileSync(join(store, 'settings'), 'utf8'), /\nmine\n/);
});

test('a renamed and moved script works', async () => {
  const data = folderWith({ a: 'one\n' });
  const { folder, store, start } = await machine(tarDefinition(data), 'tar');
  mkdirSync(join(folder, 'moved'));
  for (const file of readdirSync(join(folder, "it's a/backup")))
    renameSync(
      join(folder, "it's a/backup", file),
      join(folder, 'moved', file === 'backup.sh' ? 'nightly' : file),
    );
  assert.ok(start);
  const { code, stderr } = run('./nightly', [], {
    cwd: join(folder, 'moved'),
    env: { STORE: store },
    path: [join(folder, 'bin')],
  });
  assert.is(code, 0, stderr);
  assert.match(succeed('tar', ['-tf', join(store, 'version')]), /^\.\/a$/m);
});

test('variables of whoever runs it do not choose what is backed up', async () => {
  const data = folderWith({ a: 'one\n', b: 'two\n' });
  const { store, start } = await machine(tarDefinition(data), 'tar');
  assert.is(start('backup', { FILES_EXCLUDE: './a', FILES_PATH: '/nowhere' }).code, 0);
  assert.match(succeed('tar', ['-tf', join(store, 'version')]), /^\.\/a$/m);
});

test('a template of the user runs as it would in the pod, in bash', async () => {
  const script = [
    '#!/bin/bash',
    'set -eu',
    'words=("{{ .Params.greeting }}" "{{ .Params.password }}")',
    'export WORDS="${words[*]}"',
    'backup-maker make --key {{ .Repository.encryptionKeyPath }} --auth-token="{{ .Repository.token }}" -c \'printf "%s" "$WORDS"\'',
  ].join('\n');
  const restore =
    '#!/bin/bash\nbackup-maker restore --private-key {{ .Repository.encryptionKeyPath }} -c "cat >$STORE/restored"\n';
  const definition = `${tarDefinition('/x').replace('  path: /x\n', `  greeting: hello\n  password: p"a$HOME\n`)}`;
  const { store, start } = await machine(definition, 'mine', {
    'templates/backup/mine.tmpl': script,
    'templates/restore/mine.tmpl': restore,
  });
  const backup = start('backup');
  assert.is(backup.code, 0, backup.stderr);
  assert.is(readFileSync(join(store, 'version'), 'utf8'), 'hello p"a$HOME');
  assert.is(
    readFileSync(join(store, 'arguments'), 'utf8'),
    "--key\n./gpg-key\n--auth-token=secret 'token'\n",
  );
  assert.is(start('restore').code, 0);
  assert.is(readFileSync(join(store, 'restored'), 'utf8'), 'hello p"a$HOME');
});

test.run();
