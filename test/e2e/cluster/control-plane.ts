/**
 * A Kubernetes control plane on free ports of this machine: etcd, the API server with its usual admission plugins, and the
 * controllers that act on CronJobs, Jobs and ServiceAccounts (install.sh). No nodes, so a pod is created and never runs.
 *
 * Not `server/kubernetes/api-server.ts`: that one switches the admission of ServiceAccounts off, which is looked at here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../free-port.ts';
import { type Ran, run } from '../sandbox.ts';

export interface ControlPlane {
  /** Runs kubectl as the administrator; throws with what it said if it fails. */
  kubectl(args: readonly string[], input?: string): Ran;
  /** Runs kubectl as the administrator, whatever comes of it. */
  tryKubectl(args: readonly string[], input?: string): Ran;
  /** Ends all of it; what it logged stays until the end of this process. */
  stop(): Promise<void>;
}

/** What kubectl keeps of its experimental options behind a variable. */
const KUBECTL_ENVIRONMENT = { KUBECTL_APPLYSET: 'true' };

/** Starts it and waits until it is of use: a namespace gets its ServiceAccount. Takes some ten seconds. */
export async function startControlPlane(): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
  const children: ChildProcess[] = [];
  keepLogsOfFailures(folder);

  const start = (command: string, args: readonly string[]): ChildProcess => {
    const log = openSync(join(folder, `${command}.log`), 'a');
    // The kernel ends the child when this process ends, whatever ends it.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    // A test that failed before it could stop the child must not keep this process waiting for it.
    child.unref();
    children.push(child);
    return child;
  };
  const stop = async () => {
    for (const child of children.splice(0).reverse()) await end(child);
    for (const data of ['etcd', 'kubectl']) rmSync(join(folder, data), { recursive: true, force: true });
  };

  try {
    const [clientPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    start('etcd', etcdArguments(folder, clientPort, peerPort));
    start('kube-apiserver', apiServerArguments(folder, clientPort, port));
    const config = writeKubeconfig(folder, port);
    const always = ['--kubeconfig', config, '--cache-dir', join(folder, 'kubectl'), '--request-timeout=120s'];
    const tryKubectl = (args: readonly string[], input = ''): Ran =>
      run('kubectl', [...always, ...args], { input, env: KUBECTL_ENVIRONMENT });
    const kubectl = (args: readonly string[], input?: string): Ran => {
      const ran = tryKubectl(args, input);
      if (ran.code !== 0) throw new Error(`kubectl ${args.join(' ')} exited ${ran.code}: ${ran.stderr}`);
      return ran;
    };
    const ready = async (what: string, args: readonly string[]) => {
      for (let attempt = 0; attempt < 300; attempt++) {
        const ended = children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
        if (ended)
          throw new Error(`${ended.spawnargs[3]} ended: ${tailOf(folder, ended.spawnargs[3] ?? '')}`);
        if (tryKubectl(args).code === 0) return;
        await sleep(200);
      }
      throw new Error(`${what}: not within a minute; see the logs in ${folder}`);
    };
    await ready('the API server gets ready', ['get', '--raw', '/readyz']);
    start('workload-controllers', ['--kubeconfig', config]);
    await ready('a namespace gets its ServiceAccount', ['-n', 'default', 'get', 'serviceaccount', 'default']);
    return { kubectl, tryKubectl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function etcdArguments(folder: string, clientPort: number, peerPort: number): string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${clientPort}`,
    `--advertise-client-urls=http://127.0.0.1:${clientPort}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    '--unsafe-no-fsync',
  ];
}

function apiServerArguments(folder: string, etcdPort: number, port: number): string[] {
  const key = join(folder, 'accounts.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, 'admin-token,admin,1,"system:masters"\n', { mode: 0o600 });
  mkdirSync(join(folder, 'certificates'));
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(folder, 'certificates')}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-cluster-ip-range=10.0.0.0/24',
  ];
}

function writeKubeconfig(folder: string, port: number): string {
  const path = join(folder, 'kubeconfig');
  const server = `https://127.0.0.1:${port}`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'it', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token: 'admin-token' } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'admin' } }],
    'current-context': 'it',
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** At the end of this process: nothing stays of a good run; the logs of a failed one do. */
function keepLogsOfFailures(folder: string): void {
  process.on('exit', (code) => {
    if (code === 0) rmSync(folder, { recursive: true, force: true });
    else console.error(`the logs of the control plane are in ${folder}`);
  });
}

function tailOf(folder: string, command: string): string {
  const log = readFileSync(join(folder, `${command}.log`), 'utf8').slice(-2000);
  return log.includes('No such file') ? `${log.trim()}; build it with test/e2e/cluster/install.sh` : log;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.kill('SIGKILL');
  await once(child, 'exit');
}
