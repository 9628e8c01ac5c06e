/** deploy/ under the tools that people build it with: kustomize, kubectl, kpt, kube-score. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tryRender } from '../kpt/package.ts';
import {
  canonical,
  changesIn,
  documents,
  filesOf,
  folderWith,
  type Manifest,
  names,
  only,
  remember,
  root,
  run,
  succeed,
  write,
} from '../sandbox.ts';
import { buildText, DEPLOYMENTS, expectText } from './manifests.ts';

const test = suite('deploy');

for (const name of DEPLOYMENTS) {
  test(`${name}: kustomize and kubectl build what is expected`, () => {
    const text = buildText(`deploy/${name}`);
    expectText(`${name}.yaml`, text);
    assert.is(succeed('kubectl', ['kustomize', `deploy/${name}`], { cwd: root }), text);
  });
}

test('monitoring stands beside either of the two, and an overlay sets namespace and prefix', () => {
  for (const name of ['base', 'postgres-s3']) {
    const folder = folderWith();
    cpSync(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true });
    write(folder, {
      'kustomization.yaml': [
        'apiVersion: kustomize.config.k8s.io/v1beta1',
        'kind: Kustomization',
        'namespace: backups',
        'namePrefix: eu-',
        `resources: [deploy/${name}, deploy/monitoring]`,
        '',
      ].join('\n'),
    });
    const objects = documents(succeed('kustomize', ['build', folder]));
    assert.ok(objects.every(({ metadata }) => metadata.namespace === 'backups'));
    const server = only(objects, name === 'base' ? 'StatefulSet' : 'Deployment');
    const pod = server.spec.template.spec;
    const volume = (wanted: string) => pod.volumes.find(({ name }: Manifest) => name === wanted);
    assert.is(volume('config').configMap.name, 'eu-backup-repository-config');
    assert.is(pod.serviceAccountName, 'eu-backup-repository');
    if (name === 'base') {
      assert.is(server.spec.serviceName, 'eu-backup-repository');
      assert.is(volume('data').persistentVolumeClaim.claimName, 'eu-backup-repository-data');
    }
  }
});

/** Why a finding of kube-score is right to stand. */
const EXPLAINED: Readonly<Record<string, string>> = {
  'container-image-pull-policy':
    'Always would make every start depend on the registry. The tag is pinned, and never moved.',
  'statefulset-has-servicename':
    'A headless Service names single pods. There is one, and clients reach it under the name of the ordinary Service.',
  'deployment-has-host-podantiaffinity':
    'topologySpreadConstraints spread the replicas over hosts and zones, which the check does not know.',
};

test('every finding of kube-score is explained, and every explanation is needed', () => {
  const found = new Set<string>();
  for (const name of ['base', 'postgres-s3']) {
    const { stdout, stderr } = run(
      'kube-score',
      ['score', '--output-format', 'json', '--kubernetes-version', 'v1.31', '-'],
      { input: buildText(`deploy/${name}`) },
    );
    assert.ok(stdout.startsWith('['), stderr);
    for (const { checks } of JSON.parse(stdout) as Manifest[])
      for (const { check, grade, skipped } of checks) if (!skipped && grade < 10) found.add(check.id);
  }
  assert.equal([...found].sort(), Object.keys(EXPLAINED).sort());
});

/** A copy of what kpt sees of the repository, or of one package in it. */
function packageOf(...paths: string[]): string {
  const folder = folderWith();
  for (const path of paths) cpSync(join(root, path), join(folder, path), { recursive: true });
  remember(folder);
  return folder;
}

test('kpt renders the repository: users and collections become the ConfigMap, and nothing else changes', () => {
  const folder = packageOf('Kptfile', '.krmignore', 'components', 'deploy');
  const { code, stdout, stderr } = tryRender(folder);
  assert.is(code, 0, stdout + stderr);
  const generated = filesOf(folder)['deploy/base/config/generated/backup-repository-config.yaml'] ?? '';
  const fromKpt = only(documents(generated), 'ConfigMap');
  const fromKustomize = only(documents(buildText('deploy/base')), 'ConfigMap');
  assert.is(fromKpt.metadata.name, fromKustomize.metadata.name);
  assert.equal(fromKpt.metadata.labels['app.kubernetes.io/name'], 'backup-repository');
  const objects = (map: Manifest) =>
    canonical((Object.values(map.data) as string[]).flatMap((text) => documents(text)));
  assert.equal(objects(fromKpt), objects(fromKustomize));
  const changed = [...changesIn(folder).matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, path]) => path);
  // kpt may note in the Kptfile that the package was rendered.
  assert.equal(changed.filter((path) => !path?.endsWith('Kptfile')).sort(), [
    'deploy/base/config/admin.yaml',
    'deploy/base/config/example.yaml',
    'deploy/base/config/generated/backup-repository-config.yaml',
  ]);
  remember(folder);
  assert.is(tryRender(folder).code, 0);
  assert.is(changesIn(folder), '');
});

test('what kpt would apply of deploy/base is what kustomize builds', () => {
  const folder = packageOf('deploy/base');
  const { code, stdout, stderr } = tryRender(join(folder, 'deploy/base'));
  assert.is(code, 0, stdout + stderr);
  const [list] = documents(succeed('kpt', ['fn', 'source', join(folder, 'deploy/base')]));
  const items: Manifest[] = list?.items ?? [];
  const applied = items.filter(
    ({ metadata }) => metadata.annotations?.['config.kubernetes.io/local-config'] !== 'true',
  );
  assert.equal(names(applied), names(documents(buildText('deploy/base'))));
});

test.run();
