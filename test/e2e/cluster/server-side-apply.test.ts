/** Everything that the function renders for the examples and the good fixtures, applied as a GitOps tool applies it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Manifest, podOf } from '../sandbox.ts';
import {
  APPLY,
  apply,
  createNamespaces,
  getEverywhere,
  kubectl,
  listed,
  missing,
  podsOf,
  tryKubectl,
  until,
  useCluster,
} from './cluster.ts';
import { allPackages, FOREIGN_KINDS, isGenerated, type Package } from './rendered.ts';

const test = suite('cluster: server-side apply');
useCluster(test);

/** What the settings of fixtures refer to, and somebody has made before. */
const PRIORITY_CLASSES = ['batch-low'];
const ACCOUNTS = ['backups', 'database-client'];

const live = new Map<Package, Manifest[]>();
const diff = ['diff', '--server-side', '-f', '-'];
const label = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace}/${metadata.name}`;
const versions = (objects: readonly Manifest[]) =>
  objects.map((object) => `${label(object)} ${object.metadata.resourceVersion}`);

test('the API server takes every object, strictly, and warns of nothing', async () => {
  const namespaces = allPackages().flatMap(({ objects }) =>
    objects.map(({ metadata }) => metadata.namespace as string),
  );
  await createNamespaces([...new Set(namespaces)]);
  apply(prerequisites());
  for (const each of allPackages()) live.set(each, apply(each.objects));
});

test('nothing was left out but kinds of other projects, and each of the kinds that are generated was there', () => {
  const leftOut = new Set(allPackages().flatMap(({ foreign }) => foreign));
  assert.equal([...leftOut].sort(), [...FOREIGN_KINDS].sort());
  const applied = [...live.values()].flat().filter(isGenerated);
  const kinds = new Set(applied.map(({ kind }) => kind));
  for (const kind of [
    'ConfigMap',
    'CronJob',
    'Job',
    'NetworkPolicy',
    'Role',
    'RoleBinding',
    'Secret',
    'ServiceAccount',
  ])
    assert.ok(kinds.has(kind), kind);
  assert.ok(applied.length > 100, `${applied.length} objects`);
});

test('what is in the cluster of what was generated is what was rendered, value by value', () => {
  const found = [...live].flatMap(([{ objects }, applied]) =>
    objects.flatMap((wanted, index) =>
      isGenerated(wanted) ? missing(wanted, applied[index], label(wanted)) : [],
    ),
  );
  assert.equal(found, []);
});

test('applying again changes nothing', async () => {
  const objects = allPackages().flatMap((each) => each.objects);
  // Once more only for Jobs, whose status their controller may be writing, and for what is not ours: a claim for a volume is
  // written anew by the second apply, and by none after that.
  const ours = objects.filter((object) => isGenerated(object) && object.kind !== 'Job').map(label);
  for (let attempt = 0; ; attempt++) {
    const before = versions(listed(kubectl(['get', '-f', '-', '-o', 'json'], objects).stdout));
    const changed = versions(apply(objects)).filter((version) => !before.includes(version));
    if (changed.length === 0) break;
    const settled = ours.filter((name) => changed.some((version) => version.startsWith(`${name} `)));
    assert.equal(settled, [], 'changed by the second apply');
    assert.ok(attempt < 60, `still changing: ${changed.join()}`);
    await sleep(500);
  }
});

test('the difference that the API server computes is empty', () => {
  const { code, stdout, stderr } = tryKubectl(
    diff,
    allPackages().flatMap(({ objects }) => objects),
  );
  assert.is(code, 0, stdout + stderr);
});

test('every pod of every CronJob and Job is admitted; none but those that make keys has a token', async () => {
  const objects = [...live.values()].flat();
  const cronJobs = objects.filter(({ kind }) => kind === 'CronJob');
  const jobs = [
    ...objects.filter(({ kind, spec }) => kind === 'Job' && !spec.suspend),
    ...apply(cronJobs.map(jobOf)),
  ];
  assert.ok(jobs.length > 30, `${jobs.length} Jobs`);
  let pods = new Map<string, Manifest>();
  const refusals = () =>
    getEverywhere('events').flatMap(({ reason, message }) => (reason === 'FailedCreate' ? [message] : []));
  const late = () => `a pod of every Job: ${refusals().join('; ')}`;
  await until(late, () => {
    pods = podsByOwner();
    return jobs.every(({ metadata }) => pods.has(metadata.uid));
  });
  for (const job of jobs) {
    const pod = pods.get(job.metadata.uid) as Manifest;
    assert.is(tokenVolumes(pod).length, makesKey(job) ? 1 : 0, label(job));
    assert.is(pod.spec.serviceAccountName, job.spec.template.spec.serviceAccountName ?? 'default');
    // Tolerations are added to by the API server, so the length of that list is another.
    const { tolerations = [], ...spec } = job.spec.template.spec;
    assert.equal(missing(spec, pod.spec, label(job)), []);
    for (const [index, toleration] of tolerations.entries())
      assert.equal(missing(toleration, pod.spec.tolerations[index]), []);
  }
  const accounts = new Set(jobs.map(({ metadata }) => pods.get(metadata.uid)?.spec.serviceAccountName));
  for (const account of ['backups', 'default', 'shop-backup', 'shop-keygen'])
    assert.ok(accounts.has(account), account);
});

test('the account that makes a key may make that Secret, and read or change no other', () => {
  const roles = [...live.values()].flat().filter(({ kind }) => kind === 'Role');
  assert.ok(roles.length > 0);
  for (const { metadata, rules } of roles) {
    const { name, namespace } = metadata;
    const own = rules.flatMap(({ resourceNames = [] }: Manifest) => resourceNames);
    assert.is(own.length, 1, label({ kind: 'Role', metadata }));
    const may = (verb: string, resource: string): boolean => {
      const as = `--as=system:serviceaccount:${namespace}:${name}`;
      return tryKubectl(['-n', namespace, 'auth', 'can-i', '--quiet', as, verb, resource]).code === 0;
    };
    for (const verb of ['create secrets', `get secrets/${own[0]}`, `patch secrets/${own[0]}`])
      assert.ok(may(...(verb.split(' ') as [string, string])), verb);
    const others = ['get secrets/other', 'list secrets', 'patch secrets/other', 'create pods'];
    for (const verb of [...others, `delete secrets/${own[0]}`, `update secrets/${own[0]}`])
      assert.not(may(...(verb.split(' ') as [string, string])), verb);
  }
});

/** Checks of the checks: what would have been seen if something had been wrong. */

test('a pod that breaks the standard is warned of in a Job and refused as a pod', () => {
  const [job] = jobsOf('age-postgres');
  const broken = structuredClone(job) as Manifest;
  broken.metadata.name = 'broken';
  broken.spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation = true;
  const inNamespace = ['-n', broken.metadata.namespace];
  const warned = tryKubectl([...APPLY, '--dry-run=server'], [broken]);
  assert.match(warned.stderr, /Warning: would violate PodSecurity "restricted/);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'broken' },
    spec: broken.spec.template.spec,
  };
  const refused = tryKubectl([...inNamespace, ...APPLY], [pod]);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /forbidden: violates PodSecurity "restricted/);
});

test('a pod gets a token unless it is told not to', async () => {
  const [job] = jobsOf('original-internal');
  const usual = structuredClone(job) as Manifest;
  usual.metadata.name = 'usual';
  delete usual.spec.template.spec.automountServiceAccountToken;
  const [applied] = apply([usual]);
  const [pod] = await podsOf(applied as Manifest);
  assert.is(tokenVolumes(pod as Manifest).length, 1);
});

test('an unknown field is refused, and a change is seen in the version and the difference', () => {
  const [configMap] = (allPackages()[0] as Package).objects as [Manifest];
  const unknown = tryKubectl(APPLY, [{ ...configMap, dta: {} }]);
  assert.match(unknown.stderr, /field not declared in schema|unknown field/);
  const changed = { ...configMap, data: { ...configMap.data, extra: 'x' } };
  const { code, stdout } = tryKubectl(diff, [changed]);
  assert.is(code, 1);
  assert.match(stdout, /\+ +extra: x/);
  assert.not.equal(
    versions(apply([changed])),
    versions(live.get(allPackages()[0] as Package) ?? []).slice(0, 1),
  );
});

test.run();

/** The priority classes, and the accounts in every namespace where pods run as them. */
function prerequisites(): Manifest[] {
  const classes = PRIORITY_CLASSES.map((name) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: -10,
  }));
  const accounts = allPackages()
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind === 'CronJob' || kind === 'Job')
    .map((object) => ({ name: podOf(object).serviceAccountName, namespace: object.metadata.namespace }))
    .filter(({ name }) => ACCOUNTS.includes(name))
    .map((metadata) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }));
  return [...classes, ...accounts];
}

/** Whether a Job is the one that makes a missing key in the cluster, which needs the API server. */
function makesKey({ metadata }: Manifest): boolean {
  return metadata.labels['app.kubernetes.io/component'] === 'keygen';
}

/** The Job that a CronJob would make, under a name of its own. */
function jobOf({ metadata, spec }: Manifest): Manifest {
  const { name, namespace } = metadata;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...spec.jobTemplate.metadata, name: `${name}-now`, namespace },
    spec: spec.jobTemplate.spec,
  };
}

/** The Jobs that were rendered for a package. */
function jobsOf(name: string): Manifest[] {
  const found = allPackages().find((each) => each.name === name);
  return (found?.objects ?? []).filter(({ kind }) => kind === 'Job');
}

function podsByOwner(): Map<string, Manifest> {
  return new Map(getEverywhere('pods').map((pod) => [pod.metadata.ownerReferences?.[0]?.uid, pod]));
}

/** Volumes that hold a token of a ServiceAccount. */
function tokenVolumes({ spec }: Manifest): Manifest[] {
  return (spec.volumes as Manifest[]).filter(({ projected }) =>
    projected?.sources.some(({ serviceAccountToken }: Manifest) => serviceAccountToken),
  );
}
