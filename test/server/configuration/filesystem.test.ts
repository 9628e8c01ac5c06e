import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/api/problem.ts';
import { eventually } from '../../eventually.ts';
import { ADMIN_PASSWORD, collection, folder, removeFolders, secret, user } from './folders.ts';

const objects = 'backup-repository/backups.riotkit.org/v1alpha1';
const HEALTH = '8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918';

const test = suite('configuration from files');
test.after.each(removeFolders);

test('the layout of the original, with its example as it is', async () => {
  const at = folder({
    [`${objects}/backupusers/admin.yaml`]: `---
apiVersion: backups.riotkit.org/v1alpha1
kind: BackupUser
metadata:
    name: admin
spec:
    email: riotkit@riseup.net
    deactivated: false
    organization: "Riotkit"
    about: "System administrator"
    password: "hashed"
    passwordFromRef:
        name: backup-repository-passwords
        entry: admin
    restrictByIP:
        - 1.2.3.4
    roles:
        - collectionManager
        - usersManager
        - systemAdmin
`,
    [`${objects}/backupcollections/iwa-ait.yaml`]: collection(
      'iwa-ait',
      'healthSecretRef: {name: health, entry: iwa-ait}, accessControl: [{userName: admin, roles: [collectionManager]}]',
    ),
    'backup-repository/v1/secrets/backup-repository-passwords.yaml': secret(
      'backup-repository-passwords',
      `admin: "${ADMIN_PASSWORD}"`,
      'data',
    ),
    'backup-repository/v1/secrets/health.yaml': secret('health', `iwa-ait: "${HEALTH}"`, 'data'),
    'backup-repository/v1/secrets/.swap.yaml': 'half',
    'stray.yaml': user('stray'),
  });
  const provider = at.provider();
  await provider.start();
  assert.is(provider.layout, 'original');
  assert.equal(provider.problems(), []);
  const snapshot = provider.current();
  assert.equal([...snapshot.users.keys()], ['admin']);
  assert.is(snapshot.secret('backup-repository-passwords', 'admin'), ADMIN_PASSWORD, 'data is not decoded');
  assert.is(snapshot.secret('health', 'iwa-ait'), HEALTH);
  assert.is(snapshot.secret('health', 'other'), undefined);
  assert.is(snapshot.secret('other', 'iwa-ait'), undefined);
});

test('a plain folder: any names, several documents, lists, other kinds ignored; data is base64, stringData is not', async () => {
  const at = folder({
    'a.yaml': `# people\n${user('one', 'id: first')}---\n${user('two')}--- # things\n${collection('web')}`,
    'b.yml': secret('kube', `x: ${Buffer.from('value ä').toString('base64')}`, 'data'),
    'c.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { x: 'dmFsdWU=' } }],
    }),
    'kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n',
    'notes.txt': 'not: yaml: at all',
    '.hidden.yaml': user('hidden'),
    // Uploads may be stored below the folder.
    'data/web/backup.yaml': user('intruder', 'roles: [systemAdmin]'),
  });
  const provider = at.provider();
  await provider.start();
  assert.is(provider.layout, 'folder');
  assert.equal(provider.problems(), []);
  const snapshot = provider.current();
  assert.equal([...snapshot.users.keys()].sort(), ['first', 'two']);
  assert.equal([...snapshot.collections.keys()], ['web']);
  assert.is(snapshot.secret('kube', 'x'), 'value ä');
  assert.is(snapshot.secret('s', 'x'), 'dmFsdWU=');
});

test('raw values under data of a plain folder are a problem, not a guess, unless they were announced', async () => {
  const files = { 'u.yaml': user('u'), 's.yaml': secret('health', `code: "${HEALTH}"`, 'data') };
  const told = folder(files).provider({ secretData: 'raw' });
  await told.start();
  assert.is(told.current().secret('health', 'code'), HEALTH);
  const provider = folder(files).provider();
  await provider.start();
  assert.is(provider.current().secret('health', 'code'), undefined);
  assert.match(
    provider.problems()[0] ?? '',
    /^s\.yaml: Secret health: data\.code is not base64 of a text: .*stringData/,
  );
  assert.not.match(provider.problems().join(), HEALTH);
});

test('new, changed and removed files take effect without a restart', async () => {
  const at = folder({ 'a.yaml': user('a') });
  const provider = at.provider({ pollMs: 1e6 });
  await provider.start();
  at.write('b.yaml', user('b'));
  await eventually('b', () => provider.current().users.has('b'));
  at.write('b.yaml', user('b', 'deactivated: true'));
  await eventually('deactivated', () => provider.current().users.get('b')?.spec.deactivated === true);
  at.remove('b.yaml');
  await eventually('no b', () => !provider.current().users.has('b'));
  assert.equal(provider.problems(), []);
});

test('refresh sees a change at once, also of the same size in the same instant', async () => {
  const at = folder({ 'a.yaml': user('a') });
  const provider = at.provider({ debounceMs: 1e6, pollMs: 1e6 });
  await provider.start();
  for (const name of ['b', 'c', 'd', 'e']) {
    at.write('a.yaml', user(name));
    await Promise.all([provider.refresh(), provider.refresh()]);
    assert.equal([...provider.current().users.keys()], [name]);
  }
});

test('what watching misses, the regular look finds', async () => {
  const at = folder({ 'a.yaml': user('a') });
  const provider = at.provider({ debounceMs: 1e6, pollMs: 20 });
  await provider.start();
  at.write('b.yaml', user('b'));
  await eventually('b', () => provider.current().users.has('b'));
});

test('a mounted ConfigMap: the swap of the link ..data changes all files at once', async () => {
  const at = folder();
  const version = (name: string, text: string) => {
    mkdirSync(join(at.path, name));
    writeFileSync(join(at.path, name, 'users.yaml'), text);
    symlinkSync(name, join(at.path, '..data_tmp'));
    renameSync(join(at.path, '..data_tmp'), join(at.path, '..data'));
  };
  version('..2030_1', user('old'));
  symlinkSync('..data/users.yaml', join(at.path, 'users.yaml'));
  const provider = at.provider({ pollMs: 1e6 });
  await provider.start();
  assert.equal([...provider.current().users.keys()], ['old']);
  version('..2030_2', user('new'));
  rmSync(join(at.path, '..2030_1'), { recursive: true });
  await eventually('new', () => provider.current().users.has('new'));
  assert.equal([...provider.current().users.keys()], ['new']);
});

test('mounted Secrets: a folder each, a file for each entry, used as it is', async () => {
  const at = folder({ 'u.yaml': user('u', 'passwordFromRef: {name: passwords, entry: u}') });
  const secrets = folder({ 'passwords/u': ADMIN_PASSWORD, 'passwords/..data/u': 'hidden' });
  const provider = at.provider({ secretsPath: secrets.path });
  await provider.start();
  assert.equal(provider.problems(), []);
  assert.is(provider.current().secret('passwords', 'u'), ADMIN_PASSWORD);
  secrets.write('passwords/u', `${ADMIN_PASSWORD}\n`);
  await eventually('changed', () => provider.current().secret('passwords', 'u') === `${ADMIN_PASSWORD}\n`);
});

test('a broken or half-written file keeps the last good state, and says what is wrong', async () => {
  const good = user('a', 'restrictByIP: [10.0.0.0/8]');
  const cases: [string, RegExp][] = [
    ['', /is empty/],
    ['# nothing yet\n', /is empty/],
    [good.slice(0, good.indexOf('spec')), /BackupUser a: spec is required/],
    [good.slice(0, -5), /not valid YAML/],
    ['kind: BackupUser', /no apiVersion or no kind/],
    ['- 1', /not a Kubernetes object/],
    ['\u0000\u0001', /YAML|object/],
    [good.replace('v1alpha1', 'v2'), /apiVersion must be/],
    [good.replace('BackupUser', 'BackupUsers'), /kind must be/],
    [
      good.replace('restrictByIP', 'restrictByIp'),
      /spec\.restrictByIp unknown field; did you mean restrictByIP/,
    ],
    [good.replace('10.0.0.0/8', 'everywhere'), /spec\.restrictByIP\[0\] is not an address/],
    [user('a', 'roles: [root]'), /spec\.roles\[0\] must be one of/],
    [user('a', 'id: a$b'), /spec\.id must not/],
    [user('a', 'accessKeys: [{name: k}, {name: k}]'), /accessKeys\[1\]\.name occurs twice/],
    [good.padEnd(5 * 1024 * 1024), /larger than 4 MiB/],
  ];
  const at = folder({ 'a.yaml': good, 'b.yaml': user('b') });
  const provider = at.provider({ debounceMs: 1e6, pollMs: 1e6 });
  await provider.start();
  for (const [broken, reason] of cases) {
    at.write('a.yaml', broken);
    await provider.refresh();
    assert.equal([...provider.current().users.keys()], ['a', 'b'], broken.slice(0, 200));
    assert.equal(provider.current().users.get('a')?.spec.restrictByIP, ['10.0.0.0/8'], broken.slice(0, 200));
    assert.is(provider.problems().length, 1, provider.problems().join('\n'));
    assert.match(provider.problems()[0] ?? '', reason);
    assert.match(provider.problems()[0] ?? '', /^a\.yaml/);
    at.write('a.yaml', good);
    await provider.refresh();
    assert.equal(provider.problems(), []);
  }
});

test('of several documents, the good ones take effect, the broken one keeps what it was, a removed one is gone', async () => {
  const at = folder({ 'a.yaml': `${user('a')}---\n${user('b', 'email: old')}---\n${user('c')}` });
  const provider = at.provider({ debounceMs: 1e6, pollMs: 1e6 });
  await provider.start();
  at.write('a.yaml', `${user('a', 'email: new')}---\n${user('b', 'emial: new')}`);
  await provider.refresh();
  const { users } = provider.current();
  assert.equal([...users.keys()], ['a', 'b']);
  assert.equal([users.get('a')?.spec.email, users.get('b')?.spec.email], ['new', 'old']);
  assert.match(provider.problems()[0] ?? '', /^a\.yaml, line 5: BackupUser b: spec\.emial .*last good state/);
  // A document that cannot be told may be any of those that were there.
  at.write('a.yaml', `${user('a')}---\nkind: [`);
  await provider.refresh();
  assert.equal([...provider.current().users.keys()], ['a', 'b']);
});

test('a first start with a broken user does not let that user in', async () => {
  const at = folder({ 'a.yaml': user('a', `password: ${ADMIN_PASSWORD}, rolles: []`), 'b.yaml': user('b') });
  const provider = at.provider();
  await provider.start();
  assert.equal([...provider.current().users.keys()], ['b']);
  assert.match(provider.problems()[0] ?? '', /a\.yaml: BackupUser a: spec\.rolles .*not in use/);
});

test('of two of the same name, the one of the first file stays', async () => {
  const at = folder({ 'b.yaml': user('x', 'roles: [systemAdmin]'), 'a.yaml': user('other', 'id: x') });
  const provider = at.provider();
  await provider.start();
  assert.is(provider.current().users.get('x')?.spec.id, 'x');
  assert.match(provider.problems()[0] ?? '', /^b\.yaml: BackupUser x is also in a\.yaml/);
});

test('references that lead nowhere are named', async () => {
  const at = folder({
    'a.yaml': user(
      'a',
      'password: plain, accessKeys: [{name: k, passwordFromRef: {name: s, entry: e}, objects: [{type: collection, name: none, roles: []}]}]',
    ),
    'c.yaml': collection(
      'c',
      'healthSecretRef: {name: s, entry: e}, accessControl: [{name: nobody, type: user, roles: []}]',
    ),
    'd.yaml': user('d', 'deactivated: true, passwordFromRef: {name: s, entry: e}'),
  });
  const provider = at.provider();
  await provider.start();
  const text = provider.problems().join('\n');
  assert.is(provider.problems().length, 5, text);
  for (const part of [
    'BackupUser a: spec.password is not an encoded password',
    'spec.accessKeys[0].passwordFromRef: there is no Secret s with an entry e',
    'names the collection none',
    'spec.healthSecretRef: there is no Secret s',
    'names the user nobody',
  ]) {
    assert.ok(text.includes(part), `${part} in\n${text}`);
  }
});

test('no problem repeats a secret', async () => {
  const word = 'hunter2hunter2';
  const at = folder({ 'z.yaml': user('z') });
  const provider = at.provider({ debounceMs: 1e6, pollMs: 1e6 });
  await provider.start();
  const leaks = [
    user('a', `password: ${word}`),
    user('a', `password: [${word}]`),
    user('a', `passwordFromRef: ${word}`),
    user('a', `accessKeys: [{name: k, password: {x: ${word}}}]`),
    user('a', `password: *${word}`),
    user('a', `password: !${word} x`),
    user('a', `password: "${word}`),
    user('a', `password: ${word}\n  x: @${word}`),
    `${user('a')}\n${word}`,
    secret('s', `x: [${word}]`),
    secret('s', `x: ${word}!`, 'data'),
    `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: ${word}\n`,
    secret('s', 'x: 12345678'),
  ];
  for (const text of leaks) {
    at.write('a.yaml', text);
    await provider.refresh();
    assert.ok(provider.problems().length > 0, text);
    assert.not.match(provider.problems().join('\n'), new RegExp(`${word}|12345678`), text);
  }
});

test('a folder that goes away, and a file that cannot be read, keep the last good state', async () => {
  const at = folder({ 'a.yaml': user('a') });
  const provider = at.provider({ pollMs: 20 });
  await provider.start();
  renameSync(at.path, `${at.path}.gone`);
  await provider.refresh();
  assert.ok(provider.current().users.has('a'));
  assert.match(provider.problems()[0] ?? '', /cannot be read \(ENOENT\); the last good state/);
  renameSync(`${at.path}.gone`, at.path);
  at.write('b.yaml', user('b'));
  await eventually('b', () => provider.current().users.has('b'));
  assert.equal(provider.problems(), []);
  // In one step: a look in between would find that the file was removed.
  mkdirSync(join(at.path, 'folder'));
  symlinkSync('folder', join(at.path, 'link'));
  renameSync(join(at.path, 'link'), join(at.path, 'b.yaml'));
  await provider.refresh();
  assert.ok(provider.current().users.has('b'));
  assert.match(provider.problems()[0] ?? '', /b\.yaml cannot be read \(EISDIR\)/);
  chmodSync(at.path, 0o700);
});

test('a folder that goes away in the middle of a look takes nothing with it', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `u${index}`);
  const at = folder(Object.fromEntries(names.map((name) => [`${name}.yaml`, user(name)])));
  const provider = at.provider({ debounceMs: 1e6, pollMs: 1e6 });
  await provider.start();
  for (let turns = 0; turns < 12; turns++) {
    const look = provider.refresh();
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    renameSync(at.path, `${at.path}.gone`);
    await look;
    assert.is(provider.current().users.size, names.length, `away after ${turns} turns`);
    renameSync(`${at.path}.gone`, at.path);
    await provider.refresh();
    assert.equal(provider.problems(), []);
  }
});

test('there must be something to start with', async () => {
  for (const [files, reason] of [
    [{}, /no usable BackupUser/],
    [{ 'a.yaml': collection('c') }, /no usable BackupUser/],
    [{ 'a.yaml': user('a', 'rolles: []') }, /no usable BackupUser.*spec\.rolles/],
  ] as const) {
    const outcome = await folder(files)
      .provider()
      .start()
      .catch((error: unknown) => error);
    assert.instance(outcome, UserError);
    assert.match((outcome as UserError).message, reason);
  }
  const missing = await folder()
    .provider({ path: '/does/not/exist' })
    .start()
    .catch((error: unknown) => error);
  assert.match((missing as UserError).message, /ENOENT/);
});

test.run();
