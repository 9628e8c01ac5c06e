/** The Kubernetes provider and the definitions in deploy/crds against a real API server (see install.sh). */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { KubernetesProvider } from '../../../../src/server/configuration/kubernetes.ts';
import { reportProblems } from '../../../../src/server/configuration/report.ts';
import { eventually } from '../../../eventually.ts';
import { type ApiServer, SERVER_ACCOUNT, startApiServer } from './api-server.ts';

const root = join(import.meta.dirname, '../../../..');
const namespace = 'backup-repository';
const group = { apiVersion: 'backups.riotkit.org/v1alpha1' };
const PASSWORD =
  'JGFyZ29uMmlkJHY9MTkkbT02NTUzNix0PTEscD00JHpuVy9IT2Y4Q3RkdStvNSttYlR2REE9PSRaZlVpRGl2QWV2T2RZNndKYWJBb0FQdmM1a1hsemxDNkg2OFY2dGVmNUY0PQ==';

let server: ApiServer;
let provider: KubernetesProvider;

const apply = (...objects: object[]) =>
  server.kubectl(['-n', namespace, 'apply', '-f', '-'], objects.map((each) => stringify(each)).join('---\n'));
const user = (name: string, spec: object) => ({ ...group, kind: 'BackupUser', metadata: { name }, spec });
const collection = (name: string, spec: object) => ({
  ...group,
  kind: 'BackupCollection',
  metadata: { name },
  spec: {
    filenameTemplate: `${name}-\${version}.tar.gz`,
    maxBackupsCount: 5,
    maxOneVersionSize: '1M',
    maxCollectionSize: '10M',
    ...spec,
  },
});

async function until(what: string, condition: () => boolean): Promise<void> {
  await eventually(() => `${what}; problems: ${provider.problems().join(' | ')}`, condition, 50);
}

/** What it says, as soon as that has the text in it. */
async function refusalWith(text: string): Promise<string> {
  let message = '';
  for (let attempt = 0; attempt < 20 && !message.includes(text); attempt++) message = await refusal();
  return message;
}

async function refusal(): Promise<string> {
  const refused = new KubernetesProvider({
    kubeconfig: server.serverConfig,
    startTimeoutMs: 2000,
    retryMs: 50,
  });
  return refused.start().then(
    () => 'it started',
    (error: Error) => error.message,
  );
}

const test = suite('the Kubernetes provider against a real API server');

test.before(async () => {
  server = await startApiServer();
  server.kubectl(['create', 'namespace', namespace]);
});
test.after(async () => {
  await provider?.stop();
  await server.stop();
});

test('says that the kubeconfig cannot be read', async () => {
  const outcome = await new KubernetesProvider({ kubeconfig: '/does/not/exist' })
    .start()
    .catch((error) => error.message);
  assert.is(outcome, 'the kubeconfig /does/not/exist cannot be read (ENOENT)');
});

test('says which right is missing', async () => {
  // An API server that has just begun may take its time.
  const message = await refusalWith('does not let');
  assert.match(message, /does not let this server list and watch backupusers .*Role/);
});

test('says that the definitions are missing', async () => {
  const grant = (name: string, rules: object[]) => [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ ...SERVER_ACCOUNT, apiGroup: 'rbac.authorization.k8s.io' }],
    },
  ];
  const verbs = ['list', 'watch'];
  const kinds = {
    apiGroups: ['backups.riotkit.org'],
    resources: ['backupusers', 'backupcollections'],
    verbs,
  };
  // No right to any Secret but the two that are referred to.
  const secrets = { apiGroups: [''], resources: ['secrets'], resourceNames: ['passwords', 'late'], verbs };
  apply(...grant('server', [kinds, secrets]));
  // Rights take a moment to be known.
  const message = await refusalWith('deploy/crds');
  assert.match(message, /does not know backupusers .*deploy\/crds/);
});

test('the definitions take the original manifests as they are and prune nothing of them', async () => {
  for (const file of globSync('deploy/crds/*.yaml', { cwd: root }))
    server.kubectl(['apply', '-f', join(root, file)]);
  server.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=120s']);
  const access = [
    { userName: 'admin', roles: ['collectionManager'] },
    { name: 'robot', type: 'user', roles: ['backupUploader'] },
  ];
  apply(
    user('admin', {
      email: 'admin@example.org',
      deactivated: false,
      organization: 'Example',
      about: 'System administrator',
      passwordFromRef: { name: 'passwords', entry: 'admin' },
      roles: ['collectionManager', 'usersManager', 'systemAdmin'],
    }),
    user('robot', {
      email: 'robot@example.org',
      roles: [],
      accessKeys: [
        {
          name: 'key',
          passwordFromRef: { name: 'late', entry: 'robot' },
          objects: [{ name: 'web', type: 'collection', roles: ['backupUploader'] }],
        },
      ],
    }),
    collection('web', {
      description: 'Website',
      windows: [{ from: '*/30 * * * *', duration: '30m' }],
      strategyName: 'fifo',
      strategySpec: { keepLastOlderNotMoreThan: '5d', maxOlderCopies: 2 },
      accessControl: access,
    }),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'passwords' }, stringData: { admin: PASSWORD } },
  );
  const stored = JSON.parse(
    server.kubectl(['-n', namespace, 'get', 'backupcollection', 'web', '-o', 'json']),
  );
  assert.equal(stored.spec.accessControl, access);
});

test('the definitions refuse what the server could not use', () => {
  assert.throws(() => apply(collection('bad', { maxOneVersionSize: '1 GB' })), /maxOneVersionSize/);
  assert.throws(() => apply(user('bad', { roles: ['root'] })), /roles/);
  assert.throws(() => apply(user('bad', { rolles: [] })), /rolles/);
});

test('reads users, collections and the values of the Secrets that they refer to', async () => {
  provider = new KubernetesProvider({ kubeconfig: server.serverConfig, retryMs: 100 });
  await provider.start();
  const snapshot = provider.current();
  assert.equal([...snapshot.users.keys()].sort(), ['admin', 'robot']);
  assert.equal([...snapshot.collections.keys()], ['web']);
  assert.is(snapshot.secret('passwords', 'admin'), PASSWORD);
  assert.is(snapshot.secret('late', 'robot'), undefined);
  assert.is(provider.problems().length, 1);
  assert.match(provider.problems()[0] ?? '', /BackupUser robot.*no Secret late with an entry robot/);
});

test('follows changes: a late Secret, a new user, a deactivated one, a removed one', async () => {
  apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'late' }, stringData: { robot: PASSWORD } });
  await until('late secret', () => provider.current().secret('late', 'robot') === PASSWORD);
  assert.equal(provider.problems(), []);
  apply(user('guest', { roles: [] }));
  await until('new user', () => provider.current().users.has('guest'));
  apply(user('guest', { roles: [], deactivated: true }));
  await until('deactivated', () => provider.current().users.get('guest')?.spec.deactivated === true);
  server.kubectl(['-n', namespace, 'delete', 'backupuser', 'guest']);
  await until('removed', () => !provider.current().users.has('guest'));
});

test('an object that the definitions let pass and the server cannot use keeps its last good state', async () => {
  apply(collection('web', { windows: [{ from: 'every day', duration: '30m' }] }));
  await until('problem', () => provider.problems().some((each) => each.includes('spec.windows[0].from')));
  assert.is(provider.current().collections.get('web')?.spec.windows?.[0]?.from, '*/30 * * * *');
  apply(collection('web', {}));
  await until('repaired', () => provider.problems().length === 0);
});

test('keeps the last good state while the API server is away, and catches up afterwards', async () => {
  await server.kill();
  await until('problem', () => provider.problems().some((each) => each.includes('does not answer')));
  assert.is(provider.current().users.size, 2);
  assert.is(provider.current().secret('passwords', 'admin'), PASSWORD);
  await server.restart();
  server.kubectl(['-n', namespace, 'delete', 'backupuser', 'robot']);
  apply(user('newcomer', { roles: [] }));
  await until('newcomer', () => provider.current().users.has('newcomer'));
  await until('robot is gone', () => !provider.current().users.has('robot'));
  await until('well again', () => provider.problems().length === 0);
});

test('a Secret that the server may not read, and a watch that it is refused, are told once and until they are mended', async () => {
  const told: string[] = [];
  const note = (sign: string) => (fields: object) =>
    void told.push(`${sign} ${(fields as { problem: string }).problem}`);
  const stop = reportProblems(provider, { warn: note('+'), info: note('-') }, 20);
  try {
    apply(user('guest', { roles: [], passwordFromRef: { name: 'foreign', entry: 'guest' } }));
    await until('refused', () =>
      told.some((line) => /^\+ .*does not let .* watch secrets\/foreign .*Role/.test(line)),
    );
    server.kubectl(['-n', namespace, 'delete', 'backupuser', 'guest']);
    await until('forgotten', () => told.some((line) => /^- .*secrets\/foreign/.test(line)));
    assert.equal(provider.problems(), []);

    // It may still list: that alone is no reason to call it mended.
    const rule = (verbs: string) => `[{"op":"replace","path":"/rules/0/verbs","value":${verbs}}]`;
    const allow = (verbs: string) =>
      server.kubectl(['-n', namespace, 'patch', 'role', 'server', '--type=json', '-p', rule(verbs)]);
    told.length = 0;
    allow('["list"]');
    // A watch that is under way goes on: rights are looked at when one begins.
    await server.kill();
    await server.restart();
    const refused = () => provider.problems().filter((each) => each.includes('does not let')).length;
    await until('both refused', () => refused() === 2);
    told.length = 0;
    for (let look = 0; look < 100; look++) {
      assert.is(refused(), 2, `look ${look}`);
      await sleep(20);
    }
    assert.equal(told, []);
    allow('["list", "watch"]');
    await until('well again', () => provider.problems().length === 0);
    await until('told', () => told.filter((line) => /^- .*does not let/.test(line)).length === 2);
  } finally {
    stop();
  }
});

test('forgets a Secret that nothing refers to any more', async () => {
  assert.is(provider.current().secret('late', 'robot'), undefined);
});

test.run();
