/** The key's Job against a real API server, with the rights and the token that the rendered objects give it. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/api/problem.ts';
import { type Cluster, createKeySecret, type KeySecretOptions } from '../../../src/client/cluster-secret.ts';
import { generateKeyPair } from '../../../src/client/key-files.ts';
import { emitYaml } from '../../../src/krm/emit.ts';
import { fixtures, generate } from '../../resource-lists.ts';
import { type ApiServer, startApiServer } from '../server/kubernetes/api-server.ts';

const test = suite('client: a key in a real cluster');

let api: ApiServer;
let cluster: Cluster;

test.before(async () => {
  api = await startApiServer();
  const [input, config] = ['input', 'config'].map((name) =>
    readFileSync(join(fixtures, 'good/key-job', `${name}.yaml`), 'utf8'),
  );
  const rendered = generate(input ?? '', config).filter(
    ({ kind, metadata }) => (metadata as { name: string }).name.startsWith('shop-keygen') && kind !== 'Job',
  );
  api.kubectl(['create', 'namespace', 'shop']);
  api.kubectl(
    ['apply', '--server-side', '-f', '-'],
    rendered.map((object) => `---\n${emitYaml(object, 0)}`).join(''),
  );
  const server = api.kubectl(['config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}']);
  const folder = join(dirname(api.adminConfig), 'certificates');
  cluster = {
    url: new URL(server),
    certificate: readFileSync(join(folder, 'apiserver.crt'), 'utf8'),
    token: api.kubectl(['create', 'token', 'shop-keygen', '-n', 'shop']).trim(),
    namespace: 'shop',
  };
});
test.after(() => api?.stop());

function options(more: Partial<KeySecretOptions> = {}): KeySecretOptions {
  return {
    name: 'shop-key',
    namespace: '',
    kind: 'openpgp',
    entries: { publicKey: 'public', privateKey: 'private' },
    signal: new AbortController().signal,
    generate: (passphrase = '') =>
      generateKeyPair({
        kind: 'openpgp',
        name: 'Shop',
        email: 'a@example.org',
        passphrase,
        date: new Date(),
      }),
    ...more,
  };
}

async function failureOf(how: KeySecretOptions, where = cluster): Promise<UserError> {
  const error = await createKeySecret(where, how).catch((reason: unknown) => reason);
  assert.instance(error, UserError);
  return error as UserError;
}

const secretOf = (name: string) =>
  JSON.parse(api.kubectl(['get', 'secret', '-n', 'shop', name, '-o', 'json'])) as {
    data: Record<string, string>;
    metadata: { resourceVersion: string };
  };

test('five at once make one key, and the next one finds it', async () => {
  const results = await Promise.all([1, 2, 3, 4, 5].map(() => createKeySecret(cluster, options())));
  assert.is(results.filter(({ outcome }) => outcome === 'created').length, 1);
  assert.is(new Set(results.map(({ publicText }) => publicText)).size, 1);
  const { resourceVersion } = secretOf('shop-key').metadata;
  assert.is((await createKeySecret(cluster, options())).outcome, 'kept');
  assert.is(secretOf('shop-key').metadata.resourceVersion, resourceVersion);
});

test('a Secret that lacks the key gets it, and keeps the rest', async () => {
  api.kubectl(['delete', 'secret', '-n', 'shop', 'shop-key']);
  api.kubectl(['create', 'secret', 'generic', '-n', 'shop', 'shop-key', '--from-literal=token=mine']);
  const results = await Promise.all([1, 2, 3].map(() => createKeySecret(cluster, options())));
  assert.equal(results.map(({ outcome }) => outcome).sort(), ['added', 'kept', 'kept']);
  const { data } = secretOf('shop-key');
  assert.is(Buffer.from(data.token ?? '', 'base64').toString(), 'mine');
  assert.is(Buffer.from(data.public ?? '', 'base64').toString(), results[0]?.publicText);
});

test('an immutable Secret stays as it is', async () => {
  api.kubectl(['delete', 'secret', '-n', 'shop', 'shop-key']);
  const manifest =
    'apiVersion: v1\nkind: Secret\nmetadata: {name: shop-key, namespace: shop}\nimmutable: true\n';
  api.kubectl(['apply', '-f', '-'], manifest);
  assert.match((await failureOf(options())).message, /422 \(Invalid\)$/);
});

test('no other Secret can be read, and none elsewhere be made', async () => {
  for (const other of [{ name: 'other' }, { namespace: 'default' }]) {
    assert.is((await failureOf(options(other))).problem.code, 'not-authorized');
  }
});

test('an API server with another certificate gets no token', async () => {
  const { message } = await failureOf(options(), { ...cluster, certificate: undefined });
  assert.match(message, /cannot be reached \(\w*(SELF_SIGNED|UNABLE)\w*\)/);
});

test.run();
