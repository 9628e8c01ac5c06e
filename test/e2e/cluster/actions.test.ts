/** The Job of a RequestedBackupAction under what GitOps tools and time do to it: applied, deleted and changed again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Manifest, only } from '../sandbox.ts';
import { databaseBackup } from '../sources.ts';
import {
  APPLY,
  apply,
  createNamespaces,
  finish,
  get,
  kubectl,
  podsOf,
  tryKubectl,
  until,
  useCluster,
} from './cluster.ts';
import { render } from './rendered.ts';

const test = suite('cluster: actions');
useCluster(test);

interface Settings {
  /** More lines of the action's spec. */
  more?: string;
  clientImage?: string;
}

/** What is rendered for a restore in a namespace of its own. */
function restore(namespace: string, { more = '', clientImage }: Settings = {}): Manifest[] {
  const action = `apiVersion: riotkit.org/v1alpha1
kind: RequestedBackupAction
metadata: {name: monday}
spec:
  action: restore
  scheduledBackupRef: {name: database}
${more}`;
  const config =
    clientImage &&
    `apiVersion: riotkit.org/v1alpha1\nkind: ExpandBackups\nmetadata: {name: it}\nspec: {clientImage: "${clientImage}"}\n`;
  return render([databaseBackup(), action], namespace, config);
}

const jobIn = (objects: readonly Manifest[]) => only(objects, 'Job');

/** By what the ledger knows the action: the variables as the pod has them. */
function identityOf(pod: Manifest): Record<string, string> {
  const fields: Record<string, string> = { 'metadata.namespace': pod.metadata.namespace };
  const env: Manifest[] = pod.spec.containers[0].env;
  const identity = env.filter(({ name }) => name.startsWith('BM_ACTION_'));
  return Object.fromEntries(
    identity.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom.fieldRef.fieldPath]]),
  );
}

const IDENTITY = { BM_ACTION_NAME: 'monday', BM_ACTION_RUN_ID: '1' };

test('applying it again, while it runs and after it has ended, makes no second Job and no second pod', async () => {
  await createNamespaces(['again']);
  const job = jobIn(apply(restore('again')));
  const [pod] = (await podsOf(job)) as [Manifest];
  assert.is(jobIn(apply(restore('again'))).metadata.uid, job.metadata.uid);
  finish(pod);
  await until('the Job is complete', () =>
    (jobIn(get('jobs', 'again')).status.conditions ?? []).some(
      ({ type, status }: Manifest) => type === 'Complete' && status === 'True',
    ),
  );
  assert.is(jobIn(apply(restore('again'))).metadata.uid, job.metadata.uid);
  assert.is(get('jobs', 'again').length, 1);
  assert.equal(
    get('pods', 'again').map(({ metadata }) => metadata.uid),
    [pod.metadata.uid],
  );
});

test('deleted and applied again it runs again, as the same action for the ledger', async () => {
  await createNamespaces(['deleted']);
  const first = jobIn(apply(restore('deleted')));
  const [before] = (await podsOf(first)) as [Manifest];
  kubectl(['-n', 'deleted', 'delete', 'job', first.metadata.name]);
  const second = jobIn(apply(restore('deleted')));
  assert.is.not(second.metadata.uid, first.metadata.uid);
  assert.is(second.metadata.name, first.metadata.name);
  const [after] = (await podsOf(second)) as [Manifest];
  assert.is.not(after.metadata.uid, before.metadata.uid);
  assert.equal(identityOf(before), { ...IDENTITY, BM_ACTION_NAMESPACE: 'deleted' });
  assert.equal(identityOf(after), identityOf(before));
});

test('an upgraded client makes a Job of another name, and the same action for the ledger', async () => {
  await createNamespaces(['upgraded']);
  const old = jobIn(apply(restore('upgraded')));
  const clientImage = 'registry.example.org/backup-maker:9.9.9';
  const rendered = restore('upgraded', { clientImage });
  const upgraded = jobIn(apply(rendered));
  assert.is.not(upgraded.metadata.name, old.metadata.name);
  assert.is(upgraded.spec.template.spec.initContainers[0].image, clientImage);
  const [before] = (await podsOf(old)) as [Manifest];
  const [after] = (await podsOf(upgraded)) as [Manifest];
  assert.equal(identityOf(after), { ...IDENTITY, BM_ACTION_NAMESPACE: 'upgraded' });
  assert.equal(identityOf(after), identityOf(before));

  // What would happen if the name stayed.
  const wanted = jobIn(rendered);
  const renamed = { ...wanted, metadata: { ...wanted.metadata, name: old.metadata.name } };
  const refused = tryKubectl(APPLY, [renamed]);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /spec\.template: .*field is immutable/);
});

test('a new run is a new Job and a new action for the ledger', async () => {
  await createNamespaces(['run-again']);
  const first = jobIn(apply(restore('run-again')));
  const second = jobIn(apply(restore('run-again', { more: '  runId: "2"\n' })));
  assert.is.not(second.metadata.name, first.metadata.name);
  const [pod] = (await podsOf(second)) as [Manifest];
  assert.equal(identityOf(pod), { ...IDENTITY, BM_ACTION_RUN_ID: '2', BM_ACTION_NAMESPACE: 'run-again' });
});

test('a suspended action waits until the line is taken out, and is the same Job then', async () => {
  await createNamespaces(['waiting']);
  const waiting = jobIn(apply(restore('waiting', { more: '  suspend: true\n' })));
  await until('the controller has seen it', () =>
    (jobIn(get('jobs', 'waiting')).status.conditions ?? []).some(
      ({ type, status }: Manifest) => type === 'Suspended' && status === 'True',
    ),
  );
  assert.equal(get('pods', 'waiting'), []);
  const approved = jobIn(apply(restore('waiting')));
  assert.is(approved.metadata.uid, waiting.metadata.uid);
  assert.is((await podsOf(approved)).length, 1);
});

test('a restore whose pod fails is not tried again', async () => {
  await createNamespaces(['failed']);
  const job = jobIn(apply(restore('failed')));
  const [pod] = (await podsOf(job)) as [Manifest];
  finish(pod, 'Failed');
  await until('the Job has failed', () =>
    (jobIn(get('jobs', 'failed')).status.conditions ?? []).some(
      ({ type, status }: Manifest) => type === 'Failed' && status === 'True',
    ),
  );
  assert.is(jobIn(apply(restore('failed'))).metadata.uid, job.metadata.uid);
  assert.is(get('pods', 'failed').length, 1);
});

test.run();
