import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readDocuments } from '../../src/server/configuration/documents.ts';
import { State } from '../../src/server/configuration/state.ts';
import { documentsOf, expand, expandText, generate, objectsOf, resourceList } from '../resource-lists.ts';

const CONFIG = `apiVersion: riotkit.org/v1alpha1
kind: ExpandBackups
metadata: {name: x}
spec: {serverConfiguration: {configMapName: server, namespace: backups}}
`;
const HASH = Buffer.from('$argon2id$v=19$m=65536,t=1,p=4$c2FsdHNhbHQ=$aGFzaGhhc2hoYXNoaGFzaA==').toString(
  'base64',
);

function user(name: string, spec: string, annotations = '{}'): string {
  return `apiVersion: backups.riotkit.org/v1alpha1
kind: BackupUser
metadata: {name: ${name}, namespace: backups, annotations: ${annotations}}
spec: ${spec}
`;
}

function collection(name: string, accessControl = '[]'): string {
  return `apiVersion: backups.riotkit.org/v1alpha1
kind: BackupCollection
metadata: {name: ${name}, namespace: backups}
spec: {filenameTemplate: "${name}-\${version}", maxBackupsCount: 1, maxOneVersionSize: 1G, maxCollectionSize: 1G, accessControl: ${accessControl}}
`;
}

function backup(collectionId: string): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: app, namespace: shop}
spec:
  collectionId: ${collectionId}
  cronJob: {enabled: true}
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars: {Params: {hostname: db}}
  gpgKeySecretRef: {secretName: keys}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
`;
}

const key = (name: string, ...roles: string[]) =>
  `{accessKeys: [{name: k, objects: [{name: ${name}, type: collection, roles: [${roles}]}]}]}`;

interface ConfigMap {
  metadata: { namespace?: string };
  data: Record<string, string>;
}

function folded(...documents: string[]): Record<string, string> {
  const objects = generate(documents.join('---\n'), CONFIG) as unknown as ConfigMap[];
  const [map] = objects;
  if (!map || objects.length > 1) throw new Error(`${objects.length} objects`);
  assert.is(map.metadata.namespace, 'backups');
  return map.data;
}

const warnings = (...documents: string[]) => expandText(documents.join('---\n'), CONFIG).stderr;

const test = suite('expand: the configuration of the server');

test('users and collections become one ConfigMap that the server reads as it read the originals', () => {
  const documents = [
    collection('shop', '[{userName: shop, roles: [backupUploader]}]'),
    user('shop', key('shop', 'backupUploader')),
    user('admin', '{roles: [systemAdmin], passwordFromRef: {name: passwords, entry: admin}}'),
  ];
  const data = folded(...documents);
  assert.equal(Object.keys(data), ['collection-shop.yaml', 'user-admin.yaml', 'user-shop.yaml']);
  const states = [Object.entries(data), documents.map((text, index) => [`${index}.yaml`, text] as const)].map(
    (files) => {
      const state = new State();
      for (const [name, text] of files) state.update(name, readDocuments(text), { encoding: 'base64' });
      const { users, collections } = state.snapshot();
      return { users: Object.fromEntries(users), collections: Object.fromEntries(collections) };
    },
  );
  assert.is(Object.keys(states[0]?.users ?? {}).length, 2);
  assert.equal(states[0], states[1]);
});

test('the order of the sources does not matter', () => {
  const documents = [user('a', '{}'), user('b', '{}'), collection('c')];
  assert.is(JSON.stringify(folded(...documents)), JSON.stringify(folded(...documents.reverse())));
});

test('sources become local configuration, and only if they are folded', () => {
  const text = `${user('a', '{}')}---\n${collection('c')}`;
  const marks = objectsOf(expandText(text, CONFIG).stdout).map(({ kind, metadata }) => {
    const { annotations } = metadata as { annotations?: Record<string, string> };
    return `${kind} ${annotations?.['config.kubernetes.io/local-config']}`;
  });
  assert.equal(marks, ['BackupUser true', 'BackupCollection true', 'ConfigMap undefined']);
  const without = expandText(text);
  assert.is(without.stdout, resourceList(documentsOf(text)));
});

test('without sources, what was made of them is removed from a package', () => {
  const path =
    '{internal.config.kubernetes.io/path: server/users.yaml, internal.config.kubernetes.io/index: "0"}';
  const first = expandText(user('a', '{}', path), CONFIG);
  assert.match(first.stdout, /internal\.config\.kubernetes\.io\/path: server\/generated\/server\.yaml/);
  const list = first.stdout.replace(/- apiVersion: backups[\s\S]*?(?=- apiVersion: v1)/, '');
  assert.is(objectsOf(list).length, 1);
  const second = expand(list);
  assert.equal(objectsOf(second.stdout), []);
  assert.match(second.stdout, /removed, because ServerConfiguration\/backups\/server/);
});

test('a user added by another file changes one entry', () => {
  const one = folded(user('a', '{}'));
  const two = folded(user('0', '{}').replace('name: 0', 'name: "0"'), user('a', '{}'));
  assert.is(two['user-a.yaml'], one['user-a.yaml']);
  assert.equal(Object.keys(two), ['user-0.yaml', 'user-a.yaml']);
});

test('the hash of a password is let in with a warning, a password is not, and neither is shown', () => {
  const hashed = expandText(user('a', `{password: ${HASH}}`), CONFIG);
  assert.is(hashed.exitCode, 0);
  assert.match(
    hashed.stderr,
    /^warning: BackupUser backups\/a: spec\.password: a password's hash in a ConfigMap/,
  );
  assert.not.ok(hashed.stderr.includes(HASH));
  assert.is(
    expandText(user('a', "{password: '$argon2id$v=19$m=65536,t=1,p=4$c2FsdA$aGFzaA'}"), CONFIG).exitCode,
    0,
  );
  const clear = expandText(user('a', '{password: hunter22}'), CONFIG);
  assert.is(clear.exitCode, 1);
  assert.not.ok(clear.stderr.includes('hunter22'));
  assert.is(warnings(user('a', '{passwordFromRef: {name: s, entry: a}}')), '');
});

test('a collection that nothing declares is only noticed where others are declared', () => {
  const access = '[{userName: u, roles: [backupUploader]}]';
  const uploader = user('u', key('shop', 'backupUploader'));
  assert.is(warnings(backup('shop')), '');
  assert.is(warnings(backup('shop'), collection('shop', access), uploader), '');
  assert.match(
    warnings(backup('shpo'), collection('shop', access), uploader),
    /ScheduledBackup shop\/app: spec\.collectionId: there is no BackupCollection "shpo" in the list, but others are; did you mean shop\?/,
  );
  assert.match(expandText([backup('x'), collection('shop')].join('---\n')).stderr, /no BackupCollection "x"/);
});

test('an access key can do no more than its user, and the user no more than roles and list say', () => {
  const rights = /the user may not (.*) there/;
  const check = (list: string, ...roles: string[]) =>
    rights.exec(warnings(collection('shop', list), user('u', key('shop', ...roles))))?.[1];
  assert.is(check('[]', 'backupUploader'), 'upload');
  assert.is(
    check('[{userName: u, roles: [backupUploader]}]', 'backupUploader', 'backupDownloader'),
    'download',
  );
  assert.is(check('[{type: user, name: u, roles: [collectionManager]}]', 'collectionManager'), undefined);
  assert.is(check('[{userName: other, roles: [systemAdmin]}]', 'uploadsAnytime'), 'upload');
  const admin = user('u', key('shop', 'backupUploader').replace('{', '{roles: [systemAdmin], '));
  assert.not.match(warnings(collection('shop'), admin), rights);
});

test('a backup that no access key may upload is noticed, if there are access keys at all', () => {
  const list = collection('shop', '[{userName: u, roles: [collectionManager]}]');
  const missing =
    /spec\.accessKeySecretRef: no access key of a BackupUser in the list may upload to the collection shop/;
  assert.match(warnings(backup('shop'), list, user('u', key('shop', 'backupDownloader'))), missing);
  assert.not.match(warnings(backup('shop'), list, user('u', key('shop', 'backupUploader'))), missing);
  assert.not.match(warnings(backup('shop'), list, user('u', '{}')), missing);
});

test('an access key for restores must be one that may download, and that of backups need not then', () => {
  const list = collection('shop', '[{userName: u, roles: [collectionManager]}]');
  const uploader = user('u', key('shop', 'backupUploader'));
  const downloader = user('u', key('shop', 'backupDownloader'));
  const two = backup('shop').replace(
    '  repository',
    '  restoreAccessKeySecretRef: {name: special}\n  repository',
  );
  const restores = two.replace('spec:\n', 'spec:\n  operation: restore\n');
  const upload = /spec\.accessKeySecretRef: no access key .* may upload to the collection shop/;
  const download = /spec\.restoreAccessKeySecretRef: no access key .* may download from the collection shop/;
  assert.match(warnings(two, list, uploader), download);
  assert.not.match(warnings(two, list, uploader), upload);
  assert.match(warnings(two, list, downloader), upload);
  assert.not.match(warnings(two, list, downloader), download);
  assert.is(warnings(two, list, user('u', key('shop', 'backupUploader', 'backupDownloader'))), '');
  assert.match(warnings(restores, list, uploader), download);
  assert.not.match(warnings(restores, list, uploader), /spec\.accessKeySecretRef/);
  assert.not.match(warnings(restores, list, downloader), /no access key/);
  const token = two.replace(
    'accessKeySecretRef: {name: access}',
    'tokenSecretRef: {secretName: t, tokenKey: t}',
  );
  assert.match(warnings(token, list, uploader), download);
});

test('without being asked to, nothing is said of kinds that the cluster may know better', () => {
  const later = `${user('a', '{newField: 1}')}---\n${user('b', '{}').replace('v1alpha1', 'v2')}`;
  assert.equal([expandText(later).exitCode, expandText(later).stderr], [0, '']);
  assert.is(expandText(later, CONFIG).exitCode, 1);
});

test.run();
