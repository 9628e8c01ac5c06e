/** Rendering again, with a function behind this one that sets a namespace, as kpt runs it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readResourceList } from '../../src/krm/resource-list.ts';
import { documentsOf, expand, objectsOf, resourceList } from '../resource-lists.ts';

const test = suite('expand: again');

const PATH = 'internal.config.kubernetes.io/path';
const annotations = `annotations:\n    ${PATH}: backup.yaml\n    internal.config.kubernetes.io/index: '0'`;
const SOURCES = `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata:
  name: app
  ${annotations}
spec:
  collectionId: app
  cronJob: {enabled: true}
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars: {Params: {hostname: db}}
  encryption:
    recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
    identitySecretRef: {name: identity, key: identity}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
---
apiVersion: riotkit.org/v1alpha1
kind: RequestedBackupAction
metadata:
  name: back
  ${annotations}
spec: {action: restore, scheduledBackupRef: {name: app}}
---
apiVersion: backups.riotkit.org/v1alpha1
kind: BackupUser
metadata:
  name: app
  ${annotations}
spec: {roles: [backupUploader]}
`;
const CONFIG = `apiVersion: riotkit.org/v1alpha1
kind: ExpandBackups
metadata: {name: expand-backups}
spec: {serviceAccount: true, serverConfiguration: {configMapName: server}}
`;

/** What kpt's set-namespace does. */
function withNamespace(list: string, namespace: string): string {
  return list
    .replace(/^ {4}namespace: .*\n/gm, '')
    .replace(/^ {2}metadata:\n {4}name: .*\n/gm, `$&    namespace: ${namespace}\n`);
}

function render(list: string): { list: string; said: string[] } {
  const { exitCode, stdout, stderr } = expand(list);
  assert.is(exitCode, 0, stderr);
  return { list: stdout, said: stdout.match(/removed, because[^\n]*/g) ?? [] };
}
const items = (list: string) => readResourceList(list).items.map(({ raw }) => raw);

for (const namespaces of [
  ['shop', 'shop', 'shop'],
  ['shop', 'stock', 'stock'],
]) {
  test(`a namespace that is set behind it removes nothing: ${namespaces.join(', ')}`, () => {
    let list = resourceList(documentsOf(SOURCES), CONFIG);
    const rendered = namespaces.map((namespace) => {
      const { said, list: made } = render(list);
      assert.equal(said, []);
      list = withNamespace(made, namespace);
      return items(list);
    });
    const [, second, third] = rendered;
    assert.is(objectsOf(list).filter(({ kind }) => kind === 'CronJob' || kind === 'Job').length, 2);
    if (namespaces[1] === namespaces[0]) assert.equal(third, second, 'a third run changes something');
    const { list: last } = render(list);
    assert.equal(items(last), third);
  });
}

test.run();
