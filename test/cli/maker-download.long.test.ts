/** download and check: what is written where, what is left as it was, and what is told about versions. */
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exists, failedWith, MakerWorld, PASSWORD, TEXT } from './maker-world.ts';

const test = suite('backup-maker: download and check');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

test('download: decrypted, or as it is stored; readable by its owner only; in whole or not at all', async () => {
  const version = await world.made(TEXT);
  const at = ['download', '-s', String(version)];
  const plain = world.path('plain.txt');
  writeFileSync(plain, 'what was there before');
  const ran = await world.run([...at, '--save-path', plain, '-p', world.keys.agePrivate, '--json']);
  assert.is(ran.code, 0, ran.err);
  assert.is(readFileSync(plain, 'utf8'), TEXT);
  assert.is(statSync(plain).mode & 0o777, 0o600);
  const [found] = (await world.versions()).filter(({ versionNumber }) => versionNumber === version);
  const storedBytes = found?.filesize;
  assert.equal(ran.json(), {
    collectionId: 'app',
    version,
    plainBytes: TEXT.length,
    storedBytes,
    file: plain,
  });

  for (const args of [[], ['--as-stored', '-p', world.keys.agePrivate]]) {
    const stored = world.path('stored.age');
    assert.is((await world.run([...at, '--save-path', stored, ...args])).code, 0);
    assert.match(readFileSync(stored, 'latin1'), /^age-encryption\.org/);
    assert.is(statSync(stored).size, storedBytes);
  }

  const printed = await world.run([...at, '--save-path', '-', '-p', world.keys.agePrivate, '--json']);
  assert.is(printed.out, TEXT, 'nothing but the content');

  const link = world.path('link.txt');
  symlinkSync(plain, link);
  assert.is((await world.run([...at, '--save-path', link, '-p', world.keys.agePrivate])).code, 0);
  assert.ok(readdirSync(world.folder).includes('link.txt') && readFileSync(link, 'utf8') === TEXT);
  // A device is written to, and not replaced by a file.
  assert.is((await world.run([...at, '--save-path', '/dev/null', '-p', world.keys.agePrivate])).code, 0);
  assert.ok(statSync('/dev/null').isCharacterDevice());
});

test('download: a failure leaves what was there, and nothing else', async () => {
  const version = await world.made(TEXT.repeat(80), ['-k', world.keys.agePublic, '--compress', 'none']);
  world.damage('app', version);
  const file = world.write('kept.txt', 'what was there before');
  const at = ['download', '-s', String(version), '-p', world.keys.agePrivate];
  failedWith(await world.run([...at, '--save-path', file]), 11, /./);
  assert.is(readFileSync(file, 'utf8'), 'what was there before');
  assert.equal(
    readdirSync(world.folder).filter((name) => name.endsWith('.part')),
    [],
  );
  const good = ['download', '-p', world.keys.agePrivate, '-s', String(await world.made('x'))];
  failedWith(await world.run([...good, '--save-path', world.folder]), 74, /it is a folder/, /--save-path/);
  failedWith(
    await world.run([...good, '--save-path', world.path('no/such/folder')]),
    74,
    /the folder does not exist/,
    /--save-path/,
  );
  if (exists('/dev/full'))
    failedWith(await world.run([...good, '--save-path', '/dev/full']), 74, /the disk is full/, /--save-path/);
  failedWith(await world.run([...good, '--save-path', '']), 2, /--save-path is missing/, /--save-path app/);
});

test('download: a reader that leaves', async () => {
  await world.made(TEXT);
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
    },
  });
  const ran = await world.run(['download', '--save-path', '-', '-p', world.keys.agePrivate], { stdout });
  failedWith(ran, 74, /whatever reads the output stopped before its end/);
});

test('check: one version, all versions, and one of them damaged', async () => {
  const at = ['-i', 'checked'];
  for (const text of ['one', 'two', 'three']) await world.made(text, ['-k', world.keys.agePublic, ...at]);
  const key = ['-p', world.keys.agePrivate];
  const one = await world.run(['check', ...at, ...key]);
  assert.is(one.code, 0, one.err);
  assert.match(one.out, /^version 3: intact, 5 B \(\d+ B stored\)\n$/);
  world.damage('checked', 2);

  const all = await world.run(['check', '--all', ...at, ...key]);
  failedWith(all, 13, /1 of 3 versions cannot be relied on/);
  assert.match(all.out, /^version 1: intact.*\nversion 2: NOT INTACT: .*\nversion 3: intact.*\n$/);
  const json = await world.run(['check', '--all', '--json', ...at, ...key]);
  const lines = json.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(
    lines.map(({ version, intact, code }) => [version, intact, code]),
    [
      [1, true, undefined],
      [2, false, 'damaged'],
      [3, true, undefined],
    ],
  );
  failedWith(await world.run(['check', '-s', '2', ...at, ...key]), 13, /cannot be relied on/, /check --all/);
  // As a machine does it, which logs in for it.
  const env = {
    BM_AUTH_TOKEN: '',
    BM_ACCESS_KEY_USERNAME: 'machine$reader',
    BM_ACCESS_KEY_PASSWORD: PASSWORD,
  };
  const reader = await world.run(['check', '--all', ...at, ...key], { env });
  failedWith(reader, 13, /1 of 3 versions cannot be relied on/);
  assert.is(reader.out, all.out);
  const scopes = (await world.metadata.sessions.listOf('machine', 10)).map(
    ({ scope }) => JSON.parse(scope) as unknown,
  );
  assert.equal(
    scopes,
    [{ elements: [{ type: 'collection', name: 'checked', roles: ['backupDownloader'] }] }],
    'one session, limited to reading',
  );
  // Without the right key nothing is said about the version.
  failedWith(await world.run(['check', '--all', ...at]), 6, /no private key was given/, /--private-key/);
  failedWith(await world.run(['check', ...at, '-p', world.keys.otherPrivate]), 6, /key/, /--private-key/);
  const mixed = await world.run(['check', '--all', ...at, '-p', world.keys.otherPrivate]);
  failedWith(mixed, 13, /3 of 3/);
  assert.match(mixed.out, /version 1: CANNOT BE READ: /);
  failedWith(await world.run(['check', '--all', '-i', 'never', ...key]), 9, /holds no version/);
});

test.run();
