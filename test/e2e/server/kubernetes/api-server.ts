/** A real Kubernetes API server with its etcd, on free ports of this machine, without nodes or controllers. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../free-port.ts';

export interface ApiServer {
  /** Kubeconfig of the administrator. */
  adminConfig: string;
  /** Kubeconfig of a service account that has no right but those that a test grants. */
  serverConfig: string;
  /** Runs kubectl as the administrator; throws with what it said if it fails. */
  kubectl(args: readonly string[], input?: string): string;
  /** Ends the API server without a warning, and begins it again on the same port with the same data. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** User that `serverConfig` stands for. */
export const SERVER_ACCOUNT = { kind: 'User', name: 'backup-server' };

export async function startApiServer(): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'api-server-'));
  const [clientPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const key = join(folder, 'accounts.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, privateKey.export({ type: 'sec1', format: 'pem' }));
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, `admin-token,admin,1,"system:masters"\nserver-token,${SERVER_ACCOUNT.name},2\n`);
  mkdirSync(join(folder, 'certificates'));

  const etcd = run(folder, 'etcd', [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${clientPort}`,
    `--advertise-client-urls=http://127.0.0.1:${clientPort}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    '--unsafe-no-fsync',
  ]);
  const begin = () =>
    run(folder, 'kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${clientPort}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${join(folder, 'certificates')}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      '--disable-admission-plugins=ServiceAccount',
    ]);
  let server = begin();

  const configOf = (name: string): string => {
    const path = join(folder, `${name}.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'it', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
      ],
      users: [{ name: 'me', user: { token: `${name}-token` } }],
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'me' } }],
      'current-context': 'it',
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  };
  const adminConfig = configOf('admin');

  const kubectl = (args: readonly string[], input?: string): string => {
    const all = ['--kubeconfig', adminConfig, ...args];
    const { status, stdout, stderr } = spawnSync('kubectl', all, { encoding: 'utf8', input: input ?? '' });
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const ready = async () => {
    for (let attempt = 0; attempt < 300; attempt++) {
      if (server.exitCode !== null) break;
      const { status } = spawnSync('kubectl', ['--kubeconfig', adminConfig, 'get', '--raw', '/readyz']);
      if (status === 0) return;
      await sleep(200);
    }
    throw new Error(
      `the API server does not get ready: ${readFileSync(join(folder, 'kube-apiserver.log'), 'utf8').slice(-2000)}`,
    );
  };
  const end = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  await ready();
  return {
    adminConfig,
    serverConfig: configOf('server'),
    kubectl,
    kill: () => end(server),
    async restart() {
      server = begin();
      await ready();
    },
    async stop() {
      await end(server);
      await end(etcd);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function run(folder: string, command: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, `${command}.log`), 'a');
  const child = spawn(command, args, { stdio: ['ignore', log, log] });
  child.on('error', (error) => {
    throw new Error(`${command} cannot be started: see test/e2e/server/kubernetes/install.sh`, {
      cause: error,
    });
  });
  return child;
}
