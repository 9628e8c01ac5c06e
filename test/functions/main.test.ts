import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const main = join(import.meta.dirname, '../../functions/expand-backups/main.ts');
const full = '/dev/full';
const test = suite('expand-backups');

if (existsSync(full)) {
  test('a full disk behind standard output is a sentence and a failure, never half a list with success', () => {
    const output = openSync(full, 'w');
    const { status, stderr } = spawnSync(process.execPath, [main], {
      input: 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n',
      stdio: ['pipe', output, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(output);
    assert.is(status, 74);
    assert.match(stderr, /^error: standard input or output does not work: ENOSPC[^\n]*\n$/);
  });
}

test('an unknown argument shows the usage', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--nonsense'], { encoding: 'utf8' });
  assert.is(status, 2);
  assert.is(stdout, '');
  assert.match(stderr, 'unknown argument "--nonsense"');
});

test.run();
