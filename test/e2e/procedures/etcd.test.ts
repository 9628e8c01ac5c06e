import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loudly } from '../loudly.ts';
import { awkwardPassword, etcdctl, type Server, startEtcd } from './databases.ts';
import { check, find, folder, podUser } from './machine.ts';
import { refuse, run, succeed } from './scripts.ts';

const test = suite('etcd');
let server: Server;
let params: Record<string, string>;
/** As in the stock image: the programs of etcd, and the one busybox that our client brings. */
let programs: string[];
const admin = { ETCDCTL_USER: 'root', ETCDCTL_PASSWORD: awkwardPassword };

test.before(
  loudly(async () => {
    const image = folder();
    for (const name of ['etcdctl', 'etcdutl', 'busybox'])
      symlinkSync(find(name) as string, join(image, name));
    check('chmod', ['0755', image]);
    programs = [image];
    server = await startEtcd(join(folder('nobody'), 'data'), 'nobody');
    params = { hostname: '127.0.0.1', port: String(server.port), user: 'root', password: awkwardPassword };
    for (const name of ['/a', '/b']) etcdctl(server.port, ['put', '--', name, `value of ${name}`]);
    etcdctl(server.port, [
      'user',
      'add',
      'root',
      '--interactive=false',
      '--new-user-password',
      awkwardPassword,
    ]);
    etcdctl(server.port, ['user', 'grant-role', 'root', 'root']);
    etcdctl(server.port, ['auth', 'enable']);
  }),
);
test.after(() => server?.stop());

const backup = () => succeed({ procedure: 'etcd', operation: 'backup', params, shell: 'busybox', programs });
const target = (dataDir: string) =>
  ({
    procedure: 'etcd',
    operation: 'restore',
    shell: 'busybox',
    programs,
    params: { hostname: 'localhost', dataDir },
  }) as const;

test('a snapshot becomes the data directory of a member that serves the same keys', async () => {
  const input = await backup();
  etcdctl(server.port, ['del', '/a'], admin);
  const dataDir = folder();
  await succeed({ ...target(dataDir), input });
  assert.equal(readdirSync(dataDir), ['member'], 'nothing but the data is left on the volume');

  const restored = await startEtcd(dataDir, String(podUser));
  try {
    assert.is(etcdctl(restored.port, ['get', '--print-value-only', '/a'], admin), 'value of /a');
    assert.is(etcdctl(restored.port, ['get', '--print-value-only', '/b'], admin), 'value of /b');
  } finally {
    await restored.stop();
  }
});

test('data of a member is never overwritten', async () => {
  const input = await backup();
  const dataDir = folder();
  mkdirSync(join(dataDir, 'member'));
  const refused = await refuse({ ...target(dataDir), input });
  assert.match(refused.stderr, /never overwritten/);
  renameSync(join(dataDir, 'member'), join(dataDir, 'member.old'));
  await succeed({ ...target(dataDir), input });
  assert.equal(readdirSync(dataDir).sort(), ['member', 'member.old']);
});

test('nothing appears before the stream has ended, nor from a damaged snapshot', async () => {
  const input = await backup();
  const dataDir = folder();
  const killed = await run({
    ...target(dataDir),
    input,
    beforeEnd: async () => {
      await sleep(500);
      return 'kill';
    },
  });
  assert.is(killed.signal, 'SIGKILL');
  assert.equal(readdirSync(dataDir), []);

  const torn = await refuse({ ...target(dataDir), input: input.subarray(0, input.length - 4096) });
  assert.match(torn.stderr, /cannot be restored/);
  assert.equal(readdirSync(dataDir), []);
});

test('a wrong password fails with nothing that looks like a snapshot', async () => {
  const wrong = { ...params, password: 'wrong' };
  const refused = await refuse({
    procedure: 'etcd',
    operation: 'backup',
    params: wrong,
    shell: 'busybox',
    programs,
  });
  assert.is(refused.stdout.length, 0);
  assert.match(refused.stderr, /Check hostname, port, tls, the certificates, user and password/);
});

test.run();
