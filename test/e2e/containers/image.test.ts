/** The one image: what is in it, and that its folder of the client runs in other people's images. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_MEMORY, V8_FLAGS } from '../../../src/cli/lean-memory.ts';
import { DEFAULT_CLIENT_IMAGE } from '../../../src/expand/procedure.ts';
import { expand, goodCases, inputOf } from '../../resource-lists.ts';
import { type PodResult, runPod } from './pod.ts';
import { podman, podmanOutput, RUN_OPTIONS } from './podman.ts';

const root = join(import.meta.dirname, '../../..');
const { version, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
/** A root file system with a static busybox and nothing else. */
const EMPTY_IMAGE = 'localhost/backup-maker-test/busybox:1';

let folder = '';
const test = suite('the image');
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-maker-image-'));
  mkdirSync(join(folder, 'root/bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(folder, 'root/bin/busybox'));
  const tar = spawnSync('tar', ['-C', join(folder, 'root'), '-c', '.'], { maxBuffer: 1 << 26 });
  assert.is((await podman(['import', '--quiet', '-', EMPTY_IMAGE], tar.stdout)).code, 0);
});
test.after(async () => {
  await podman(['rmi', '--force', EMPTY_IMAGE]);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program of the image with as few rights as there are; without one, what the image runs by itself. */
function runImage(words: readonly string[], options: readonly string[] = [], input = '') {
  const [entry, ...args] = words;
  const rights = [
    '--read-only',
    '--read-only-tmpfs=false',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
  ];
  const command = entry === undefined ? [] : ['--entrypoint', entry];
  return podman(
    [
      'run',
      '--rm',
      '--interactive',
      ...RUN_OPTIONS,
      ...rights,
      ...options,
      ...command,
      DEFAULT_CLIENT_IMAGE,
      ...args,
    ],
    input,
  );
}

async function printed(...args: Parameters<typeof runImage>): Promise<string> {
  const { code, stdout, stderr } = await runImage(...args);
  assert.is(code, 0, stdout + stderr);
  return stdout;
}

test('is small, says what it is, and holds nothing that gives more rights', async () => {
  const inspected = await podmanOutput('image', 'inspect', DEFAULT_CLIENT_IMAGE);
  const [{ Config, Size }] = JSON.parse(inspected) as [
    { Size: number; Config: { User: string; Labels: Record<string, string> } },
  ];
  console.log(`${DEFAULT_CLIENT_IMAGE}: ${Math.round(Size / 1e6)} MB before compression`);
  assert.ok(Size < 200e6);
  assert.is(Config.User, '65532:65532');
  assert.is(Config.Labels['org.opencontainers.image.version'], version);
  assert.is(DEFAULT_CLIENT_IMAGE.split(':')[1], version);
  // As root, who sees all folders.
  const found = await printed(
    ['find', '/', '-xdev', '-type', 'f', '-perm', '/6000'],
    ['--user=0', '--cap-add=DAC_READ_SEARCH'],
  );
  assert.is(found, '');
  assert.is(await printed(['sh', '-c', 'id -u; id -g']), '65532\n65532\n');
  assert.is(await printed(['node', '--version']), `v${devDependencies.node}\n`);
});

test('runs the function by default, and gives what the function gives', async () => {
  const cases = goodCases().filter(({ name }) => ['age-postgres', 'every-procedure'].includes(name));
  assert.is(cases.length, 2);
  for (const good of cases) {
    const expected = expand(inputOf(good));
    // As kpt starts functions.
    const ran = await runImage([], ['--user=nobody'], inputOf(good));
    assert.is(ran.code, expected.exitCode);
    assert.is(ran.stdout, expected.stdout);
    assert.is(ran.stderr, expected.stderr);
  }
  assert.is((await runImage([], [], 'nonsense: [')).code, 1);
});

test('holds the server and the client under their names', async () => {
  assert.match(await printed(['backup-repository', '--help']), /Usage: backup-repository/);
  assert.match(await printed(['backup-maker', '--help']), /Usage: backup-maker/);
  assert.match(await printed(['backup-maker', '--version']), new RegExp(`^${version}$`, 'm'));
});

test('brings the licences and the bill of materials of what is in it', async () => {
  const texts = await printed(['cat', '/usr/share/doc/backup-maker/THIRD-PARTY-LICENSES.txt']);
  assert.match(texts, /^openpgp@[\d.]+ \(LGPL-3\.0\+\)$/m);
  const sbom = JSON.parse(await printed(['cat', '/usr/share/doc/backup-maker/sbom.cdx.json']));
  const places: Readonly<Record<string, string>> = {
    'dist/backup-maker/': '/opt/backup-maker/lib/backup-maker/',
    'dist/backup-repository/': '/usr/local/lib/backup-repository/',
    'dist/expand-backups.cjs': '/usr/local/lib/expand-backups.cjs',
  };
  const sums: string[] = [];
  for (const { components = [] } of sbom.components) {
    for (const { name, hashes } of components) {
      const [from = '', to = ''] =
        Object.entries(places).find(([place]) =>
          place.endsWith('/') ? name.startsWith(place) : name === place,
        ) ?? [];
      if (from !== '') sums.push(`${hashes[0].content}  ${name.replace(from, to)}`);
    }
  }
  assert.ok(sums.length > 10);
  await printed(['sha256sum', '--check', '--strict', '--quiet'], [], `${sums.join('\n')}\n`);
});

test('starts the client with lean memory, and leaves it nothing that its children could trip over', async () => {
  const stub = join(folder, 'stub.mjs');
  writeFileSync(
    stub,
    'console.log(JSON.stringify({ env: process.env, flags: process.execArgv, words: process.argv.slice(2) }))',
  );
  const bind = `--mount=type=bind,source=${stub},destination=/opt/backup-maker/lib/backup-maker/backup-maker.mjs,ro=true`;
  const words = ['make', '--cmd', 'printf \'%s\n\' "$HOME" | cat', ''];
  const { env, flags, words: received } = JSON.parse(await printed(['backup-maker', ...words], [bind]));
  assert.equal(received, words);
  assert.equal(flags, [...V8_FLAGS, ...CLIENT_MEMORY.flags]);
  for (const [name, value] of Object.entries(CLIENT_MEMORY.variables)) assert.is(env[name], value);
  assert.equal(
    Object.keys(env).filter((name) => name.startsWith('LD_')),
    [],
  );
});

/** Runs `container` as the function renders pods: the client's folder comes with an init container. */
async function withClient(container: Omit<Container, 'name'>): Promise<PodResult> {
  const result = await runPod({
    name: 'client',
    hosts: ['repository.backups.svc'],
    keepLogsIn: join(folder, 'logs'),
    template: {
      spec: {
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          fsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        initContainers: [
          {
            name: 'client',
            image: DEFAULT_CLIENT_IMAGE,
            command: ['cp', '-R', '/opt/backup-maker/.', '/client/'],
            resources: { limits: { cpu: '500m', memory: '128Mi' } },
            securityContext: RESTRICTED,
            volumeMounts: [{ name: 'client', mountPath: '/client' }],
          },
        ],
        containers: [
          {
            name: 'main',
            resources: { limits: { memory: '1Gi' } },
            securityContext: RESTRICTED,
            volumeMounts: [{ name: 'client', mountPath: '/opt/backup-maker', readOnly: true }],
            ...container,
          },
        ],
        volumes: [{ name: 'client', emptyDir: { sizeLimit: '512Mi' } }],
      },
    },
  });
  assert.is(result.exitCode, 0, result.logs);
  return result;
}

const IMAGES = {
  'a static busybox and nothing else': EMPTY_IMAGE,
  'Alpine, which has musl': 'alpine:3.22',
  'Debian with PostgreSQL': 'postgres:16',
  MariaDB: 'mariadb:11.8',
  Redis: 'redis:7.4',
  'etcd, which has no shell': 'quay.io/coreos/etcd:v3.5.21',
};
for (const [name, image] of Object.entries(IMAGES)) {
  test(`the client runs in an image with ${name}`, async () => {
    const { containers } = await withClient({
      image,
      command: ['/opt/backup-maker/bin/backup-maker'],
      args: ['--version'],
    });
    assert.is(containers[1]?.stdout, `${version}\n`);
  });
}

test('Node.js of the client resolves names, knows time zones and authorities, compresses and runs threads', async () => {
  const script = `
    const { lookup } = await import('node:dns/promises');
    const { rootCertificates } = await import('node:tls');
    const { zstdCompressSync, zstdDecompressSync } = await import('node:zlib');
    const { Worker } = await import('node:worker_threads');
    const { createHash, randomBytes } = await import('node:crypto');
    const thread = new Worker("import('node:worker_threads').then((threads) => threads.parentPort.postMessage('thread'))", { eval: true });
    console.log(JSON.stringify([
      (await lookup('repository.backups.svc')).address,
      (await lookup('localhost')).address.replace('::1', '127.0.0.1'),
      new Date(0).toTimeString(),
      rootCertificates.length > 100,
      zstdDecompressSync(zstdCompressSync(Buffer.from('text'))).toString(),
      createHash('sha256').update(randomBytes(8)).digest().length,
      await new Promise((resolve) => thread.once('message', resolve)),
    ]))`;
  const start = 'exec $0/ld.so --inhibit-cache --library-path $0 $0/node --input-type=module --eval "$1"';
  const { containers } = await withClient({
    image: EMPTY_IMAGE,
    command: ['/opt/backup-maker/bin/sh', '-c', start, '/opt/backup-maker/lib', script],
    env: [{ name: 'TZ', value: 'Asia/Tokyo' }],
  });
  assert.equal(JSON.parse(containers[1]?.stdout ?? ''), [
    '127.0.0.1',
    '127.0.0.1',
    '09:00:00 GMT+0900 (Japan Standard Time)',
    true,
    'text',
    32,
    'thread',
  ]);
});

test('holds what the procedures files and sqlite call', async () => {
  const scripts = `--mount=type=bind,source=${join(root, 'procedures')},destination=/procedures,ro=true`;
  const scratch = ['--tmpfs=/tmp:mode=1777', '--tmpfs=/data:mode=1777'];
  const files = `
    set -e
    mkdir -p /data/in /data/out && cd /data/in && mkdir dir && : >'Grüße ☕' && echo 1 >dir/file && ln -s dir link
    export FILES_CHANGED=fail
    FILES_PATH=/data/in sh /procedures/files/backup.sh >/data/backup.tar
    FILES_PATH=/data/out sh /procedures/files/restore.sh </data/backup.tar
    cd /data/out && find . | sort && cat link/file
    rm -r /data/out/* && gzip </data/backup.tar | FILES_PATH=/data/out sh /procedures/files/restore.sh && cat link/file`;
  assert.is(
    await printed(['sh', '-c', files], [scripts, ...scratch]),
    '.\n./Grüße ☕\n./dir\n./dir/file\n./link\n1\n1\n',
  );
  const sqlite = `
    set -e
    export SQLITE_PATH=/data/app.db
    sqlite3 $SQLITE_PATH "CREATE TABLE t (name TEXT); INSERT INTO t VALUES ('kept')"
    sh /procedures/sqlite/backup.sh >/data/backup
    sqlite3 $SQLITE_PATH "DELETE FROM t"
    sh /procedures/sqlite/restore.sh </data/backup
    sqlite3 $SQLITE_PATH "SELECT * FROM t"`;
  assert.is(await printed(['sh', '-c', sqlite], [scripts, ...scratch]), 'kept\n');
});

test.run();
