/** A rendered CronJob in the hands of the real controllers: Jobs, their pods, and when there are none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Manifest, only, podOf } from '../sandbox.ts';
import {
  apply,
  createNamespaces,
  finish,
  get,
  kubectl,
  missing,
  podsOf,
  until,
  useCluster,
} from './cluster.ts';
import { render } from './rendered.ts';

const test = suite('cluster: CronJobs');
useCluster(test);

const NAMESPACE = 'cron-jobs';

/** With every kind of volume and variable that the function makes. */
const backup = (name: string, cronJob: string) => `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: ${name}}
spec:
  collectionId: ${name}
  cronJob: {enabled: true, ${cronJob}}
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars: {params: {hostname: postgres, db: shop}}
  varsSecretRef: {secretName: login, importOnlyKeys: [Params.password]}
  gpgKeySecretRef: {secretName: keys, email: shop@example.org}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
`;

/** Twice an hour, so that a start that was missed is always younger than an hour, the deadline for starting late. */
const RARELY = 'scheduleEvery: "*/30 * * * *"';
const EVERY_MINUTE = 'scheduleEvery: "* * * * *"';

/** What Argo CD writes into the metadata of what it applies, by label and by annotation. */
const TRACKING = {
  labels: { 'app.kubernetes.io/instance': 'shop' },
  annotations: { 'argocd.argoproj.io/tracking-id': 'shop:batch/CronJob:cron-jobs/every-minute-backup' },
};

const cronJobs = new Map<string, Manifest>();

test('the API server takes them', async () => {
  await createNamespaces([NAMESPACE]);
  // First, so that the other tests pass the time until the next minute.
  for (const [name, cronJob] of [
    ['every-minute', EVERY_MINUTE],
    ['suspended', `${EVERY_MINUTE}, suspend: true`],
    ['rarely', RARELY],
    ['rarely-suspended', `${RARELY}, suspend: true`],
  ] as const) {
    const objects = render([backup(name, cronJob)], NAMESPACE).map(tracked);
    cronJobs.set(name, only(apply(objects), 'CronJob'));
  }
});

test('kubectl makes a Job of it, whose pod is what was rendered', async () => {
  kubectl(['-n', NAMESPACE, 'create', 'job', 'by-hand', '--from=cronjob/rarely-suspended-backup']);
  const job = only(get('jobs', NAMESPACE), 'Job', 'by-hand');
  await checkJob(job, cronJobs.get('rarely-suspended') as Manifest);
});

test('a start that the controller missed is made up for, and the pod is what was rendered', async () => {
  missStarts('rarely');
  await until('a Job', () => jobsOf('rarely').length > 0);
  const [job] = jobsOf('rarely');
  await checkJob(job as Manifest, cronJobs.get('rarely') as Manifest);
});

test('there is no second start while the first one runs, and there is once it has ended', async () => {
  await until('the first one is active', () => live('rarely').status.active?.length === 1);
  // Another schedule makes another start due.
  apply(render([backup('rarely', EVERY_MINUTE)], NAMESPACE));
  missStarts('rarely');
  const forbidden = () =>
    get('events', NAMESPACE).some(
      ({ reason, involvedObject }) =>
        reason === 'JobAlreadyActive' && involvedObject.name === 'rarely-backup',
    );
  await until('the controller says why it starts none', forbidden, 240);
  const [first] = jobsOf('rarely') as [Manifest];
  assert.is(jobsOf('rarely').length, 1);

  for (const pod of await podsOf(first)) finish(pod);
  await until('the second one', () => jobsOf('rarely').length === 2, 240);
  const uids = jobsOf('rarely').map(({ metadata }) => metadata.uid);
  assert.ok(uids.includes(first.metadata.uid), 'the one that has ended is kept');
});

test('at the next minute the controller starts one, and none of those that are suspended', async () => {
  missStarts('rarely-suspended');
  await until('the next minute', () => jobsOf('every-minute').length > 0, 240);
  const [job] = jobsOf('every-minute');
  await checkJob(job as Manifest, cronJobs.get('every-minute') as Manifest);
  for (const name of ['suspended', 'rarely-suspended']) {
    const made = jobsOf(name).filter(({ metadata }) => metadata.name !== 'by-hand');
    assert.equal(made, [], name);
  }
});

test.run();

function tracked(object: Manifest): Manifest {
  const { labels, annotations } = object.metadata;
  const metadata = {
    ...object.metadata,
    labels: { ...labels, ...TRACKING.labels },
    annotations: { ...annotations, ...TRACKING.annotations },
  };
  return { ...object, metadata };
}

function live(name: string): Manifest {
  return only(get('cronjobs', NAMESPACE), 'CronJob', `${name}-backup`);
}

/** The Jobs that a CronJob owns. */
function jobsOf(name: string): Manifest[] {
  const { uid } = cronJobs.get(name)?.metadata ?? {};
  return get('jobs', NAMESPACE).filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid);
}

/** Makes the controller believe that its last start was two hours ago, as after it was away. */
function missStarts(name: string): void {
  const lastScheduleTime = new Date(Date.now() - 7_200_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const patch = JSON.stringify({ status: { lastScheduleTime } });
  const of = ['-n', NAMESPACE, 'patch', 'cronjob', `${name}-backup`, '--subresource=status'];
  kubectl([...of, '--type=merge', '-p', patch]);
}

/** That a Job is the CronJob's, its pod is the Job's, was admitted, and is what was rendered. */
async function checkJob(job: Manifest, cronJob: Manifest): Promise<void> {
  assert.equal(ownerOf(job), ['CronJob', cronJob.metadata.name, cronJob.metadata.uid, true]);
  assert.is(job.spec.backoffLimit, 2);
  const pods = await podsOf(job);
  assert.is(pods.length, 1);
  const [pod] = pods as [Manifest];
  assert.equal(ownerOf(pod), ['Job', job.metadata.name, job.metadata.uid, true]);

  // Not what the API server has stored, which is more.
  const rendered = podOf(only(render([backup(sourceOf(cronJob), RARELY)], NAMESPACE), 'CronJob'));
  assert.equal(missing(rendered, pod.spec), []);
  const [container] = pod.spec.containers;
  const [renderedContainer] = rendered.containers;
  assert.equal(container.env, renderedContainer.env);
  assert.equal(container.volumeMounts, renderedContainer.volumeMounts);
  const names = (volumes: Manifest[]) => volumes.map(({ name }) => name);
  assert.equal(names(pod.spec.volumes), ['client', 'scripts', 'keys', 'scratch']);
  assert.equal(names(pod.spec.volumes), names(rendered.volumes));

  for (const object of [job, pod]) {
    const { labels, annotations = {} } = object.metadata;
    assert.is(labels['riotkit.org/scheduled-backup'], sourceOf(cronJob));
    for (const label of Object.keys(TRACKING.labels)) assert.not(label in labels, `${object.kind}: ${label}`);
    for (const key of Object.keys(TRACKING.annotations))
      assert.not(key in annotations, `${object.kind}: ${key}`);
  }
}

/** Kind, name and uid of the only owner, and whether it is the controller. */
function ownerOf({ metadata }: Manifest): unknown[] {
  assert.is(metadata.ownerReferences?.length, 1);
  const { kind, name, uid, controller } = metadata.ownerReferences[0];
  return [kind, name, uid, controller];
}

function sourceOf(cronJob: Manifest): string {
  return cronJob.metadata.name.replace(/-backup$/, '');
}
