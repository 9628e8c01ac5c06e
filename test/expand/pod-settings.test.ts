import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkPodSettings } from '../../src/expand/pod-settings.ts';
import { quantityOf } from '../../src/expand/quantity.ts';

test('amounts are compared across their units', () => {
  const ascending = ['1n', '1u', '500m', 0.75, '1', '1e3', '1M', '1Mi', '0.5G', '1Gi', '1T', '1Ei'];
  const values = ascending.map((text) => quantityOf(text) ?? Number.NaN);
  assert.equal(
    values,
    [...values].sort((a, b) => a - b),
  );
  assert.is(quantityOf('512MB'), undefined);
});

test('what the API server would refuse is found', () => {
  const check = (resources: object, mounts: { name: string; mountPath: string }[] = []) =>
    checkPodSettings(
      {
        volumes: [{ name: 'ca' }],
        containers: [{ name: 'main', resources, volumeMounts: mounts }, { name: 'other' }],
      },
      'main',
    ).map(({ path }) => path);
  assert.equal(check({ requests: { cpu: '2' }, limits: { cpu: '1500m' } }), [
    'spec.podTemplate.resources.requests.cpu',
  ]);
  assert.equal(check({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m' } }), []);
  assert.equal(check({}, [{ name: 'cas', mountPath: '/ca' }]), ['spec.podTemplate.volumeMounts']);
  assert.equal(check({}, [{ name: 'ca', mountPath: '/ca' }]), []);
});

test.run();
