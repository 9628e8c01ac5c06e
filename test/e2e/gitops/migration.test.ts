/**
 * docs/migration.md, from beginning to end. The original's server is played by ours with the original's layout of files and its API, which
 * test/server/http holds to it; its client by gpg and curl.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../free-port.ts';
import { filesOf, folderWith, root, succeed, write } from '../sandbox.ts';
import { runShellGuide } from './shell-guide.ts';

const test = suite('docs/migration.md');

/** "admin", as the original's documentation encodes it. */
const ADMIN =
  'JGFyZ29uMmlkJHY9MTkkbT02NTUzNix0PTEscD00JHpuVy9IT2Y4Q3RkdStvNSttYlR2REE9PSRaZlVpRGl2QWV2T2RZNndKYWJBb0FQdmM1a1hsemxDNkg2OFY2dGVmNUY0PQ==';
const CONFIG = 'old-config/backup-repository';
const GPG = ['--homedir', 'old-gnupg', '--batch', '--quiet'];

function collection(name: string): string {
  return `apiVersion: backups.riotkit.org/v1alpha1
kind: BackupCollection
metadata: {name: ${name}, resourceVersion: "12", uid: 0f0e, managedFields: [{manager: kubectl}]}
spec:
  description: As the original has it
  filenameTemplate: ${name}-\${version}.tar.gz
  maxBackupsCount: 5
  maxOneVersionSize: 1M
  maxCollectionSize: 5M
  strategyName: fifo
  accessControl:
    - {userName: admin, roles: [collectionManager]}
`;
}

const folder = folderWith({
  [`${CONFIG}/backups.riotkit.org/v1alpha1/backupusers/admin.yaml`]: `apiVersion: backups.riotkit.org/v1alpha1
kind: BackupUser
metadata: {name: admin}
spec:
  email: admin@example.org
  roles: [systemAdmin]
  passwordFromRef: {name: backup-repository-passwords, entry: admin}
`,
  [`${CONFIG}/backups.riotkit.org/v1alpha1/backupcollections/iwa-ait.yaml`]: collection('iwa-ait'),
  [`${CONFIG}/backups.riotkit.org/v1alpha1/backupcollections/archive.yaml`]: collection('archive'),
  [`${CONFIG}/v1/secrets/backup-repository-passwords.yaml`]: `apiVersion: v1
kind: Secret
metadata: {name: backup-repository-passwords}
data: {admin: ${ADMIN}}
`,
});

let old: ChildProcess;
let ports: [old: number, fresh: number] = [0, 0];

test.before(async () => {
  const inFolder = { cwd: folder };
  succeed('sh', ['-c', 'mkdir -m 700 old-gnupg && mkdir -p old-bucket/archive'], inFolder);
  succeed(
    'gpg',
    [
      ...GPG,
      '--passphrase',
      '',
      '--quick-generate-key',
      'backups@example.org',
      'default',
      'default',
      'never',
    ],
    inFolder,
  );
  succeed('gpg', [...GPG, '--armor', '--export', '--output', 'old.public.asc'], inFolder);
  succeed('gpg', [...GPG, '--armor', '--export-secret-keys', '--output', 'old.private.asc'], inFolder);
  ports = [await freePort(), await freePort()];
  old = spawn(process.execPath, [join(root, 'dist/backup-repository/backup-repository.mjs'), 'serve'], {
    stdio: 'ignore',
    env: {
      ...process.env,
      BR_CONFIG_PROVIDER: 'filesystem',
      BR_CONFIG_LOCAL_PATH: join(folder, 'old-config'),
      BR_DATA_PATH: join(folder, 'old-data'),
      BR_LISTEN: `127.0.0.1:${ports[0]}`,
    },
  });
  const url = `http://127.0.0.1:${ports[0]}`;
  succeed('curl', ['-fsS', '--retry', '60', '--retry-connrefused', '--retry-delay', '1', `${url}/health`]);
  const login = await fetch(`${url}/api/stable/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: 'admin' }),
  });
  const { data } = (await login.json()) as { data: { token: string } };
  // Versions as the original's client makes them: armoured OpenPGP of what the command wrote.
  for (const number of [1, 2]) {
    write(folder, { 'dump.txt': `version ${number} of the original\n` });
    const encrypt = ['--armor', '--trust-model', 'always', '--recipient', 'backups@example.org', '--encrypt'];
    const armoured = succeed('gpg', [...GPG, ...encrypt, '--output', '-', 'dump.txt'], inFolder);
    const stored = await fetch(`${url}/api/alpha/repository/collection/iwa-ait/version`, {
      method: 'POST',
      headers: { authorization: `Bearer ${data.token}` },
      body: armoured,
    });
    assert.is(stored.status, 200, await stored.text());
    // Ten comes after nine in a bucket, too.
    write(folder, { [`old-bucket/archive/archive-${number + 8}.tar.gz`]: armoured });
  }
});

test.after(async () => {
  old?.kill();
  if (old?.exitCode === null) await new Promise((resolve) => old.once('exit', resolve));
});

test('every command does what it says', () => {
  runShellGuide(
    'docs/migration.md',
    {
      change: (text) =>
        text
          .replaceAll('127.0.0.1:8080', `127.0.0.1:${ports[0]}`)
          .replaceAll('127.0.0.1:8081', `127.0.0.1:${ports[1]}`),
    },
    folder,
  );
});

test('what was moved is what was there, byte for byte, in its order', () => {
  const objects = (data: string, name: string) =>
    Object.entries(filesOf(join(folder, data, 'objects', name)))
      .sort(([a], [b]) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
      .map(([, text]) => text);
  const before = objects('old-data', 'iwa-ait').slice(0, 3);
  assert.is(before.length, 3);
  assert.equal(objects('new-data', 'iwa-ait').slice(0, 3), before);
  assert.equal(objects('new-data', 'archive'), before.slice(0, 2));
});

test.run();
