/** Ours and stock gpg, both ways. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptOpenPgp } from '../../../../src/crypto/openpgp/decrypt.ts';
import { encryptOpenPgp } from '../../../../src/crypto/openpgp/encrypt.ts';
import { generateOpenPgpKey } from '../../../../src/crypto/openpgp/generate.ts';
import { readOpenPgpIdentities, readOpenPgpRecipients } from '../../../../src/crypto/openpgp/keys.ts';
import { chunks, collect, open, seal } from '../../../crypto/openpgp/fixtures.ts';
import { Gpg } from './gpg.ts';

const test = suite('OpenPGP and stock gpg');
let gpg: Gpg;

const CURVE = ['Key-Type: EDDSA', 'Key-Curve: ed25519', 'Subkey-Type: ECDH', 'Subkey-Curve: cv25519'];
const KEYS: Record<string, readonly string[]> = {
  'rsa@example.org': ['Key-Type: RSA', 'Key-Length: 2048', 'Subkey-Type: RSA', 'Subkey-Length: 2048'],
  'curve@example.org': CURVE,
  'nist@example.org': [
    'Key-Type: ECDSA',
    'Key-Curve: nistp384',
    'Subkey-Type: ECDH',
    'Subkey-Curve: nistp384',
  ],
};
const all = Object.keys(KEYS);

test.before(() => {
  gpg = new Gpg();
  for (const [email, parameters] of Object.entries(KEYS)) gpg.makeKey(email, parameters);
});
test.after(() => gpg.close());

const exported = (...emails: string[]) => gpg.run(['--export', ...emails]);
const recipients = (...emails: string[]) => readOpenPgpRecipients([exported(...emails)], []);
const identities = (...emails: string[]) =>
  readOpenPgpIdentities([gpg.run(['--armor', '--export-secret-keys', ...emails])]);

test('gpg decrypts ours: boundary sizes, armoured and not, every key', async () => {
  const content = randomBytes(262144 + 70);
  for (const size of [0, 1, 185, 186, 187, 8377, 8378, 65535, 65536, 65537, 131072, 262144, 262144 + 70]) {
    const part = content.subarray(0, size);
    for (const armor of [false, true]) {
      const email = all[size % all.length] as string;
      const message = await seal(part, await recipients(email), { armor });
      assert.ok(gpg.run(['--decrypt'], message).equals(part), `${size} bytes for ${email}`);
    }
  }
});

test('gpg decrypts 70 MB of ours, in streams', async () => {
  const block = randomBytes(1_000_000);
  async function* content(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 70; i++) yield block;
  }
  const expected = await hashOf(content());
  for (const armor of [false, true]) {
    const message = encryptOpenPgp(content(), await recipients('curve@example.org'), { armor });
    assert.is(await hashOf(gpg.stream(['--decrypt'], message)), expected);
  }
});

async function hashOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}

test('gpg decrypts ours to several recipients with the key of any one, and finds nothing to complain about', async () => {
  const message = await seal(Buffer.from('for all'), await recipients());
  for (const email of all) {
    const other = new Gpg();
    try {
      other.run(['--import'], gpg.run(['--export-secret-keys', email]));
      const { status, stdout, stderr } = other.try(['--decrypt'], message);
      assert.is(status, 0, String(stderr));
      assert.is(String(stdout), 'for all');
      assert.not.match(String(stderr), /warning|bad|not integrity/i);
    } finally {
      other.close();
    }
  }
  const { stdout } = gpg.try(['--list-packets'], message);
  assert.is(String(stdout).match(/:pubkey enc packet: version 3/g)?.length, all.length);
  assert.match(String(stdout), /mdc_method: 2/);
});

test('gpg and we choose the same subkey', async () => {
  gpg.makeKey('choice@example.org', CURVE);
  const [fingerprint = ''] = /[0-9A-F]{40}/.exec(
    String(gpg.run(['--with-colons', '--list-keys', 'choice@example.org'])),
  ) ?? [''];
  gpg.run([
    '--passphrase',
    '',
    '--faked-system-time',
    '20300101T000000!',
    '--quick-add-key',
    fingerprint,
    'rsa2048',
    'encr',
  ]);
  gpg.run(['--passphrase', '', '--quick-add-key', fingerprint, 'cv25519', 'encr']);
  const ids = (message: Buffer) =>
    String(gpg.try(['--list-packets'], message).stdout).match(/keyid [0-9A-F]{16}/g);
  const ours = await seal(Buffer.from('x'), await recipients('choice@example.org'));
  const theirs = gpg.run(['--encrypt', '--always-trust', '--recipient', 'choice@example.org'], 'x');
  assert.equal(ids(ours), ids(theirs));
});

test('gpg refuses ours when it was cut or changed', async () => {
  const message = await seal(randomBytes(300_000), await recipients('curve@example.org'));
  const changed = Buffer.from(message);
  changed[200_000] = (changed[200_000] ?? 0) ^ 1;
  for (const bad of [message.subarray(0, -1), message.subarray(0, 262_300), changed]) {
    assert.is.not(gpg.try(['--decrypt'], bad).status, 0);
  }
});

test('we decrypt what gpg writes, with every option that changes the form', async () => {
  const content = Buffer.concat([Buffer.alloc(400_000, 'INSERT INTO t VALUES (1);\n'), randomBytes(100_000)]);
  const file = join(gpg.home, 'content');
  writeFileSync(file, content);
  const forms: string[][] = [
    ['--armor'],
    ['-z0'],
    ['-z0', '--armor'],
    ['--compress-algo', 'zip', '-z9'],
    ['--cipher-algo', 'AES'],
    ['--cipher-algo', '3DES'],
    ['--sign', '--local-user', 'rsa@example.org'],
    ['--throw-keyids'],
    ['--comment', 'a comment', '--armor', '--emit-version'],
    ['--rfc4880'],
    ['--set-filename', 'a name'],
  ];
  for (const form of forms) {
    for (const input of [[], [file]]) {
      for (const email of all) {
        const to = ['--encrypt', '--always-trust', '--recipient', email, '--output', '-'];
        const message = gpg.run([...form, ...to, ...input], input.length === 0 ? content : '');
        assert.ok((await open(message, await identities(email))).equals(content), `${form} for ${email}`);
      }
    }
  }
});

test("the original's command line, in a stream, and back", async () => {
  const block = randomBytes(500_000);
  async function* content(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 20; i++) yield block;
  }
  const args = [
    '--encrypt',
    '--always-trust',
    '--recipient',
    'rsa@example.org',
    '--armor',
    '--batch',
    '--yes',
  ];
  const message = gpg.stream(args, content());
  const opened = decryptOpenPgp(message, await identities('rsa@example.org'));
  assert.is(await hashOf(opened), await hashOf(content()));
});

test('gpg takes our generated key, locked or not, and both directions work', async () => {
  const content = randomBytes(100_000);
  for (const passphrase of [undefined, 'correct horse']) {
    const pair = await generateOpenPgpKey({
      name: 'Backup of shop',
      email: 'backup@example.org',
      date: new Date(Date.now() - 60_000),
      ...(passphrase && { passphrase }),
    });
    const other = new Gpg();
    try {
      const unlock = ['--passphrase', passphrase ?? ''];
      other.run([...unlock, '--import'], pair.privateKey);
      assert.match(
        String(other.run(['--list-secret-keys', '--with-colons'])),
        new RegExp(`:${pair.fingerprint}:`),
      );
      const to = await readOpenPgpRecipients([Buffer.from(pair.publicKey)], []);
      const ours = await seal(content, to);
      assert.ok(other.run([...unlock, '--decrypt'], ours).equals(content));
      const by = await readOpenPgpIdentities([Buffer.from(pair.privateKey)], passphrase);
      const encrypt = ['--encrypt', '--always-trust', '--recipient', 'backup@example.org'];
      assert.ok((await open(other.run(encrypt, content), by)).equals(content));
      const back = other.run([...unlock, '--armor', '--export-secret-keys', pair.fingerprint]);
      const byExported = await readOpenPgpIdentities([back], passphrase);
      assert.ok((await collect(decryptOpenPgp(chunks(ours), byExported))).equals(content));
    } finally {
      other.close();
    }
  }
});

test('a locked key that gpg exports', async () => {
  gpg.makeKey('locked@example.org', CURVE, 'pass phrase');
  const secret = gpg.run(['--passphrase', 'pass phrase', '--export-secret-keys', 'locked@example.org']);
  const message = gpg.run(['--encrypt', '--always-trust', '--recipient', 'locked@example.org'], 'content');
  const by = await readOpenPgpIdentities([secret], 'pass phrase');
  assert.is(String(await open(message, by)), 'content');
});

test.run();
