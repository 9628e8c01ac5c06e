/** docs/client.md as a newcomer takes it: all of its `sh` blocks in one shell, in an empty folder. Only the port is another one. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { freePort } from '../../../free-port.ts';
import { blocksOf } from '../../guide.ts';
import { folderWith, root } from '../../sandbox.ts';
import { pathWith, start } from './stock.ts';

const test = suite('docs/client.md');

test('from nothing to a restored folder, a check and keys of all kinds', async () => {
  const blocks = blocksOf(readFileSync(join(root, 'docs/client.md'), 'utf8')).filter(
    ({ language }) => language === 'sh',
  );
  const folder = folderWith();
  const port = await freePort();
  const script = [
    'set -euo pipefail',
    "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT",
    ...blocks.flatMap(({ line, text }) => [
      `echo "docs/client.md:${line}"`,
      text.replaceAll(':8080', `:${port}`),
    ]),
    'echo "all of it"',
  ].join('\n');
  const { stdout, stderr } = await start('bash', ['-c', script], {
    cwd: folder,
    env: { PATH: pathWith('', ['backup-maker', 'backup-repository']), LC_ALL: 'C', HOME: folder },
  });
  assert.ok(stdout.endsWith('all of it\n'), `${stdout}\n${stderr}`);

  assert.match(stdout, /\nVERSION +CREATED[^\n]*\n1 +\S+ +[\d.]+ KiB +age +zstd /);
  assert.match(stdout, /\nversion 1: intact, /);
  assert.match(stdout, /\nfirst +well +1 /);
  assert.match(stdout, /\nage-keygen -o backup\.key\n/);
  assert.is(readFileSync(join(folder, 'restored/data/numbers.txt'), 'utf8').length, 588_895);
  assert.is(statSync(join(folder, 'backup.key')).mode & 0o777, 0o600);
  const secret = parse(readFileSync(join(folder, 'secret.yaml'), 'utf8'));
  assert.equal([secret.kind, secret.metadata.namespace], ['Secret', 'shop']);
  const publicSecret = readFileSync(join(folder, 'public-secret.yaml'), 'utf8');
  assert.not.match(publicSecret, 'PRIVATE KEY');
  assert.match(readFileSync(join(folder, 'shop-gpg.key'), 'utf8'), 'PRIVATE KEY');

  const objects = join(folder, 'repository/data/objects/first');
  const [stored = ''] = readdirSync(objects);
  const content = readFileSync(join(objects, stored));
  assert.ok(content.subarray(0, 21).equals(Buffer.from('age-encryption.org/v1')));
  assert.ok(content.length < 588_895 / 2);
});

test.run();
