import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readFunctionConfig } from '../../src/api/function-config.ts';

test('a ConfigMap of strings and the typed kind mean the same', () => {
  const typed = {
    apiVersion: 'riotkit.org/v1alpha1',
    kind: 'ExpandBackups',
    spec: {
      networkPolicy: true,
      serviceAccount: false,
      clientImage: 'a/b:1',
      podTemplate: { backoffLimit: 1 },
      requireRestoreConfirmation: true,
      keyGeneration: 'job',
      serverConfiguration: { configMapName: 'server' },
    },
  };
  const data = {
    networkPolicy: 'true',
    serviceAccount: 'false',
    clientImage: 'a/b:1',
    podTemplate: 'backoffLimit: 1',
    requireRestoreConfirmation: 'true',
    keyGeneration: 'job',
    serverConfiguration: 'configMapName: server',
  };
  const expected = { config: typed.spec, problems: [] };
  assert.equal(readFunctionConfig(typed), expected);
  assert.equal(readFunctionConfig({ apiVersion: 'v1', kind: 'ConfigMap', data }), expected);
  assert.equal(readFunctionConfig(undefined), { config: {}, problems: [] });
  assert.equal(readFunctionConfig({ apiVersion: 'v1', kind: 'ConfigMap' }), { config: {}, problems: [] });
});

test('with a mistake in it, nothing of the configuration is used', () => {
  const data = { networkPolicy: 'true', clientimage: 'a/b:1' };
  const { config, problems } = readFunctionConfig({ apiVersion: 'v1', kind: 'ConfigMap', data });
  assert.equal(config, {});
  assert.equal(
    problems.map(({ path, proposal }) => [path, proposal]),
    [['functionConfig.data.clientimage', 'clientImage']],
  );
});

test.run();
