/** The built program beside the tools of others: the original's command lines, gpg, age and curl. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MakerWorld } from '../../../cli/maker-world.ts';
import { Gpg } from '../../crypto/openpgp/gpg.ts';
import { folderWith } from '../../sandbox.ts';
import { pathWith, succeed } from './stock.ts';

const test = suite('client: interoperation of the program');
const world = new MakerWorld();
const gpg = new Gpg();
const folder = folderWith();
let env: NodeJS.ProcessEnv = {};

const DUMP = Array.from({ length: 5000 }, (_, index) => `row ${index}\n`).join('');

test.before(async () => {
  await world.open();
  // As the original's controller makes them: RSA, and no passphrase.
  gpg.makeKey('backups@example.org', [
    'Key-Type: RSA',
    'Key-Length: 2048',
    'Subkey-Type: RSA',
    'Subkey-Length: 2048',
  ]);
  writeFileSync(join(folder, 'public.asc'), gpg.run(['--armor', '--export']));
  writeFileSync(join(folder, 'private.asc'), gpg.run(['--armor', '--export-secret-keys']));
  writeFileSync(join(folder, 'dump.sql'), DUMP);
  env = {
    PATH: pathWith('gpg age age-keygen zstd', ['backup-maker']),
    HOME: folder,
    TMPDIR: folder,
    LC_ALL: 'C',
    GNUPGHOME: gpg.home,
    ...world.env,
    BM_COLLECTION_ID: 'app',
  };
});
test.after(async () => {
  gpg.close();
  await world.close();
});

const shell = (script: string, more: NodeJS.ProcessEnv = {}) =>
  succeed('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env: { ...env, ...more } });

const VERSIONS = '"$BM_URL/api/alpha/repository/collection/app/version';

test('what the original made: gpg and curl upload, we restore', async () => {
  await shell(
    `cat dump.sql | gpg --homedir="$GNUPGHOME" --encrypt --always-trust --recipient='backups@example.org' --armor --batch --yes |
      curl -fsS -H "Authorization: Bearer $BM_AUTH_TOKEN" --data-binary @- ${VERSIONS}"`,
  );
  await shell(
    `backup-maker restore --private-key private.asc --recipient backups@example.org --cmd 'cat > restored.sql'`,
  );
  assert.ok(readFileSync(join(folder, 'restored.sql'), 'utf8') === DUMP);
  await shell('backup-maker check -p private.asc');
});

test('what the original shall read: our armour through its command line', async () => {
  await shell(
    `backup-maker make --armor --compress none --key public.asc --recipient backups@example.org --cmd 'cat dump.sql'`,
  );
  await shell(
    `curl -fsS -H "Authorization: Bearer $BM_AUTH_TOKEN" ${VERSIONS}/latest" |
      gpg --homedir="$GNUPGHOME" --decrypt --recipient='backups@example.org' --armor --passphrase='' --batch --yes --pinentry-mode loopback --verbose |
      cat - > theirs.sql`,
  );
  assert.ok(readFileSync(join(folder, 'theirs.sql'), 'utf8') === DUMP);
});

for (const format of ['age', 'age-pq', 'openpgp']) {
  test(`keygen --print-commands: the stock tools make keys that work: ${format}`, async () => {
    const home = folderWith();
    // Where a person would be asked for a passphrase, and leave it empty.
    writeFileSync(join(home, 'gpg.conf'), "batch\npinentry-mode loopback\npassphrase ''\nyes\n");
    const other = new Gpg();
    try {
      writeFileSync(join(other.home, 'gpg.conf'), 'batch\npinentry-mode loopback\npassphrase-file empty\n');
      writeFileSync(join(folder, 'empty'), '\n');
      const key = `${format} key`;
      const printed = await shell(
        `backup-maker keygen --print-commands --format ${format} --out '${key}' --name "O'Neil" --email o.neil@example.org`,
      );
      await shell(printed, { GNUPGHOME: other.home });
      assert.is(statSync(join(folder, key)).mode & 0o077, 0, 'for its owner only');
      await shell(`backup-maker make -k '${key}.pub' -c 'cat dump.sql'`);
      await shell(`backup-maker restore -p '${key}' -c 'cat > "${format}.sql"'`);
      assert.ok(readFileSync(join(folder, `${format}.sql`), 'utf8') === DUMP);
    } finally {
      other.close();
    }
  });
}

test('standard output that is closed early, and one that is full', async () => {
  await shell(`backup-maker make -k public.asc -c 'cat dump.sql dump.sql dump.sql'`);
  const early = `backup-maker download -p private.asc --save-path - 2> said | head -c 10 > /dev/null; echo "\${PIPESTATUS[0]}"`;
  // 64 KiB fit into the pipe, so the end may come before head has left.
  assert.match(await shell(`set +e; ${early}`), /^(74|0)\n$/);
  const full = await shell('set +e; backup-maker list > /dev/full 2> said; echo "$?"; cat said');
  assert.match(full, /^74\n.*cannot write the output: /);
  assert.not.match(full, /\n\s+at /);
  assert.match(
    await shell(
      'set +e; backup-maker download -p private.asc --save-path - > /dev/full 2> said; echo "$?"; cat said',
    ),
    /^74\n[\s\S]*the disk is full/,
  );
});

test('completion: sourced by bash', async () => {
  const words = await shell(
    'source <(backup-maker completion bash); COMP_WORDS=(backup-maker rest); COMP_CWORD=1; _backup_maker; echo "${COMPREPLY[@]}"',
  );
  assert.is(words, 'restore\n');
});

test.run();
