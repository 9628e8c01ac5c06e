import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restrictedViolations } from '../../src/expand/pod-security.ts';
import { expandText } from '../resource-lists.ts';

const secure = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const pod = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };

test('a restricted pod has no violations, and each way out of it is one', () => {
  const check = (podPart: object, containerPart: object, volumes: object[] = []) =>
    restrictedViolations({
      securityContext: { ...pod, ...podPart },
      volumes: volumes as never,
      containers: [{ name: 'a', securityContext: { ...secure, ...containerPart } }],
    }).length;
  assert.is(check({}, {}, [{ name: 'v', emptyDir: {} }]), 0);
  assert.is(check({}, { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }), 0);
  assert.is(check({ runAsNonRoot: false }, {}), 1);
  assert.is(check({ runAsNonRoot: false }, { runAsNonRoot: true }), 0);
  assert.is(check({ runAsUser: 0 }, {}), 1);
  assert.is(check({}, { privileged: true }), 1);
  assert.is(check({}, { allowPrivilegeEscalation: undefined }), 1);
  assert.is(check({}, { capabilities: {} }), 1);
  assert.is(check({}, { capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }), 1);
  assert.is(check({ seccompProfile: { type: 'Unconfined' } }, {}), 1);
  assert.is(check({ sysctls: [{ name: 'a', value: 'b' }] }, {}), 1);
  assert.is(check({}, {}, [{ name: 'v', hostPath: { path: '/' } }]), 1);
});

test('leaving the standard is a warning, not an error', () => {
  const outcome = expandText(`apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: app, namespace: shop}
spec:
  collectionId: app
  cronJob: {enabled: true}
  templateRef: {kind: internal, name: files}
  vars: {Params: {claim: data}}
  encryption: {recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
  podTemplate:
    securityContext: {runAsUser: 0, runAsNonRoot: false}
`);
  assert.is(outcome.exitCode, 0);
  assert.match(
    outcome.stderr,
    /^warning: .*restricted Pod Security Standard: container backup-maker may run as root/,
  );
});

test.run();
