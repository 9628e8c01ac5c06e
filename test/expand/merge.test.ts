import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mergePodTemplate } from '../../src/expand/merge.ts';

const ours = {
  metadata: { labels: { app: 'x' } },
  spec: {
    securityContext: { runAsUser: 1, fsGroup: 1 },
    volumes: [{ name: 'scratch', emptyDir: {} }],
    containers: [
      {
        name: 'main',
        resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
        volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
      },
      { name: 'other' },
    ],
  },
};

test('maps are merged, lists appended to, scalars replaced, null removes', () => {
  const before = structuredClone(ours);
  const merged = mergePodTemplate(
    ours,
    {
      labels: { app: 'y', team: 'z' },
      securityContext: { fsGroup: null, runAsUser: 2 },
      tolerations: [{ key: 'a' }],
      volumes: [{ name: 'ca', configMap: { name: 'ca' } }],
    },
    'main',
  );
  assert.equal(merged.metadata, { labels: { app: 'y', team: 'z' } });
  assert.equal(merged.spec?.securityContext, { runAsUser: 2 });
  assert.equal(merged.spec?.tolerations, [{ key: 'a' }]);
  assert.equal(
    merged.spec?.volumes?.map(({ name }) => name),
    ['scratch', 'ca'],
  );
  assert.equal(ours, before, 'the argument was changed');
});

test('a volume or mount of ours is replaced by one that would clash with it', () => {
  const own = { name: 'scratch', ephemeral: { volumeClaimTemplate: {} } };
  const merged = mergePodTemplate(
    ours,
    { volumes: [own], volumeMounts: [{ name: 'scratch', mountPath: '/tmp', subPath: 'a' }] },
    'main',
  );
  assert.equal(merged.spec?.volumes, [own]);
  assert.equal(merged.spec?.containers[0]?.volumeMounts, [
    { name: 'scratch', mountPath: '/tmp', subPath: 'a' },
  ]);
  assert.equal(merged.spec?.containers[1], { name: 'other' });
});

test('our requests give way to lower limits, those of the user do not', () => {
  const resources = (settings: object) =>
    mergePodTemplate(ours, { resources: settings }, 'main').spec?.containers[0]?.resources;
  assert.equal(resources({ limits: { memory: '128M' } }), {
    requests: { cpu: '100m', memory: '128M' },
    limits: { memory: '128M' },
  });
  assert.equal(resources({ limits: { memory: '0.5Gi' } })?.requests?.memory, '256Mi');
  assert.equal(resources({ requests: { memory: '2Gi' } })?.requests?.memory, '2Gi');
});

test('hostile keys stay data', () => {
  mergePodTemplate(ours, JSON.parse('{"nodeSelector": {"__proto__": {"polluted": "1"}}}'), 'main');
  assert.is(({} as { polluted?: string }).polluted, undefined);
});

test.run();
