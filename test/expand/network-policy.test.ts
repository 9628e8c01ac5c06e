import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../resource-lists.ts';

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {networkPolicy: "true"}\n';

/** The rules beyond the one for DNS, for a backup of postgres at `hostname` to the server at `url`. */
function egress(hostname: string, url: string, others = '', more = ''): unknown[] {
  const objects = generate(
    `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: app, namespace: shop}
spec:
  collectionId: app
  cronJob: {enabled: true}
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars: {Params: {hostname: "${hostname}"}}
  gpgKeySecretRef: {secretName: keys}
  accessKeySecretRef: {name: access}
  repository: {url: "${url}"}
${more}---
${others}`,
    CONFIG,
  );
  const policy = objects.find(({ kind }) => kind === 'NetworkPolicy') as {
    spec: { egress: unknown[]; policyTypes: string[]; podSelector: unknown };
  };
  assert.equal(policy.spec.policyTypes, ['Ingress', 'Egress']);
  assert.equal(policy.spec.podSelector, { matchLabels: { 'riotkit.org/scheduled-backup': 'app' } });
  return policy.spec.egress.slice(1);
}

const tcp = (port: number | string) => [{ protocol: 'TCP', port }];

test('addresses become blocks, and ports follow the scheme', () => {
  assert.equal(egress('10.0.0.5', 'https://[fd00::1]'), [
    { to: [{ ipBlock: { cidr: '10.0.0.5/32' } }], ports: tcp(5432) },
    { to: [{ ipBlock: { cidr: 'fd00::1/128' } }], ports: tcp(443) },
  ]);
});

test('names of Services in the list become their pods, in their namespace, at the port of the pod', () => {
  const services = `apiVersion: v1
kind: Service
metadata: {name: pg, namespace: db}
spec: {selector: {app: pg}, ports: [{port: 5432, targetPort: 6432}]}
---
apiVersion: v1
kind: Service
metadata: {name: server, namespace: shop}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: http}]}
`;
  const pg = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'db' } },
    podSelector: { matchLabels: { app: 'pg' } },
  };
  const server = { podSelector: { matchLabels: { app: 'server' } } };
  for (const host of ['pg.db', 'pg.db.svc', 'pg.db.svc.cluster.local']) {
    assert.equal(
      egress(host, 'http://server', services),
      [
        { to: [pg], ports: tcp(6432) },
        { to: [server], ports: tcp('http') },
      ],
      host,
    );
  }
});

test('what the list does not tell is allowed by port, and what only the pod knows is allowed altogether', () => {
  assert.equal(egress('pg', 'http://pg.example.org:81'), [{ ports: tcp(5432) }, { ports: tcp(81) }]);
  const hidden = '  varsSecretRef: {secretName: s, importOnlyKeys: [Params.hostname]}\n';
  assert.equal(egress('', 'http://10.0.0.1', '', hidden), [
    { to: [{ ipBlock: { cidr: '10.0.0.1/32' } }], ports: tcp(80) },
    {},
  ]);
});

test.run();
