import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../eventually.ts';

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

test('stopped from the keyboard in the middle, it ends at once, and leaves nothing either', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'demo-test-'));
  try {
    const child = spawn(process.execPath, [demo], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let shown = '';
    for await (const text of child.stdout) {
      shown += String(text);
      // As a terminal does: to the whole group.
      if (shown.includes('3. The files')) process.kill(-(child.pid ?? 0), 'SIGINT');
    }
    await eventually('its end', () => child.exitCode !== null);
    assert.is(child.exitCode, 130);
    assert.not.match(shown, 'the server holds');
    assert.not.match(shown, '6. The same Job');
    assert.equal(readdirSync(temporary), []);
    await eventually('the end of what it started', () => processesWith(temporary).length === 0);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
});

/** Ids of those that have the text in their environment. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

test.run();
