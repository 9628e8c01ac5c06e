/**
 * The guide of the server as an operator takes it who has never seen it: all of its `sh` blocks, in one shell, in an empty
 * folder, with curl and gpg. Only the port is another one, for it may be in use here.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../../free-port.ts';
import { blocksOf } from '../../guide.ts';
import { folderWith, root } from '../../sandbox.ts';

const test = suite('docs/server.md');

test('from nothing to a restored version, and everything after it', async () => {
  const blocks = blocksOf(readFileSync(join(root, 'docs/server.md'), 'utf8')).filter(
    ({ language }) => language === 'sh',
  );
  const program = folderWith();
  symlinkSync(join(root, 'dist/backup-repository/backup-repository.mjs'), join(program, 'backup-repository'));
  const folder = folderWith();
  const port = await freePort();
  const script = [
    'set -euo pipefail',
    // Whatever happens, nothing stays behind.
    'trap \'kill $(jobs -p) 2> /dev/null || true; gpgconf --homedir "$PWD/gnupg" --kill all || true\' EXIT',
    ...blocks.flatMap(({ line, text }) => [
      `echo "docs/server.md:${line}"`,
      text.replaceAll(':8080', `:${port}`),
    ]),
    'echo "all of it"',
  ].join('\n');
  const { stdout, stderr } = spawnSync('bash', ['-c', script], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 600_000,
    env: { ...process.env, PATH: `${program}:${process.env.PATH}`, LC_ALL: 'C', HOME: folder },
  });
  assert.ok(stdout.endsWith('all of it\n'), `${stdout}\n${stderr}`);
  assert.is(
    readFileSync(join(folder, 'restored/notes.txt'), 'utf8'),
    readFileSync(join(folder, 'notes.txt'), 'utf8'),
  );
  const objects = join(folder, 'repository/data/objects/first');
  const [stored = ''] = readdirSync(objects);
  const content = readFileSync(join(objects, stored));
  assert.not.ok(content.includes('something worth keeping'), 'what is stored is encrypted');
});

test.run();
