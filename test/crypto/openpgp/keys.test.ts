import { execFileSync } from 'node:child_process';
import * as openpgp from 'openpgp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generateOpenPgpKey } from '../../../src/crypto/openpgp/generate.ts';
import { readOpenPgpIdentities, readOpenPgpRecipients } from '../../../src/crypto/openpgp/keys.ts';
import { fails, fixture, identities, open, recipients, seal } from './fixtures.ts';

const test = suite('OpenPGP keys');
const read = readOpenPgpRecipients;
const pub = (name: string) => fixture(`${name}.pub.asc`);
const sec = (name: string) => fixture(`${name}.sec.asc`);
const content = Buffer.from('content');

test('public keys: several blocks with text around, Windows line ends, binary, and the same key twice', async () => {
  const text = Buffer.concat([Buffer.from('Keys:\n'), pub('rsa'), Buffer.from('\nand\n'), pub('curve')]);
  const windows = Buffer.from(`\ufeff${text.toString().replace(/\n/g, '\r\n')}`);
  for (const materials of [
    [text],
    [windows],
    [fixture('several.pub.gpg')],
    [pub('rsa'), pub('curve'), pub('rsa')],
  ]) {
    const { names } = await read(materials, []);
    assert.is(names.length, 2);
    assert.match(names[0] ?? '', /^rsa backup <rsa@example\.org> \([0-9A-F]{40}\)$/);
  }
});

test('select: address, user id, key id and fingerprint of the key or a subkey', async () => {
  const materials = [fixture('several.pub.gpg'), pub('nist')];
  const curve = (await openpgp.readKey({ armoredKey: pub('curve').toString() })) as openpgp.PublicKey;
  const fingerprint = curve.getFingerprint().toUpperCase();
  const subkey = curve.getSubkeys()[0]?.getKeyID().toHex() ?? '';
  for (const wanted of [
    'curve@example.org',
    'Curve@EXAMPLE.org',
    '<curve@example.org>',
    'curve backup <curve@example.org>',
    fingerprint,
    `0x${fingerprint}`,
    fingerprint.replace(/(.{4})/g, '$1 ').trim(),
    fingerprint.slice(-16),
    `0x${fingerprint.slice(-8).toLowerCase()}`,
    subkey,
  ]) {
    const { names } = await read(materials, [wanted]);
    assert.equal(names, [`curve backup <curve@example.org> (${fingerprint})`], wanted);
  }
  const { names } = await read(materials, ['nist@example.org', 'curve@example.org', 'nist@example.org']);
  assert.is(names.length, 2);
});

test('select: what matches nothing is an error that lists what is there', async () => {
  for (const wanted of ['url@example.org', 'curve', 'example.org', 'deadbeef', '']) {
    const error = await fails(read([fixture('several.pub.gpg')], [wanted]), 'bad-key', /no key is for/);
    assert.match(error.message, /<rsa@example\.org>.*<curve@example\.org>/);
  }
});

test('select: of several keys with one address, those that can be used', async () => {
  const date = new Date('2024-01-01');
  const make = (keyExpirationTime: number) =>
    openpgp.generateKey({ userIDs: { email: 'a@b.example' }, date, keyExpirationTime });
  const [old, current] = await Promise.all([make(3600), make(0)]);
  const materials = [Buffer.from(old.publicKey), Buffer.from(current.publicKey)];
  assert.is((await read(materials, ['a@b.example'])).names.length, 1);
  await fails(read(materials, []), 'bad-key', /expired on 2024-01-01/);
  await fails(read(materials.slice(0, 1), ['a@b.example']), 'bad-key', /expired/);
});

test('a private key where a public one is due', async () => {
  const secret = sec('curve');
  for (const material of [secret, fixture('several.sec.gpg'), Buffer.concat([pub('rsa'), secret])]) {
    await fails(read([material], []), 'bad-key', /private key.*gpg --armor --export <email>/);
  }
  await fails(read([sec('curve'), pub('rsa')], ['rsa@example.org']), 'bad-key', /private key/);
});

test('keys that cannot encrypt: which, why and since when', async () => {
  await fails(read([pub('expired')], []), 'bad-key', /<expired@example\.org> .* expired on 2024-02-03/);
  await fails(
    read([pub('revoked')], []),
    'bad-key',
    /<revoked@example\.org> .* was revoked on \d{4}-\d\d-\d\d/,
  );
  await fails(read([pub('signonly')], []), 'bad-key', /<signonly@example\.org> .* no encryption subkey/);
  const date = new Date('2024-01-01');
  const subkeys = [{ keyExpirationTime: 86400 }];
  const old = await openpgp.generateKey({ userIDs: { email: 'sub@example.org' }, date, subkeys });
  await fails(read([Buffer.from(old.publicKey)], []), 'bad-key', /subkey [0-9A-F]{16} expired on 2024-01-02/);
  const future = await generateOpenPgpKey({
    name: 'f',
    email: 'f@example.org',
    date: new Date('2091-01-01'),
  });
  await fails(read([Buffer.from(future.publicKey)], []), 'bad-key', /valid only from 2091-01-01.*clock/);
});

test('what is no key, or not whole', async () => {
  const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
  await fails(read([Buffer.from('ssh-ed25519 AAAA')], []), 'bad-key', /no key/);
  await fails(read([fixture('original.asc')], []), 'bad-key', /an OpenPGP message, not a key/);
  await fails(read([half(pub('rsa'))], []), 'bad-key', /incomplete/);
  await fails(read([half(fixture('several.pub.gpg'))], []), 'bad-key');
  await fails(read([], []), 'bad-key');
  const broken = Buffer.from(
    pub('rsa')
      .toString()
      .replace(/\n(.{10})./, '\n$1*'),
  );
  await fails(read([broken], []), 'bad-key');
  for (let at = 0; at < 400; at += 37) {
    const flipped = Buffer.from(fixture('several.pub.gpg'));
    flipped[at] = (flipped[at] ?? 0) ^ 0x20;
    // Some bits of a key do not matter, but nothing else than a reason may come out.
    await read([flipped], []).catch((error) => assert.is(error.reason, 'bad-key'));
  }
});

test('private keys: armoured, binary, without the primary key, with public ones among them', async () => {
  const message = await seal(content, await recipients('curve'));
  for (const materials of [
    [sec('curve')],
    [fixture('several.sec.gpg')],
    [fixture('curve-subkeys.sec.asc')],
    [pub('nist'), sec('curve'), pub('curve')],
    [pub('curve'), sec('curve')],
  ]) {
    const by = await readOpenPgpIdentities(materials, 'needed by none');
    assert.equal(await open(message, by), content);
  }
});

test('passphrases: right, wrong, missing', async () => {
  const locked = [sec('locked'), sec('curve')];
  await readOpenPgpIdentities(locked, 'correct horse');
  for (const none of [undefined, '']) {
    await fails(
      readOpenPgpIdentities(locked, none),
      'bad-passphrase',
      /<locked@example\.org> .* there is no/,
    );
  }
  const error = await fails(
    readOpenPgpIdentities(locked, 'battery staple'),
    'bad-passphrase',
    /does not open .*<locked@/,
  );
  assert.not.match(error.message, /battery/);
});

test('passphrases: other ways to lock a key', async () => {
  const privateKey = await openpgp.readPrivateKey({ armoredKey: sec('curve').toString() });
  for (const config of [
    { aeadProtect: true },
    { s2kIterationCountByte: 0 },
    { aeadProtect: true, s2kType: openpgp.enums.s2k.argon2 as const, s2kArgon2Params: argon2 },
  ]) {
    const locked = await openpgp.encryptKey({ privateKey, passphrase: 'päss', config });
    const material = [Buffer.from(locked.armor())];
    assert.is((await readOpenPgpIdentities(material, 'päss')).packets.length, 1);
    await fails(readOpenPgpIdentities(material, 'pass'), 'bad-passphrase');
  }
});
const argon2 = { passes: 1, parallelism: 1, memoryExponent: 10 };

test('private keys that cannot decrypt', async () => {
  await fails(
    readOpenPgpIdentities([pub('curve')]),
    'bad-key',
    /public key, and only a private .*--export-secret-keys/,
  );
  const privateKey = await openpgp.readPrivateKey({ armoredKey: sec('curve').toString() });
  for (const { keyPacket } of privateKey.getSubkeys()) (keyPacket as openpgp.SecretSubkeyPacket).makeDummy();
  const stub = Buffer.from(privateKey.armor());
  await fails(readOpenPgpIdentities([stub]), 'bad-key', /on a card/);
  await readOpenPgpIdentities([stub, sec('rsa')]);
});

test('a message from when the key was valid still opens', async () => {
  assert.equal(await open(fixture('expired.gpg'), await identities('expired')), fixture('short.txt'));
});

test('a generated key: version 4 as gpg has it, locked or not', async () => {
  const date = new Date('2024-05-06T07:08:09Z');
  for (const passphrase of [undefined, 'secret words']) {
    const made = await generateOpenPgpKey({
      name: 'Jürgen',
      email: 'j@example.org',
      date,
      ...(passphrase && { passphrase }),
    });
    assert.match(made.fingerprint, /^[0-9A-F]{40}$/);
    const key = await openpgp.readKey({ armoredKey: made.publicKey });
    assert.is(key.isPrivate(), false);
    assert.equal(key.getCreationTime(), date);
    assert.equal(key.getUserIDs(), ['Jürgen <j@example.org>']);
    const algorithms = key.getKeys().map((part) => part.getAlgorithmInfo());
    assert.equal(algorithms, [
      { algorithm: 'eddsaLegacy', curve: 'ed25519Legacy' },
      { algorithm: 'ecdh', curve: 'curve25519Legacy' },
    ]);
    const message = await seal(content, await read([Buffer.from(made.publicKey)], []));
    const material = [Buffer.from(made.privateKey)];
    if (passphrase) await fails(readOpenPgpIdentities(material), 'bad-passphrase');
    assert.equal(await open(message, await readOpenPgpIdentities(material, passphrase)), content);
  }
});

test('the package is not loaded before it is needed', () => {
  const keys = new URL('../../../src/crypto/keys.ts', import.meta.url).href;
  const loads = execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { registerHooks } from 'node:module';
       const seen = [];
       registerHooks({ resolve(specifier, context, next) { seen.push(specifier); return next(specifier, context); } });
       await import('${keys}'); console.log(seen.join('\\n'));`,
    ],
    { encoding: 'utf8' },
  );
  assert.match(loads, /openpgp\/keys\.ts/);
  assert.not.match(loads, /^openpgp$/m);
});

test.run();
