import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodSpec } from 'kubernetes-types/core/v1.d.ts';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PATIENCE_MS } from '../../eventually.ts';
import { jobOf, type PodRequest, runPod } from './pod.ts';
import type { ContainerProcess } from './podman.ts';

const IMAGE = 'alpine:3.22';
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

const objects = [
  {
    kind: 'ConfigMap',
    metadata: { name: 'scripts', namespace: 'shop' },
    data: { 'run.sh': 'echo from-script\n' },
  },
  {
    kind: 'ConfigMap',
    metadata: { name: 'scripts', namespace: 'other' },
    data: { 'run.sh': 'echo wrong\n' },
  },
  {
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'shop' },
    data: { password: Buffer.from('p$(A)\nß').toString('base64') },
    stringData: { token: 'jwt', private: 'never mounted' },
  },
];

/** A pod that runs `script` in a shell, with the settings that the function renders. */
function pod(script: string, spec: Partial<PodSpec> = {}, container: object = {}): PodRequest {
  return {
    name: 'self-test',
    namespace: 'shop',
    objects,
    keepLogsIn: join(folder, 'logs'),
    template: {
      metadata: { labels: { app: 'shop' } },
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
        containers: [
          {
            name: 'main',
            image: IMAGE,
            command: ['sh', '-c', script],
            securityContext: RESTRICTED,
            ...container,
          },
        ],
        ...spec,
      },
    },
  };
}

/** What a script that must succeed printed. */
async function output(...args: Parameters<typeof pod>): Promise<string> {
  const result = await runPod(pod(...args));
  assert.is(result.exitCode, 0, result.logs);
  return result.containers.at(-1)?.stdout ?? '';
}

async function refused(request: PodRequest, reason: RegExp): Promise<void> {
  const error = await runPod(request).then(
    (result) => assert.unreachable(`ran with exit code ${result.exitCode}`),
    (error: Error) => error,
  );
  assert.match(String(error), reason);
}

/** One volume of each kind, with `token` as the projected Secret's only item. */
const volumes = (token: { key: string; path: string; mode?: number }) => [
  { name: 'scripts', configMap: { name: 'scripts' } },
  { name: 'keys', projected: { sources: [{ secret: { name: 'keys', items: [token] } }] } },
  { name: 'scratch', emptyDir: {} },
  { name: 'limited', emptyDir: { sizeLimit: '2Mi' } },
  { name: 'data', persistentVolumeClaim: { claimName: 'app-data' } },
];

const mounts = (ofData: { subPath?: string }) => [
  { name: 'scripts', mountPath: '/etc/scripts', readOnly: true },
  { name: 'keys', mountPath: '/keys', readOnly: true },
  { name: 'scratch', mountPath: '/scratch' },
  { name: 'limited', mountPath: '/limited' },
  { name: 'data', mountPath: '/data', ...ofData },
];

let folder = '';
const test = suite('pods in containers');
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-maker-pods-'));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('a restricted pod has no rights beyond its files', async () => {
  const printed = await output(
    'id -u; id -g; id -G; grep -E "CapEff|CapBnd|NoNewPrivs|Seccomp:" /proc/self/status; touch /file 2>&1; touch /tmp/file 2>&1; :',
  );
  assert.match(printed, /^65532\n65532\n65532\n/);
  assert.match(printed, /CapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n/);
  assert.is(printed.match(/Read-only file system/g)?.length, 2);
});

test('volumes have the content, modes and owners that Kubernetes gives them', async () => {
  const claim = join(folder, 'claim');
  mkdirSync(join(claim, 'uploads'), { recursive: true });
  writeFileSync(join(claim, 'uploads/photo'), 'photo', { mode: 0o600 });
  const request = pod(
    `sh /etc/scripts/run.sh; cat /keys/token; ls /keys; stat -c '%a %u %g' /keys/..data/token /scratch /data
     cat /data/photo; echo new > /data/new; echo x > /scratch/x; echo x 2>&1 > /etc/scripts/x; cat /small 2>&1
     dd if=/dev/zero of=/limited/file bs=1M count=3 2>&1`,
    { volumes: volumes({ key: 'token', path: 'token', mode: 0o400 }) },
    { volumeMounts: mounts({ subPath: 'uploads' }) },
  );
  const result = await runPod({ ...request, claims: { 'app-data': claim } });
  const printed = result.containers[0]?.stdout ?? '';
  assert.match(printed, /^from-script\njwttoken\n440 0 65532\n2777 0 65532\n2775 0 65532\nphoto/);
  assert.match(result.logs, /\/etc\/scripts\/x: Read-only file system/);
  assert.match(printed, /No space left on device/);
  assert.is.not(result.exitCode, 0);
  assert.is(readFileSync(join(claim, 'uploads/new'), 'utf8'), 'new\n');
  assert.is(statSync(join(claim, 'uploads/new')).gid, 65532);
});

test('without an fsGroup a claim stays as it is, and what else is mounted can be used all the same', async () => {
  const claim = join(folder, 'untouched');
  mkdirSync(claim);
  writeFileSync(join(claim, 'file'), 'of the application', { mode: 0o604 });
  const state = () =>
    ['', 'file'].map((name) => statSync(join(claim, name))).map(({ uid, gid, mode }) => [uid, gid, mode]);
  const before = state();
  const request = pod(
    `cat /data/file; sh /etc/scripts/run.sh; cat /keys/token; echo x > /scratch/x; cp /keys/token /limited/copy
     stat -c '%a %u %g' /keys/..data/token /scratch /limited`,
    {
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      volumes: volumes({ key: 'token', path: 'token' }),
    },
    { volumeMounts: mounts({}) },
  );
  const result = await runPod({ ...request, claims: { 'app-data': claim } });
  assert.is(result.exitCode, 0, result.logs);
  assert.is(result.containers[0]?.stdout, 'of the applicationfrom-script\njwt644 0 0\n777 0 0\n777 0 0\n');
  assert.equal(state(), before);
});

test('variables come from values, Secrets, ConfigMaps and fields, and are expanded in commands', async () => {
  const env = [
    { name: 'A', value: 'a' },
    { name: 'B', value: '$(A)-$(LATER)-$$(A)' },
    { name: 'LATER', value: 'x' },
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } },
    { name: 'NONE', valueFrom: { secretKeyRef: { name: 'gone', key: 'password', optional: true } } },
    { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
  ];
  const printed = await output(
    '',
    {},
    {
      command: ['sh', '-c', 'echo "$B|$PASSWORD|${NONE-unset}|$POD|$APP|$F_token|$0|$1|$HOSTNAME"'],
      args: ['$(B)', '$(GONE)'],
      env,
      envFrom: [{ prefix: 'F_', secretRef: { name: 'keys' } }],
    },
  );
  assert.match(
    printed,
    /^a-\$\(LATER\)-\$\(A\)\|p\$\(A\)\nß\|unset\|self-test-\w{5}\|shop\|jwt\|a-\$\(LATER\)-\$\(A\)\|\$\(GONE\)\|self-test-\w{5}\n$/,
  );
});

test('init containers run before, share volumes, and stop the pod if they fail', async () => {
  const mounts = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
  const spec = (script: string): Partial<PodSpec> => ({
    volumes: [{ name: 'shared', emptyDir: { sizeLimit: '1Mi' } }],
    initContainers: [
      { name: 'init', image: IMAGE, command: ['sh', '-c', script], securityContext: RESTRICTED, ...mounts },
    ],
  });
  assert.is(await output('cat /shared/file', spec('echo hello > /shared/file'), mounts), 'hello\n');
  const failed = await runPod(pod('echo started', spec('echo broken >&2; exit 7'), mounts));
  assert.is(failed.exitCode, 7);
  assert.equal(
    failed.containers.map(({ name }) => name),
    ['init'],
  );
  assert.is(readFileSync(join(failed.folder ?? '', 'init.stderr'), 'utf8'), 'broken\n');
});

test('limits hold: memory, and the deadline of the pod or the Job', async () => {
  const greedy = await runPod(
    pod('tail -c 64000000 /dev/zero', {}, { resources: { limits: { memory: '16Mi', cpu: '500m' } } }),
  );
  assert.is(greedy.exitCode, 137);
  const endless = pod('trap "exit 0" TERM; sleep 600 & wait', { terminationGracePeriodSeconds: 5 });
  const started = performance.now();
  const late = await runPod({
    ...endless,
    ...jobOf({ kind: 'Job', spec: { template: endless.template, activeDeadlineSeconds: 1 } }),
  });
  assert.is(late.deadlineExceeded, true);
  assert.is.not(late.exitCode, 0);
  assert.ok(performance.now() - started < 2 * PATIENCE_MS);
});

test('a running container can be looked at', async () => {
  let processes: ContainerProcess[] = [];
  let mounts: string[] = [];
  const request = pod(
    'sleep 61 & wait $!; :',
    { volumes: [{ name: 'v', emptyDir: {} }] },
    {
      env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }],
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    },
  );
  const result = await runPod({
    ...request,
    whileRunning: async (container) => {
      // A process that was just made still is the shell's.
      do processes = await container.processes();
      while (processes[1]?.arguments[0] !== 'sleep');
      mounts = container.mounts();
      assert.match((await container.exec('id', '-u')).stdout, /^65532$/m);
      process.kill(processes[1]?.pid ?? 0);
    },
  });
  assert.is(result.exitCode, 0, result.logs);
  assert.is(processes[0]?.arguments[0], 'sh');
  assert.equal(processes[1]?.arguments, ['sleep', '61']);
  assert.is(processes[1]?.environment.PASSWORD, 'jwt');
  assert.ok(mounts.some((line) => line.includes(' /v ')));
});

test('services of this machine have the names of the cluster', async () => {
  const request = pod('grep postgres.db.svc /etc/hosts');
  const result = await runPod({ ...request, hosts: ['postgres.db.svc'] });
  assert.match(result.logs, /127\.0\.0\.1\s+postgres\.db\.svc/);
});

test('what the harness does not know, or the kubelet would refuse, is not run', async () => {
  const spec = (more: object): PodRequest => pod('true', more as Partial<PodSpec>);
  const main = (more: object): PodRequest => pod('true', {}, more);
  await refused(spec({ hostPID: true }), /does not know spec\.hostPID/);
  await refused(spec({ enableServiceLinks: undefined }), /cannot do spec\.enableServiceLinks/);
  await refused(
    spec({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
    /does not know volume v\.hostPath/,
  );
  await refused(
    spec({ volumes: [{ name: 'v', secret: { secretName: 'gone' } }] }),
    /there is no Secret shop\/gone/,
  );
  await refused(
    spec({ volumes: [{ name: 'v', configMap: { name: 'scripts', items: [{ key: 'k', path: 'p' }] } }] }),
    /has no entry k/,
  );
  await refused(
    spec({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }),
    /no PersistentVolumeClaim shop\/c/,
  );
  await refused(main({ livenessProbe: {} }), /does not know container main\.livenessProbe/);
  await refused(main({ securityContext: { privileged: true } }), /privileged/);
  await refused(main({ securityContext: { runAsUser: 0 } }), /would run as user 0/);
  await refused(
    main({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } }] }),
    /with an entry k/,
  );
  await refused(main({ image: 'example.org/none:1' }), /example\.org\/none:1/);
});

test.run();
