/** make and restore: what is stored, what comes back, and what is refused. */
import { readFileSync, writeFileSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exists, failedWith, MakerWorld, PASSPHRASE, TEXT } from './maker-world.ts';

const test = suite('backup-maker: data');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

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

test.run();
