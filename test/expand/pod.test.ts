/** Which group the kubelet gives the pod's volumes to, and which of them settings may replace. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/krm/json.ts';
import { at } from '../manifests/generated.ts';
import { expandText, generate } from '../resource-lists.ts';

const test = suite('expand: pods');

const CLAIM = 'persistentVolumeClaim: {claimName: uploads}';
const FILES = '{kind: internal, name: files}';
const POSTGRES = '{kind: internal, name: postgres, version: "16"}';
const OWN = '{kind: ClusterBackupProcedureTemplate, name: own}';

function source(templateRef: string, params: string, podTemplate = '{}'): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: app, namespace: shop}
spec:
  collectionId: app
  cronJob: {enabled: true}
  templateRef: ${templateRef}
  vars: {Params: ${params}}
  encryption:
    recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
    identitySecretRef: {name: identity, key: identity}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
  podTemplate: ${podTemplate}
---
apiVersion: riotkit.org/v1alpha1
kind: ClusterBackupProcedureTemplate
metadata: {name: own}
spec: {image: "example.org/own:1", backup: "true", restore: "true"}
---
apiVersion: riotkit.org/v1alpha1
kind: RequestedBackupAction
metadata: {name: back, namespace: shop}
spec: {action: restore, scheduledBackupRef: {name: app}}
`;
}

/** fsGroup and its policy in the pods of the backup and of the restore. */
function groups(text: string, config?: string): unknown[] {
  const objects = generate(text, config);
  const security = (kind: string, ...path: string[]) => {
    const pod = objects.find((object) => object.kind === kind);
    const { fsGroup, fsGroupChangePolicy } = at(pod, ...path, 'template', 'spec', 'securityContext') ?? {};
    return fsGroupChangePolicy === undefined ? fsGroup : `${fsGroup} ${fsGroupChangePolicy}`;
  };
  return [security('CronJob', 'spec', 'jobTemplate', 'spec'), security('Job', 'spec')];
}

const OURS = '65532 OnRootMismatch';

test('pods that mount a claim of an application give it to no group', () => {
  assert.equal(groups(source(FILES, '{claim: uploads}')), [undefined, undefined]);
  assert.equal(groups(source(POSTGRES, '{hostname: db}')), [OURS, OURS]);
  const etcd = source(
    '{kind: internal, name: etcd, version: v3.5.21}',
    '{hostname: etcd, claim: data-etcd-0}',
  );
  assert.equal(groups(etcd), [OURS, undefined]);
});

test('nor does a claim that the user mounts, unless it replaces scratch', () => {
  const mounting = (name: string, volume = CLAIM) => `{volumes: [{name: ${name}, ${volume}}]}`;
  assert.equal(groups(source(FILES, '{path: /uploads}', mounting('uploads'))), [undefined, undefined]);
  assert.equal(groups(source(OWN, '{}', mounting('uploads'))), [undefined, undefined]);
  assert.equal(groups(source(POSTGRES, '{hostname: db}', mounting('scratch'))), [OURS, OURS]);
  assert.equal(groups(source(POSTGRES, '{hostname: db}', mounting('ca', 'configMap: {name: ca}'))), [
    OURS,
    OURS,
  ]);
  const config = `apiVersion: riotkit.org/v1alpha1
kind: ExpandBackups
metadata: {name: expand-backups}
spec: {podTemplate: ${mounting('shared')}}
`;
  assert.equal(groups(source(POSTGRES, '{hostname: db}'), config), [undefined, undefined]);
});

test('the user may ask for a group, or for none', () => {
  const asking = (fields: string) =>
    groups(source(FILES, '{claim: uploads}', `{securityContext: {${fields}}}`));
  assert.equal(asking('fsGroup: 1000'), ['1000 OnRootMismatch', '1000 OnRootMismatch']);
  assert.equal(asking('fsGroup: 1000, fsGroupChangePolicy: Always'), ['1000 Always', '1000 Always']);
  assert.equal(asking('runAsUser: 1000, runAsGroup: 1000'), [undefined, undefined]);
  const none = groups(source(POSTGRES, '{hostname: db}', '{securityContext: {fsGroup: null}}'));
  assert.equal(none, [undefined, undefined]);
});

test('a volume or mount of the pod is the pod’s, but scratch, and what is not there in the first place', () => {
  const errors = (text: string) => expandText(text).stderr.match(/^error: .*/gm) ?? [];
  const volume = (name: string, more = '') => `{volumes: [{name: ${name}, emptyDir: {}}]${more}}`;
  for (const name of ['client', 'scripts', 'keys'])
    assert.match(errors(source(POSTGRES, '{hostname: db}', volume(name)))[0] ?? '', `volume "${name}"`, name);
  assert.equal(errors(source(POSTGRES, '{hostname: db}', volume('scratch'))), []);
  assert.equal(errors(source(POSTGRES, '{hostname: db}', volume('data'))), []);
  assert.equal(errors(source(FILES, '{path: /data}', volume('data'))), []);
  const mount = (path: string) => `, volumeMounts: [{name: x, mountPath: ${path}}]`;
  for (const path of ['/opt/backup-maker', '/etc/backup-maker/', '/mnt/secrets'])
    assert.is(errors(source(POSTGRES, '{hostname: db}', volume('x', mount(path)))).length, 1, path);
  for (const path of ['/tmp', '/data', '/mnt/secrets/mine'])
    assert.equal(errors(source(POSTGRES, '{hostname: db}', volume('x', mount(path)))), [], path);
  const ours = '{volumeMounts: [{name: data, mountPath: /data, readOnly: true}]}';
  assert.equal(errors(source('{kind: internal, name: sqlite}', '{claim: c, path: /data/a}', ours)), []);
});

test('a schedule is written as the controller reads it', () => {
  const schedule = (text: string): unknown => {
    const written = source(POSTGRES, '{hostname: db}').replace(
      'enabled: true',
      `enabled: true, scheduleEvery: ${text}`,
    );
    return at(generate(written).find(({ kind }) => kind === 'CronJob') as JsonObject, 'spec')?.schedule;
  };
  assert.is(schedule('" @daily "'), '@daily');
  assert.is(schedule('"@every 1h\\n"'), '@every 1h');
  assert.is(schedule('" 0  2 * * *\\t"'), '0 2 * * *');
});

test.run();
