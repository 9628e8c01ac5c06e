/** What goes away when a source goes away, with kubectl's two ways of pruning; and what must stay. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Manifest, only } from '../sandbox.ts';
import { databaseBackup, restoreAction } from '../sources.ts';
import { createNamespaces, get, kubectl, useCluster } from './cluster.ts';
import { kindsAndNames, render } from './rendered.ts';

const test = suite('cluster: pruning');
useCluster(test);

const BOTH = [databaseBackup('kept'), databaseBackup('gone'), restoreAction('restore', { backup: 'gone' })];
const ONE = BOTH.slice(0, 1);

/** All kinds at once, so that every kind is pruned. */
const CONFIG = `apiVersion: riotkit.org/v1alpha1
kind: ExpandBackups
metadata: {name: it}
spec: {serviceAccount: true, networkPolicy: true}
`;

const KINDS = ['configmaps', 'serviceaccounts', 'networkpolicies', 'cronjobs', 'jobs'];

/** What of these backups is in the cluster. */
function present(namespace: string): string[] {
  const objects = KINDS.flatMap((kind) => get(kind, namespace));
  return kindsAndNames(
    objects.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] === 'expand-backups'),
  );
}

/** Makes Jobs of both CronJobs, as their controller would: owned by them. */
function startBoth(namespace: string): void {
  for (const name of ['kept', 'gone'])
    kubectl(['-n', namespace, 'create', 'job', `${name}-backup-1`, `--from=cronjob/${name}-backup`]);
}

/** Applies both, starts Jobs, applies one; checks what is left. */
async function checkPruning(namespace: string, apply: (objects: Manifest[]) => string): Promise<void> {
  await createNamespaces([namespace]);
  const both = render(BOTH, namespace, CONFIG);
  const one = render(ONE, namespace, CONFIG);
  apply(both);
  assert.equal(present(namespace), kindsAndNames(both));
  startBoth(namespace);
  const jobs = ['Job gone-backup-1', 'Job kept-backup-1'];
  const cronJob = only(get('cronjobs', namespace), 'CronJob', 'gone');

  // Nothing left the package: the controller's Jobs are no strays.
  assert.not.match(apply(both), /pruned/);
  assert.equal(present(namespace), [...kindsAndNames(both), ...jobs].sort());

  assert.match(apply(one), /gone-backup pruned/);
  // The Job of the CronJob that is gone belongs to it: Kubernetes' garbage collector removes it, which does not run here.
  assert.equal(present(namespace), [...kindsAndNames(one), ...jobs].sort());
  const left = only(get('jobs', namespace), 'Job', 'gone-backup-1');
  assert.is(left.metadata.ownerReferences[0].uid, cronJob.metadata.uid);
  const stays = only(get('jobs', namespace), 'Job', 'kept-backup-1');
  assert.is(stays.metadata.ownerReferences[0].name, 'kept-backup');
}

test('by an ApplySet, with server-side apply', () =>
  checkPruning('apply-set', (objects) => {
    const options = ['-n', 'apply-set', 'apply', '--server-side', '--prune', '--applyset=configmaps/shop'];
    return kubectl([...options, '-f', '-'], objects).stdout;
  }));

test('by our own label, which the Jobs of the CronJobs have too', () =>
  checkPruning('by-label', (objects) => {
    const options = [
      '-n',
      'by-label',
      'apply',
      '--prune',
      '-l',
      'app.kubernetes.io/managed-by=expand-backups',
    ];
    const kinds = ['core/v1/ConfigMap', 'core/v1/ServiceAccount', 'batch/v1/CronJob', 'batch/v1/Job'];
    const allowed = [...kinds, 'networking.k8s.io/v1/NetworkPolicy'].map(
      (kind) => `--prune-allowlist=${kind}`,
    );
    return kubectl([...options, ...allowed, '-f', '-'], objects).stdout;
  }));

test('an upgraded client prunes the Job of the action that it replaces', async () => {
  await createNamespaces(['upgrade']);
  const options = [
    '-n',
    'upgrade',
    'apply',
    '--server-side',
    '--prune',
    '--applyset=configmaps/shop',
    '-f',
    '-',
  ];
  const upgraded = `${CONFIG.slice(0, -2)}, clientImage: "registry.example.org/backup-maker:9.9.9"}\n`;
  const [before, after] = [CONFIG, upgraded].map((config) => render(BOTH, 'upgrade', config));
  for (const objects of [before, after]) kubectl(options, objects);
  const job = only(after ?? [], 'Job').metadata.name;
  assert.equal(
    get('jobs', 'upgrade').map(({ metadata }) => metadata.name),
    [job],
  );
});

test.run();
