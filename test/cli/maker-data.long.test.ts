/** make, restore, download and check: what is stored, what comes back, and what is refused. */
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaintOf, exists, failedWith, MakerWorld, PASSPHRASE } from './maker-world.ts';

const test = suite('backup-maker: data');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

const TEXT = 'something worth keeping\n'.repeat(500);

/** What a restore's command got; undefined if its input never ended. */
async function restored(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const file = world.path(`restored-${Math.random()}`);
  const ran = await world.run(
    ['restore', '-c', `cat >'${file}.part' && mv '${file}.part' '${file}'`, ...args],
    {
      env,
    },
  );
  return { ...ran, text: exists(file) ? readFileSync(file, 'utf8') : undefined };
}

test('make and restore: age, by file and by recipient', async () => {
  const { agePublic, agePrivate, recipient } = world.keys;
  for (const args of [
    ['-k', agePublic],
    ['--key', agePublic],
    ['-r', recipient],
    ['--recipient', recipient, '-k', world.keys.otherPublic],
  ]) {
    const version = await world.made(TEXT, args);
    const back = await restored(['-p', agePrivate, '-s', String(version)]);
    assert.is(back.code, 0, back.err);
    assert.is(back.text, TEXT);
    assert.match(back.err, /msg="Backup restored" collection=app version=\d+ bytes=12000 /);
  }
});

test('make and restore: OpenPGP, with its passphrase from the variable, a flag or a file', async () => {
  const { pgpPublic, pgpPrivate } = world.keys;
  const version = await world.made(TEXT, ['-k', pgpPublic, '-r', 'ops@example.org']);
  const file = world.write('passphrase', `${PASSPHRASE}\n`);
  const at = ['-s', `v${version}`, '-p', pgpPrivate];
  for (const [args, env] of [
    [at, { BM_PASSPHRASE: PASSPHRASE }],
    [[...at, '--passphrase', PASSPHRASE], {}],
    [[...at, '--passphrase-file', file], {}],
    [at, { BM_PASSPHRASE_FILE: file }],
    [[...at, '-r', 'ops@example.org'], { BM_PASSPHRASE: PASSPHRASE }],
  ] as const) {
    const back = await restored(args, env);
    assert.is(back.code, 0, back.err);
    assert.is(back.text, TEXT);
  }
  failedWith(await restored(at), 6, /passphrase/, /BM_PASSPHRASE/);
  failedWith(await restored(at, { BM_PASSPHRASE: 'wrong' }), 6, /passphrase/, /BM_PASSPHRASE/);
});

test('what is stored is small, sealed, and says how it is compressed', async () => {
  const ran = await world.run([
    'make',
    '-c',
    `cat ${world.write('text', TEXT)}`,
    '-k',
    world.keys.agePublic,
    '--json',
  ]);
  const { collectionId, version, plainBytes, storedBytes, sha256, filename } = ran.json();
  assert.is(collectionId, 'app');
  assert.is(plainBytes, TEXT.length);
  assert.ok(Number(storedBytes) < 1000);
  const [found] = (await world.versions()).filter(({ versionNumber }) => versionNumber === version);
  assert.is(found?.sha256, sha256);
  assert.is(found?.filesize, storedBytes);
  assert.is(found?.filename, filename);
  assert.is(found?.contentEncoding, 'zstd');
  assert.is(found?.format, 'age');
  // Log lines are JSON too.
  const [line = ''] = ran.err.trim().split('\n');
  const { level, msg } = JSON.parse(line) as Record<string, unknown>;
  assert.equal([level, msg], ['info', 'Version uploaded']);
});

test('compression: as said, and undone as it was done', async () => {
  for (const how of ['none', 'zstd', 'zstd:9']) {
    const version = await world.made(TEXT, ['-k', world.keys.agePublic, '--compress', how]);
    const found = (await world.versions()).find(({ versionNumber }) => versionNumber === version);
    assert.is(found?.contentEncoding, how === 'none' ? 'identity' : 'zstd');
    assert.is((found?.filesize ?? 0) < 1000, how !== 'none');
    assert.is((await restored(['-p', world.keys.agePrivate], { BM_VERSION: String(version) })).text, TEXT);
  }
  // Data that is zstd itself stays what it is.
  const data = zstdCompressSync(TEXT);
  const source = world.path('data.zst');
  writeFileSync(source, data);
  for (const how of ['none', 'zstd']) {
    const made = await world.run(['make', '-c', `cat ${source}`, '-k', world.keys.agePublic], {
      env: { BM_COMPRESS: how },
    });
    assert.is(made.code, 0, made.err);
    const file = world.path(`back-${how}.zst`);
    assert.is((await world.run(['download', '--save-path', file, '-p', world.keys.agePrivate])).code, 0);
    assert.equal(readFileSync(file), data);
  }
});

test('zstd of which nobody says whose it is is not guessed at', async () => {
  const version = await world.upload(zstdCompressSync(TEXT), 'open');
  const at = ['-i', 'open', '-s', String(version)];
  const refused = await restored(at);
  failedWith(refused, 2, /nothing says whether/, /--decompress zstd/);
  assert.is(refused.text, undefined);
  assert.is((await restored([...at, '--decompress', 'zstd'])).text, TEXT);
  const file = world.path('as-is.zst');
  assert.is(
    (await world.run(['download', '--save-path', file, '--no-encryption', '--decompress', 'none', ...at]))
      .code,
    0,
  );
  assert.equal(readFileSync(file), zstdCompressSync(TEXT));
  assert.is((await restored(at, { BM_DECOMPRESS: 'zstd' })).text, TEXT);
});

test('a backup that is not encrypted has to be asked for', async () => {
  const at = ['make', '-i', 'open', '-c', 'echo plain'];
  failedWith(await world.run(at), 2, /for whom to encrypt/, /--key .*--recipient .*--no-encryption/);
  for (const [args, env] of [
    [['--no-encryption'], {}],
    [[], { BM_NO_ENCRYPTION: 'true' }],
    [['-k', ''], {}],
    [['--key', '', '--recipient', ''], {}],
  ] as const) {
    const ran = await world.run([...at, ...args], { env });
    assert.is(ran.code, 0, ran.err);
    assert.match(ran.err, /level=warning msg="not encrypted: whoever has the server can read this backup"/);
  }
  for (const [args, env] of [
    [['--no-encryption', '-k', world.keys.agePublic], {}],
    [['--no-encryption'], { BM_PUBLIC_KEY_PATH: world.keys.agePublic }],
    [['-k', world.keys.agePublic], { BM_NO_ENCRYPTION: 'yes' }],
    [['-r', world.keys.recipient, '--no-encryption'], {}],
  ] as const) {
    failedWith(await world.run([...at, ...args], { env }), 2, /--no-encryption excludes --key/, /unset /);
  }
  assert.is((await restored(['-i', 'open'])).text, 'plain\n');
  failedWith(
    await restored(['-i', 'open', '-p', world.keys.agePrivate]),
    11,
    /not encrypted, although a private key was given/,
    /--no-encryption/,
  );
  failedWith(
    await restored(['-p', world.keys.agePrivate, '--no-encryption']),
    2,
    /--no-encryption excludes --private-key/,
    /unset /,
  );
});

test('keys that are missing, wrong, or none', async () => {
  const version = String(await world.made(TEXT));
  const restore = (...args: string[]) => restored(['-s', version, ...args]);
  const { agePublic, otherPrivate, pgpPrivate, agePrivate } = world.keys;
  const nothing = world.write('nothing', '');
  const rubbish = world.write('rubbish', 'not a key\n');
  const absent = world.path('absent');
  for (const [ran, message, hint] of [
    [
      await restore(),
      /encrypted with age, and no private key was given/,
      /--private-key .*BM_PRIVATE_KEY_PATH/,
    ],
    [await restore('-p', otherPrivate), /key/, /--private-key/],
    [await restore('-p', absent), /cannot read .*absent: there is no such file/, undefined],
    [await restore('-p', world.folder), /it is a folder/, undefined],
    [await restore('-p', nothing), /nothing is empty/, undefined],
    [await restore('-p', rubbish), /rubbish: /, undefined],
    [await restore('-p', agePublic), /age\.pub: /, undefined],
    [
      await restored(['-s', version, '-p', pgpPrivate], { BM_PASSPHRASE: PASSPHRASE }),
      /encrypted with age, and the key is one of OpenPGP/,
      undefined,
    ],
    [await world.run(['make', '-c', 'echo', '-k', agePrivate]), /age\.key: /, undefined],
    [await world.run(['make', '-c', 'echo', '-k', absent]), /--key: cannot read/, undefined],
    [await world.run(['make', '-c', 'echo', '-r', 'age1broken']), /^--recipient: .*age1/, undefined],
    [
      await world.run(['make', '-c', 'echo', '-k', world.keys.pgpPublic, '-r', 'nobody@example.org']),
      /nobody@example\.org/,
      undefined,
    ],
  ] as const) {
    failedWith(ran, 6, message, hint);
  }
});

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

test('the original server says nothing of a version: what it has is opened as it is', async () => {
  const number = await world.made(TEXT, ['-k', world.keys.pgpPublic, '--armor', '--compress', 'none']);
  const stored = (await world.ask('GET', `/api/alpha/repository/collection/app/version/${number}`)).bytes;
  assert.match(stored.toString('latin1'), /^-----BEGIN PGP MESSAGE-----/);
  // Stored again without metadata, as the original's client would have.
  const version = await world.upload(stored);
  const [found] = (await world.versions()).filter(({ versionNumber }) => versionNumber === version);
  assert.not.ok(found?.contentEncoding);
  const back = await restored(['-s', String(version), '-p', world.keys.pgpPrivate], {
    BM_PASSPHRASE: PASSPHRASE,
  });
  assert.is(back.text, TEXT);
  failedWith(
    await world.run(['make', '-c', 'echo', '-k', world.keys.agePublic, '--armor']),
    2,
    /--armor is for OpenPGP/,
  );
  assert.is(
    (await world.run(['make', '-c', 'echo a', '-k', world.keys.pgpPublic], { env: { BM_ARMOR: '1' } })).code,
    0,
  );
  assert.is((await world.versions()).at(-1)?.format, 'openpgp-armor');
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
  // Without the right key nothing is said about the version.
  failedWith(await world.run(['check', '--all', ...at]), 6, /no private key was given/, /--private-key/);
  failedWith(await world.run(['check', ...at, '-p', world.keys.otherPrivate]), 6, /key/, /--private-key/);
  const mixed = await world.run(['check', '--all', ...at, '-p', world.keys.otherPrivate]);
  failedWith(mixed, 13, /3 of 3/);
  assert.match(mixed.out, /version 1: CANNOT BE READ: /);
  failedWith(await world.run(['check', '--all', '-i', 'never', ...key]), 9, /holds no version/);
});

test('damaged bytes in the storage are restored by nobody', async () => {
  for (const args of [
    ['-k', world.keys.agePublic],
    ['-k', world.keys.pgpPublic],
  ]) {
    const version = await world.made(TEXT, args);
    world.damage('app', version);
    const key = args[1] === world.keys.agePublic ? world.keys.agePrivate : world.keys.pgpPrivate;
    const back = await restored(['-s', String(version), '-p', key], { BM_PASSPHRASE: PASSPHRASE });
    failedWith(back, 11, /./);
    assert.is(back.text, undefined, 'the input of the command never ended');
  }
});

test('a wrong command leaves no version', async () => {
  const before = (await world.versions()).length;
  const key = ['-k', world.keys.agePublic];
  const bare = { env: { PATH: world.barePath() } };
  const make = (command: string, ...args: string[]) =>
    world.run(['make', '-c', command, ...key, ...args], bare);
  failedWith(await make('echo some; exit 7'), 3, /failed with exit code 7/);
  failedWith(await make('echo some; kill -9 $$'), 3, /killed by SIGKILL/, /OOMKilled/);
  failedWith(
    await make('echo some; sleep 30', '--timeout', '0.3'),
    4,
    /did not end within 0.3 seconds/,
    /--timeout/,
  );
  failedWith(await make('true'), 5, /wrote nothing/);
  const variable = { env: { PATH: world.barePath(), BM_TIMEOUT: '0.3' } };
  failedWith(
    await world.run(['make', '--timeout', '60', '-c', 'sleep 30', ...key], variable),
    4,
    /0.3 seconds/,
  );
  failedWith(await world.run(['make', ...key]), 2, /--cmd is missing/, /BM_CMD/);
  assert.is((await world.versions()).length, before);
});

test('a signal: nothing is stored, and the exit status is the signal’s', async () => {
  const before = (await world.versions()).length;
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const) {
    const started = world.path(`started-${signal}`);
    const ran = await world.run(
      ['make', '-c', `echo some; echo > ${started}; sleep 30`, '-k', world.keys.agePublic],
      {
        env: { PATH: world.barePath() },
        stop: (send) => {
          const timer = setInterval(() => {
            if (!exists(started)) return;
            clearInterval(timer);
            send(signal);
          }, 10);
        },
      },
    );
    failedWith(ran, status, new RegExp(`^stopped by ${signal}: `));
  }
  assert.is((await world.versions()).length, before);
});

test('our secrets are kept from the command, and everything else gets there', async () => {
  const file = world.write('secret', PASSPHRASE);
  const env = {
    BM_PASSPHRASE: PASSPHRASE,
    BM_PASSPHRASE_FILE: file,
    BM_AUTH_TOKEN_FILE: world.write('token', world.env.BM_AUTH_TOKEN ?? ''),
    PGPASSWORD: 'goes there',
  };
  const made = await world.run(['make', '-c', 'env', '-k', world.keys.agePublic], { env });
  assert.is(made.code, 0, made.err);
  const { out } = await world.run(['download', '--save-path', '-', '-p', world.keys.agePrivate]);
  assert.match(out, 'PGPASSWORD=goes there');
  assert.not.match(out, /BM_(AUTH_TOKEN|PASSPHRASE|ACCESS_KEY_PASSWORD)/);
});

test('progress on a terminal is a line that is gone at the end', async () => {
  const ran = await world.run(
    ['make', '-c', `cat ${world.write('some', TEXT)}`, '-k', world.keys.agePublic],
    {
      terminal: true,
    },
  );
  assert.is(ran.code, 0);
  assert.match(ran.err, /\ruploading \d/);
  assert.ok(ran.err.includes('\r\u001b[KVersion uploaded (collection app, version '), ran.err);
  const never = { env: { BM_PROGRESS: 'never' }, terminal: true };
  const silent = await world.run(
    ['make', '-c', 'echo', '-k', world.keys.agePublic, '--progress', 'always'],
    never,
  );
  assert.not.match(silent.err, /\r/);
  const always = await world.run(['make', '-c', 'echo', '-k', world.keys.agePublic, '--progress', 'always']);
  assert.match(always.err, /\ruploading/);
  const quiet = await world.run(['make', '-c', 'echo', '-k', world.keys.agePublic, '--log-level', 'panic']);
  assert.is(quiet.err, '');
  const failed = await world.run(['make', '-c', 'exit 9', '-k', world.keys.agePublic], { terminal: true });
  assert.ok(failed.err.includes('backup-maker: error: the dump command failed with exit code 9'), failed.err);
  assert.is(complaintOf(await world.run(['make', '-c', 'exit 9', '-k', world.keys.agePublic])).status, 3);
});

test.run();
