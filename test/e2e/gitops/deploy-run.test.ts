/** The pods of deploy/ run: a version goes in and comes back, with our client, and outlives the pod. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, type Manifest, type Ran, root, run } from '../sandbox.ts';
import { newBucket, newDatabase } from '../server/replicas/engines.ts';
import { buildObjects, HEALTH_KEY, PASSWORDS, secrets } from './manifests.ts';
import { type Probes, type ServerPod, withServerPod } from './server-pod.ts';

const test = suite('deploy, running');

const folder = folderWith({ 'data/notes.txt': 'something worth keeping\n' });
const claims = { 'backup-repository-data': join(folder, 'claim') };
const client = join(root, 'dist/backup-maker/backup-maker.mjs');
let objects: Manifest[] = [];

test.before(async () => {
  mkdirSync(join(folder, 'claim'));
  objects = [...buildObjects('deploy/base'), ...(await secrets())];
  assert.is(maker({}, 'keygen', '--out', 'backup.key').code, 0);
});

function maker(env: Record<string, string>, ...args: string[]): Ran {
  return run(process.execPath, [client, ...args], { cwd: folder, env });
}

/** As the access key that the example has for it. */
function as(key: 'backup' | 'restore', { url }: ServerPod): Record<string, string> {
  return {
    BM_URL: url,
    BM_COLLECTION_ID: 'shop-db',
    BM_ACCESS_KEY_USERNAME: `shop$${key}`,
    BM_ACCESS_KEY_PASSWORD: PASSWORDS[`shop-${key}`],
  };
}

const make = (pod: ServerPod, cmd: string) =>
  maker(as('backup', pod), 'make', '--key', 'backup.key.pub', '--cmd', cmd);
const restore = (pod: ServerPod, cmd: string) =>
  maker(as('restore', pod), 'restore', '--private-key', 'backup.key', '--cmd', cmd);

test('base: stores a version and gives it back; each access key may do its own only', async () => {
  const { exitCode, logs } = await withServerPod({ objects, claims }, async (pod, probes) => {
    const made = make(pod, 'tar -cf - data');
    assert.is(made.code, 0, made.stderr);
    mkdirSync(join(folder, 'restored'));
    const restored = restore(pod, 'tar -xf - -C restored');
    assert.is(restored.code, 0, restored.stderr);
    assert.is(readFileSync(join(folder, 'restored/data/notes.txt'), 'utf8'), 'something worth keeping\n');
    const denied = maker(
      as('backup', pod),
      'restore',
      '--private-key',
      'backup.key',
      '--cmd',
      'cat > stolen',
    );
    assert.is(denied.code, 8, denied.stderr);
    await checkProbes(pod, probes);
    await checkContainer(pod);
  });
  assert.is(exitCode, 0, logs);
  for (const secret of [...Object.values(PASSWORDS), HEALTH_KEY]) assert.not.ok(logs.includes(secret));
});

async function checkProbes({ url, container }: ServerPod, { readiness, liveness, preStop }: Probes) {
  assert.is((await fetch(url + liveness.httpGet.path)).status, 200);
  // The code is needed, and a wrong one is not enough.
  assert.is((await fetch(`${url}/ready`)).status, 403);
  const [shell = '', ...rest] = readiness.exec.command;
  const wrong = await container.exec('env', 'BR_HEALTH_CHECK_KEY=wrong', shell, ...rest);
  assert.is.not(wrong.code, 0);
  assert.is((await container.exec(...preStop.exec.command.with(-1, '0'))).code, 0);
  // As the ServiceMonitor asks.
  const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${HEALTH_KEY}` } });
  assert.match(await metrics.text(), /^backup_repository_collection_versions\{collection="shop-db"\} 1$/m);
}

async function checkContainer({ container }: ServerPod) {
  const [server] = await container.processes();
  for (const secret of [...Object.values(PASSWORDS), HEALTH_KEY])
    assert.not.ok(server?.arguments.join(' ').includes(secret));
  assert.match(readFileSync(`/proc/${container.pid}/status`, 'utf8'), /^CapEff:\t0+$/m);
  assert.match(readFileSync(`/proc/${container.pid}/status`, 'utf8'), /^Uid:\t65532\t/m);
  for (const path of ['/config', '/secrets/backup-repository-passwords', '/usr/local/bin']) {
    const { code } = await container.exec('sh', '-c', `: > ${path}/written`);
    assert.is.not(code, 0, `${path} can be written to`);
  }
}

test('base: the next pod has the same volume, and the version', async () => {
  const { exitCode, logs } = await withServerPod({ objects, claims }, async (pod) => {
    const restored = restore(pod, 'tar -xOf - data/notes.txt > again.txt');
    assert.is(restored.code, 0, restored.stderr);
  });
  assert.is(exitCode, 0, logs);
  assert.is(readFileSync(join(folder, 'again.txt'), 'utf8'), 'something worth keeping\n');
});

test('base: being asked to stop, it lets an upload finish', async () => {
  const { exitCode, logs } = await withServerPod({ objects, claims }, async (pod) => {
    const { pid } = pod.container;
    // The command itself stops the server in the middle of its output, when the upload has begun.
    const made = make(pod, `head -c 3000000 /dev/urandom; sleep 2; kill -TERM ${pid}; sleep 2; echo end`);
    assert.is(made.code, 0, made.stderr);
  });
  assert.is(exitCode, 0, logs);
  assert.match(logs, /waiting for uploads and downloads to finish/);
});

test('postgres-s3: one replica gives back what another stored, with no volume between them', async () => {
  const engines = {
    'database-url': await newDatabase(),
    'storage-url': (await newBucket()).url(),
    'access-key-id': process.env.AWS_ACCESS_KEY_ID ?? '',
    'secret-access-key': process.env.AWS_SECRET_ACCESS_KEY ?? '',
  };
  const replicated = [
    ...buildObjects('deploy/postgres-s3'),
    ...(await secrets()),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'backup-repository-engines' },
      stringData: engines,
    },
  ];
  const other = await withServerPod({ objects: replicated }, async (one) => {
    const made = make(one, 'tar -cf - data');
    assert.is(made.code, 0, made.stderr);
    const second = await withServerPod({ objects: replicated }, async (two) => {
      const restored = restore(two, 'tar -xOf - data/notes.txt > from-s3.txt');
      assert.is(restored.code, 0, restored.stderr);
    });
    assert.is(second.exitCode, 0, second.logs);
  });
  assert.is(other.exitCode, 0, other.logs);
  assert.is(readFileSync(join(folder, 'from-s3.txt'), 'utf8'), 'something worth keeping\n');
});

test.run();
