import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expandText, generate } from '../resource-lists.ts';

const STRICT =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {requireRestoreConfirmation: "true"}\n';

function action(spec: string): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata:
  name: prod-app
  namespace: shop
  annotations: {internal.config.kubernetes.io/previousNames: app, internal.config.kubernetes.io/prefixes: prod-}
spec:
  collectionId: app-production
  cronJob: {enabled: false}
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars: {Params: {hostname: db}}
  gpgKeySecretRef: {secretName: keys}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
---
apiVersion: riotkit.org/v1alpha1
kind: RequestedBackupAction
metadata: {name: now, namespace: shop}
spec: {scheduledBackupRef: {name: app}, ${spec}}
`;
}

interface Job {
  kind: string;
  metadata: { name: string };
  spec: {
    suspend?: boolean;
    activeDeadlineSeconds: number;
    backoffLimit: number;
    template: { spec: { containers: { env: { name: string; value?: string }[] }[] } };
  };
}

function jobOf(spec: string): Job {
  const job = (generate(action(spec)) as unknown as Job[]).find(({ kind }) => kind === 'Job');
  if (!job) throw new Error('no Job');
  return job;
}

function variable(job: Job, name: string): string | undefined {
  return job.spec.template.spec.containers[0]?.env.find((entry) => entry.name === name)?.value;
}

const test = suite('expand: actions');

test('a restore may be confirmed by each of its names, and not by another', () => {
  for (const config of [undefined, STRICT]) {
    for (const name of ['app', 'prod-app', 'app-production']) {
      const { stderr, exitCode } = expandText(action(`action: restore, confirmRestore: ${name}`), config);
      assert.equal([exitCode, stderr], [0, ''], name);
    }
    for (const name of ['app-staging', '""', 'APP'])
      assert.is(expandText(action(`action: restore, confirmRestore: ${name}`), config).exitCode, 1, name);
  }
});

test('a confirmation is only missed where it is demanded, and the line to write is said', () => {
  assert.is(expandText(action('action: restore')).exitCode, 0);
  assert.match(
    expandText(action('action: restore'), STRICT).stderr,
    /write confirmRestore: app-production$/m,
  );
  assert.is(expandText(action('action: backup'), STRICT).exitCode, 0);
});

test('a confirmation changes nothing of what is done, so a Job that has run stays as it is', () => {
  assert.equal(jobOf('action: restore, confirmRestore: app'), jobOf('action: restore'));
});

test('trying again reaches the client, and makes a new Job', () => {
  const [once, again] = ['', ', retry: true'].map((more) => jobOf(`action: restore${more}`));
  assert.equal(
    [once, again].map((job) => job && variable(job, 'BM_ACTION_RETRY')),
    [undefined, 'true'],
  );
  assert.is.not(once?.metadata.name, again?.metadata.name);
  assert.equal(jobOf('action: restore, retry: false'), once);
});

test('a suspended Job has the name of the one that runs: taking the field away starts it', () => {
  const suspended = jobOf('action: restore, suspend: true');
  assert.is(suspended.spec.suspend, true);
  assert.is(suspended.metadata.name, jobOf('action: restore').metadata.name);
});

test('deadline and run id', () => {
  const job = jobOf('action: restore, activeDeadlineSeconds: 60, runId: "7"');
  assert.equal([job.spec.activeDeadlineSeconds, job.spec.backoffLimit], [60, 0]);
  assert.is(variable(job, 'BM_ACTION_RUN_ID'), '7');
  assert.is(variable(jobOf('action: restore'), 'BM_ACTION_RUN_ID'), '1');
});

test.run();
