import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../eventually.ts';
import { check, find, folder, path, podUser } from './machine.ts';
import { refuse, run, succeed } from './scripts.ts';

const test = suite('files');
const oddName = `-rf "it's" $x \\ new\nline\x01é`;

let volume = '';
let params: Record<string, string>;

/** Type, mode, size, time, links and content of everything below the folder. */
const content = () =>
  check(
    'sh',
    [
      '-c',
      "find . -mindepth 1 ! -path ./lost+found -printf '%P|%y|%m|%n|%T@|%l\\n' | sort; find . -type f -exec sha256sum {} + | sort",
    ],
    {
      cwd: volume,
    },
  );

test.before.each(() => {
  volume = folder(podUser);
  params = { claim: 'app-data', path: volume };
  // What a fresh ext4 file system holds, and only root can read.
  mkdirSync(join(volume, 'lost+found'), { mode: 0o700 });
  mkdirSync(join(volume, '.hidden'));
  writeFileSync(join(volume, '.hidden', oddName), 'odd');
  writeFileSync(join(volume, 'app'), 'text', { mode: 0o750 });
  linkSync(join(volume, 'app'), join(volume, 'hard'));
  symlinkSync('/etc/passwd', join(volume, 'soft'));
  writeFileSync(join(volume, 'sparse'), 'x');
  truncateSync(join(volume, 'sparse'), 50_000_000);
  mkdirSync(join(volume, 'cache'));
  writeFileSync(join(volume, 'cache', 'a.log'), 'log');
  writeFileSync(join(volume, oddName), 'odd');
  mkdirSync(join(volume, 'read-only'));
  writeFileSync(join(volume, 'read-only', 'file'), 'x');
  chmodSync(join(volume, 'read-only'), 0o555);
  check('chown', ['-R', '--no-dereference', String(podUser), volume]);
  check('chown', ['root', join(volume, 'lost+found')]);
});

const backup = (more = {}) =>
  succeed({ procedure: 'files', operation: 'backup', params: { ...params, ...more } });
const restore = (input: Buffer) => succeed({ procedure: 'files', operation: 'restore', params, input });
const refuseRestore = (input: Buffer) => refuse({ procedure: 'files', operation: 'restore', params, input });

test('a load brings back names, modes, times, links and holes, and removes what came later', async () => {
  const before = content();
  const archive = await backup();
  assert.ok(archive.length < 200_000, 'holes are not stored');
  check('rm', [join(volume, 'app'), join(volume, 'soft')]);
  writeFileSync(join(volume, 'later'), '');
  writeFileSync(join(volume, 'hard'), 'changed');
  await restore(archive);
  assert.is(content(), before);
  assert.ok(statSync(join(volume, 'sparse')).blocks < 100, 'holes are holes again');
  assert.ok(existsSync(join(volume, 'lost+found')));
});

test('as root, owners are kept', async () => {
  check('chown', ['1234:5678', join(volume, 'app')]);
  const asRoot = { procedure: 'files', params, user: 0 } as const;
  const archive = await succeed({ ...asRoot, operation: 'backup' });
  check('chown', ['0:0', join(volume, 'app')]);
  await succeed({ ...asRoot, operation: 'restore', input: archive });
  const { uid, gid } = statSync(join(volume, 'app'));
  assert.equal([uid, gid], [1234, 5678]);
});

test('extended attributes are kept when asked for', async () => {
  check('setfattr', ['-n', 'user.origin', '-v', 'here', join(volume, 'app')]);
  const attributes = () => check('getfattr', ['--absolute-names', '-d', join(volume, 'app')]);
  const before = attributes();
  assert.match(before, /user\.origin="here"/);
  params.xattrs = 'true';
  const archive = await backup();
  check('setfattr', ['-x', 'user.origin', join(volume, 'app')]);
  await restore(archive);
  assert.is(attributes(), before);
});

test('patterns are left out', async () => {
  const names = (archive: Buffer) => check('tar', ['-tf', '-'], { input: archive });
  assert.match(names(await backup()), /cache\/a\.log/);
  const without = names(await backup({ exclude: './sparse\n*.log' }));
  assert.not.match(without, /a\.log|sparse/);
  assert.match(without, /app/);
  assert.not.match(without, /lost\+found/);
});

test('an archive of an earlier generator, packed with gzip, can be loaded', async () => {
  const before = content();
  const archive = join(folder(), 'archive.tar.gz');
  check('tar', ['--exclude=./lost+found', '--sparse', '--format=posix', '-czf', archive, '-C', volume, '.']);
  const input = readFileSync(archive);
  check('rm', [join(volume, 'app')]);
  await restore(input);
  assert.is(content(), before);
});

test('nothing changes places before the stream has ended', async () => {
  const input = await backup();
  writeFileSync(join(volume, 'hard'), 'changed');
  const changed = content();
  const killed = await run({
    ...{ procedure: 'files', operation: 'restore', params, input },
    beforeEnd: async () => {
      await eventually('a restore that has begun', () =>
        readdirSync(volume).some((name) => name.startsWith('.backup-maker-restore.')),
      );
      await sleep(300);
      return 'kill';
    },
  });
  assert.is(killed.signal, 'SIGKILL');
  const left = readdirSync(volume).filter((name) => name.startsWith('.backup-maker-restore.'));
  assert.is(left.length, 1);
  const blocked = await refuseRestore(input);
  assert.match(blocked.stderr, /an earlier restore was killed/);
  check('rm', ['-r', join(volume, left[0] as string)]);
  check('touch', ['-r', join(volume, 'app'), volume]);
  assert.is(content(), changed);

  const torn = await refuseRestore(input.subarray(0, Math.floor(input.length / 2)));
  assert.match(torn.stderr, /Nothing was changed/);
  assert.is(content(), changed);
});

test('when an old file cannot be moved, all stay where they were', async () => {
  const input = await backup();
  // A folder that belongs to another user cannot be moved into another folder.
  mkdirSync(join(volume, 'zz-foreign'), { mode: 0o755 });
  const before = content();
  const refused = await refuseRestore(input);
  assert.match(refused.stderr, /The old files are where they were/);
  assert.is(content(), before);
});

/** Programs of the machine, with an `mv` that does something more after each file. */
function whileMoving(what: string): string[] {
  const own = folder(podUser);
  writeFileSync(join(own, 'mv'), `#!/bin/sh\n${find('mv')} "$@" || exit\n${what}\n`, { mode: 0o755 });
  return [own, path];
}
const begun = () => readdirSync(volume).filter((name) => name.startsWith('.backup-maker-restore.'));

test('an application that goes on writing stops the restore, and nothing of it or of the old files is lost', async () => {
  const input = await backup();
  writeFileSync(join(volume, 'later'), 'newer than the backup');
  const before = content();
  // It finds its folder gone, and makes it anew.
  const programs = whileMoving(
    '[ -e "$FILES_PATH/cache" ] || [ -e "$HOME/once" ] || { mkdir "$FILES_PATH/cache" && : >"$FILES_PATH/cache/live" && : >"$HOME/once"; }',
  );
  const refused = await run({ procedure: 'files', operation: 'restore', params, input, programs });
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /Scale the application down.*The old files are where they were/);
  const [left = ''] = begun();
  assert.ok(refused.stderr.includes(join(volume, left, 'meanwhile')), refused.stderr);
  assert.ok(existsSync(join(volume, left, 'meanwhile', 'cache', 'live')));
  check('rm', ['-r', join(volume, left)]);
  assert.is(content(), before);
});

test('old files that cannot be moved back are kept, and it is said where', async () => {
  const input = await backup();
  writeFileSync(join(volume, 'later'), 'newer than the backup');
  const programs = whileMoving('mkdir -p "$FILES_PATH/cache" && : >"$FILES_PATH/cache/live"');
  const refused = await refuse({ procedure: 'files', operation: 'restore', params, input, programs });
  const [left = ''] = begun();
  const old = join(volume, left, 'old');
  assert.match(refused.stderr, /cannot be moved back/);
  assert.ok(refused.stderr.includes(old), refused.stderr);
  assert.ok(existsSync(join(old, 'cache', 'a.log')));
  assert.ok([volume, old].some((place) => existsSync(join(place, 'later'))));
});

test('a signal while files change places does not end it in the middle', async () => {
  const input = await backup();
  const before = content();
  check('rm', [join(volume, 'app')]);
  const programs = whileMoving('kill -TERM 0');
  await succeed({ procedure: 'files', operation: 'restore', params, input, programs });
  assert.is(content(), before);
  assert.equal(begun(), []);
});

test('an empty folder is not backed up unless it may be empty', async () => {
  const empty = folder(podUser);
  mkdirSync(join(empty, 'lost+found'));
  const refused = await refuse({
    procedure: 'files',
    operation: 'backup',
    params: { ...params, path: empty },
  });
  assert.match(refused.stderr, /is empty/);
  assert.is(refused.stdout.length, 0);
  await backup({ path: empty, allowEmpty: 'true' });
});

test('a file that cannot be read fails the backup', async () => {
  writeFileSync(join(volume, 'secret'), 'x');
  chmodSync(join(volume, 'secret'), 0);
  const refused = await refuse({ procedure: 'files', operation: 'backup', params });
  assert.match(refused.stderr, /securityContext/);
});

test.run();
