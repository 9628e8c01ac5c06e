import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Catalog } from '../../src/expand/catalog.ts';
import { Item } from '../../src/krm/item.ts';
import type { JsonObject } from '../../src/krm/json.ts';

function item(
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
  rest: JsonObject = {},
  annotations: JsonObject = {},
): Item {
  return Item.fromValue(
    { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), annotations }, ...rest },
    0,
  );
}
const keys = (...items: Item[]) => new Catalog(items).secret('a', 'db')?.keys;

test('an item is found in its namespace first, else where one of the two has none', () => {
  const here = item('v1', 'Secret', 'db', 'a');
  const there = item('v1', 'Secret', 'db', 'b');
  const nowhere = item('v1', 'Secret', 'db');
  assert.is(new Catalog([there, nowhere, here]).find('Secret', 'a', 'db'), here);
  assert.is(new Catalog([there, nowhere]).find('Secret', 'a', 'db'), nowhere);
  assert.is(new Catalog([there]).find('Secret', 'a', 'db'), undefined);
  assert.is(new Catalog([there]).find('Secret', '', 'db'), there);
  assert.equal(new Catalog([there]).namespacesOf('Secret', 'db'), ['b']);
});

test('kinds of other projects with the same name are not ours', () => {
  const catalog = new Catalog([
    item('postgresql.cnpg.io/v1', 'ScheduledBackup', 'db', 'a'),
    item('serving.knative.dev/v1', 'Service', 'db', 'a'),
  ]);
  assert.is(catalog.find('ScheduledBackup', 'a', 'db'), undefined);
  assert.is(catalog.find('Service', 'a', 'db'), undefined);
});

test('names from before kustomize renamed something are known as well', () => {
  const renamed = item(
    'v1',
    'Secret',
    'prod-db-7g5',
    'a',
    { data: { x: '' } },
    {
      'internal.config.kubernetes.io/previousNames': 'db,prod-db',
      'internal.config.kubernetes.io/previousNamespaces': 'default,default',
      'internal.config.kubernetes.io/previousKinds': 'Secret,Secret',
    },
  );
  const catalog = new Catalog([renamed]);
  for (const name of ['db', 'prod-db', 'prod-db-7g5'])
    assert.is(catalog.find('Secret', 'a', name), renamed, name);
  assert.equal(catalog.secret('a', 'db')?.keys, ['x']);
});

test('the entries of a Secret, wherever it will come from', () => {
  assert.equal(keys(item('v1', 'Secret', 'db', 'a', { data: { x: '' }, stringData: { y: '' } })), ['x', 'y']);
  const sealed = { spec: { encryptedData: { x: '' }, template: { data: { y: '' } } } };
  assert.equal(keys(item('bitnami.com/v1alpha1', 'SealedSecret', 'db', 'a', sealed)), ['x', 'y']);
  const external = { spec: { target: { name: 'db' }, data: [{ secretKey: 'x' }] } };
  assert.equal(keys(item('external-secrets.io/v1', 'ExternalSecret', 'from-vault', 'a', external)), ['x']);
  assert.equal(
    keys(item('kubernetes-client.io/v1', 'ExternalSecret', 'db', 'a', { spec: { data: [{ name: 'x' }] } })),
    ['x'],
  );
});

test('entries that cannot be known are unknown, not absent', () => {
  assert.is(keys(item('v1', 'Secret', 'db', 'a')), undefined);
  assert.is(
    keys(
      new Item(
        '- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: db\n    namespace: a\n  data: "broken\n',
        0,
        0,
      ),
    ),
    undefined,
  );
  assert.is(
    keys(item('external-secrets.io/v1', 'ExternalSecret', 'db', 'a', { spec: { dataFrom: [] } })),
    undefined,
  );
  const templated = { spec: { data: [{ secretKey: 'x' }], target: { template: { data: {} } } } };
  assert.is(keys(item('external-secrets.io/v1', 'ExternalSecret', 'db', 'a', templated)), undefined);
});

test.run();
