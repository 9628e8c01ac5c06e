import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const demo = join(import.meta.dirname, '../../scripts/demo.ts');
const test = suite('demo');

test('on a machine with nothing but Node.js, shows what became of each source', () => {
  // A PATH with a shell and no kustomize or kpt.
  const env = { ...process.env, PATH: join(dirname(process.execPath), 'none') };
  const shown = execFileSync(process.execPath, [demo], { env, encoding: 'utf8' });
  assert.match(shown, 'Rendered by our own runner');
  assert.match(shown, /kind: CronJob[\s\S]*schedule: "?30 2 \* \* \*/);
  assert.match(shown, /ScheduledBackup\/shop\/database\n.*ConfigMap database-backup/);
  assert.match(shown, /CronJob database-backup {2}at 30 2 \* \* \* Europe\/Warsaw/);
  assert.match(shown, /Job restore-database-\w{10} {2}waits until suspend is set to false/);
  assert.not.match(shown.split('Rendered by')[1] ?? '', 'local-config', 'the sources are left out');
  assert.match(shown, 'Left out, because GNU tar', 'and says what it could not show');
});

test('backs up, destroys and restores real files, and leaves nothing behind', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'demo-test-'));
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [demo], {
      env: { ...process.env, TMPDIR: temporary },
      encoding: 'utf8',
    });
    assert.is(status, 0, stderr);
    if (spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU tar')) {
      assert.match(stdout, /msg="Version uploaded"/);
      assert.match(stdout, 'all 81 files are back');
      assert.match(stdout, 'this action was done before');
      assert.match(stdout, 'nothing was touched');
    }
    assert.equal(readdirSync(temporary), []);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
});

test.run();
