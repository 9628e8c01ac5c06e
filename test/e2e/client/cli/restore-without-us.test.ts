/** docs/restore-without-us.md on a machine that has never seen us: versions that the client made, and stock tools only. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MakerWorld, PASSWORD } from '../../../cli/maker-world.ts';
import { collection } from '../../../server/http/documents.ts';
import { Gpg } from '../../crypto/openpgp/gpg.ts';
import { blocksOf } from '../../guide.ts';
import { folderWith, root } from '../../sandbox.ts';
import { pathWith, start, succeed } from './stock.ts';

const test = suite('docs/restore-without-us.md');
const world = new MakerWorld();
const gpg = new Gpg();
test.before(() => world.open([collection('shop')]));
test.after(async () => {
  gpg.close();
  await world.close();
});

const DUMP = Array.from({ length: 20_000 }, (_, index) => `INSERT INTO orders VALUES (${index});\n`).join('');

test('its commands give back what was backed up, byte for byte, with nothing of ours', async () => {
  const folder = folderWith();
  const path = pathWith('age age-keygen gpg zstd');
  const env = {
    PATH: path,
    HOME: folder,
    LC_ALL: 'C',
    GNUPGHOME: gpg.home,
    BACKUP_URL: world.url,
    BACKUP_USER: 'admin',
    BACKUP_PASSWORD: PASSWORD,
  };
  const own = await start('bash', ['-c', 'command -v backup-maker backup-repository expand-backups node'], {
    cwd: folder,
    env,
  });
  assert.is(own.stdout, '', 'none of our programs is there');

  // Keys of the stock tools, versions of our client.
  await succeed('age-keygen', ['-o', 'identity.txt'], { cwd: folder, env });
  writeFileSync(
    join(folder, 'recipients.txt'),
    await succeed('age-keygen', ['-y', 'identity.txt'], { cwd: folder, env }),
  );
  gpg.makeKey('ops@example.org', [
    'Key-Type: eddsa',
    'Key-Curve: ed25519',
    'Subkey-Type: ecdh',
    'Subkey-Curve: cv25519',
  ]);
  writeFileSync(join(folder, 'public.asc'), gpg.run(['--armor', '--export', 'ops@example.org']));
  const openpgp = await world.made(DUMP, ['-i', 'shop', '-k', join(folder, 'public.asc')]);
  await world.made(DUMP, ['-i', 'shop', '-k', join(folder, 'recipients.txt')]);
  const saved = join(folder, 'openpgp.bin');
  const download = ['download', '-i', 'shop', '-s', String(openpgp), '--as-stored', '--save-path', saved];
  assert.is((await world.run(download)).code, 0);

  const blocks = blocksOf(readFileSync(join(root, 'docs/restore-without-us.md'), 'utf8')).filter(
    ({ language }) => language === 'sh',
  );
  const script = [
    'set -eu',
    ...blocks.flatMap(({ line, text }) => [`echo "docs/restore-without-us.md:${line}"`, text]),
    'echo "all of it"',
  ].join('\n');
  const { stdout, stderr } = await start('bash', ['-c', script], { cwd: folder, env });
  assert.ok(stdout.endsWith('all of it\n'), `${stdout}\n${stderr}`);
  for (const name of ['dump', 'dump-openpgp', 'loaded.dump'])
    assert.ok(readFileSync(join(folder, name), 'utf8') === DUMP, name);
});

test.run();
