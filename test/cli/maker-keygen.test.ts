/** keygen: files, Secrets, and what is refused. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { keygenArguments } from '../../src/expand/key-job.ts';
import { folderOf } from '../client/folder.ts';
import { failedWith, MakerWorld, maker, PASSPHRASE } from './maker-world.ts';

const test = suite('backup-maker: keygen');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

const KINDS = {
  age: { publicKey: /^age1[0-9a-z]{58}\n$/, privateKey: /^AGE-SECRET-KEY-1/m },
  'age-pq': { publicKey: /^age1pq1[0-9a-z]+\n$/, privateKey: /^AGE-SECRET-KEY-PQ-1/m },
  openpgp: {
    publicKey: /^-----BEGIN PGP PUBLIC KEY BLOCK-----/,
    privateKey: /^-----BEGIN PGP PRIVATE KEY BLOCK-----/,
  },
};

for (const [format, { publicKey, privateKey }] of Object.entries(KINDS)) {
  test(`${format}: two files that make a backup and restore it`, async () => {
    const out = join(folderOf(), 'new.key');
    const ran = await maker([
      'keygen',
      '--format',
      format,
      '--out',
      out,
      '--json',
      '--email',
      'a@example.org',
    ]);
    assert.is(ran.code, 0, ran.err);
    const { fingerprint, ...files } = ran.json();
    assert.equal(files, { privateKey: out, publicKey: `${out}.pub` });
    assert.match(readFileSync(out, 'utf8'), privateKey);
    assert.match(readFileSync(`${out}.pub`, 'utf8'), publicKey);
    assert.not.match(readFileSync(`${out}.pub`, 'utf8'), privateKey);
    assert.is(statSync(out).mode & 0o777, 0o600);
    if (format !== 'openpgp') assert.is(readFileSync(`${out}.pub`, 'utf8'), `${fingerprint}\n`);
    else assert.match(String(fingerprint), /^[0-9A-F]{40}$/);

    await world.made('sealed', ['-k', `${out}.pub`]);
    assert.is((await world.run(['download', '--save-path', '-', '-p', out])).out, 'sealed');
  });
}

test('an OpenPGP key is locked with the passphrase of the variable', async () => {
  const out = join(folderOf(), 'locked.key');
  const env = { BM_PASSPHRASE: PASSPHRASE };
  assert.is((await maker(['keygen', '--format', 'openpgp', '--out', out], { env })).code, 0);
  await world.made('sealed', ['-k', `${out}.pub`]);
  failedWith(await world.run(['download', '--save-path', '-', '-p', out]), 6, /passphrase/);
  assert.is((await world.run(['download', '--save-path', '-', '-p', out], { env })).out, 'sealed');
});

test('no key is overwritten, and none is left alone', async () => {
  const folder = folderOf();
  const out = join(folder, 'mine.key');
  for (const name of ['mine.key', 'mine.key.pub']) {
    writeFileSync(join(folder, name), 'what was there before');
    for (const more of [[], ...(name === 'mine.key' ? [['--secret', 'a', '--public-only']] : [])]) {
      const ran = await maker(['keygen', '--out', out, ...more]);
      failedWith(ran, 74, /exists: a key that is overwritten makes all its backups unreadable/, /--out/);
      assert.is(ran.out, '');
    }
    assert.equal(readdirSync(folder), [name]);
    assert.is(readFileSync(join(folder, name), 'utf8'), 'what was there before');
    (await import('node:fs')).rmSync(join(folder, name));
  }
  failedWith(
    await maker(['keygen', '--out', join(folder, 'no/where')]),
    74,
    /the folder does not exist/,
    /--out/,
  );
});

interface Secret {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: object; annotations?: object };
  type: string;
  stringData: Record<string, string>;
}

async function secretOf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Secret> {
  const shows = args.includes('--public-only') ? PASSPHRASE : 'private-key';
  const { code, out, err } = await maker(['keygen', '--secret', 'keys', ...args], { shows, env });
  assert.is(code, 0, err);
  assert.match(err, /msg="Key made" fingerprint=\S+/);
  return parse(out) as Secret;
}

test('a Secret has the entries that the fields of a ScheduledBackup look for', async () => {
  const age = await secretOf(['-n', 'shop']);
  assert.equal([age.apiVersion, age.kind, age.type], ['v1', 'Secret', 'Opaque']);
  assert.equal(age.metadata, { name: 'keys', namespace: 'shop' });
  assert.equal(Object.keys(age.stringData), ['recipients.txt', 'identity']);

  const openpgp = await secretOf(['--format', 'openpgp', '--email', 'ops@example.org']);
  assert.equal(openpgp.metadata, {
    name: 'keys',
    labels: { 'riotkit.org/type': 'GPGSecret' },
    annotations: { 'riotkit.org/e-mail': 'ops@example.org' },
  });
  assert.equal(Object.keys(openpgp.stringData).sort(), ['e-mail.txt', 'key', 'key.pub', 'passphrase']);
  assert.is(openpgp.stringData.passphrase, '');

  // What is in it works.
  const write = (name: string, text = '') => {
    const file = join(folderOf(), name);
    writeFileSync(file, text);
    return file;
  };
  for (const [publicText, privateText] of [
    [age.stringData['recipients.txt'], age.stringData.identity],
    [openpgp.stringData['key.pub'], openpgp.stringData.key],
  ]) {
    await world.made('sealed', ['-k', write('public', publicText)]);
    const read = ['download', '--save-path', '-', '-p', write('private', privateText)];
    assert.is((await world.run(read)).out, 'sealed');
  }
});

test('a Secret with the public half only: the private one is a file', async () => {
  const out = join(folderOf(), 'kept.key');
  const args = ['--format', 'openpgp', '--public-only', '--out', out];
  const secret = await secretOf(args, { BM_PASSPHRASE: PASSPHRASE });
  assert.equal(Object.keys(secret.stringData).sort(), ['e-mail.txt', 'key.pub']);
  assert.match(readFileSync(out, 'utf8'), KINDS.openpgp.privateKey);
  assert.is(statSync(out).mode & 0o777, 0o600);
  failedWith(
    await maker(['keygen', '--public-only']),
    2,
    /--public-only is about a Secret/,
    /--secret <name>/,
  );
});

test('the words that the function tells people and its Jobs to call it with', async () => {
  const key = {
    secretName: 'keys',
    publicKey: 'public',
    privateKey: 'private',
    passphrase: 'pass',
    email: 'a@b.org',
  };
  const { stringData } = await secretOf(keygenArguments(key, 'secret').slice(1));
  assert.equal(Object.keys(stringData).sort(), ['e-mail.txt', 'pass', 'private', 'public']);
  const job = await maker(keygenArguments(key, 'create-secret'));
  failedWith(job, 2, /--create-secret works in a pod only/, /keygen --secret/);
  failedWith(await maker(['keygen', '--secret', 'a', '--create-secret', 'a']), 2, /leave one of them out/);
});

test('commands of age and gpg that do the same are printed, and nothing is made', async () => {
  const out = join(folderOf(), 'a key');
  const age = await maker(['keygen', '--print-commands', '--out', out]);
  assert.is(age.out, `age-keygen -o '${out}'\nage-keygen -y -o '${out}.pub' '${out}'\n`);
  assert.match(
    (await maker(['keygen', '--print-commands', '--format', 'age-pq'])).out,
    'age-keygen -pq -o backup.key',
  );
  const gpg = await maker([
    'keygen',
    '--print-commands',
    '--format',
    'openpgp',
    '--name',
    "O'Neil",
    '--email',
    'o@x.org',
  ]);
  assert.match(gpg.out, "gpg --quick-generate-key 'O'\\''Neil <o@x.org>' future-default default never\n");
  assert.equal(readdirSync(join(out, '..')), []);
});

test.run();
