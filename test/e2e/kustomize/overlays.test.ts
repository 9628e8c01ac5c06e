/** What overlays do to generated objects: names and references follow, wherever the function stands. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Manifest, names, only, podOf, referencesOf } from '../sandbox.ts';
import {
  databaseBackup,
  referredObjects,
  referringPod,
  restoreAction,
  secretGenerators,
} from '../sources.ts';
import { build, folderToBuild, functionConfig, KUSTOMIZATION } from './kustomize.ts';

const test = suite('kustomize: overlays');

const sources = `${databaseBackup('database', { more: referringPod })}---\n${restoreAction()}---\n${referredObjects}`;

const OVERLAY = `${KUSTOMIZATION}resources: [../base]
namespace: production
namePrefix: eu-
labels: [{pairs: {team: shop}, includeTemplates: true}]
images: [{name: postgres, newName: registry.example.org/postgres, newTag: "17"}]
`;

const PATCH_SOURCE = `patches:
  - target: {kind: ScheduledBackup}
    patch: |-
      - {op: replace, path: /spec/collectionId, value: eu-database}
`;

const base = (lines: string) => `${KUSTOMIZATION}resources: [sources.yaml]\n${lines}`;

/** A base below an overlay, built. */
function overlaid(baseLines: string, overlay: string, more: Record<string, string> = {}): Manifest[] {
  const folder = folderToBuild({
    'base/kustomization.yaml': base(baseLines),
    'base/sources.yaml': sources,
    'overlay/kustomization.yaml': overlay,
    ...more,
  });
  return build(folder, 'overlay');
}

/** Every reference in the pods of the CronJob and the Job is the name of an object in the output. */
function referencesResolve(objects: Manifest[]): void {
  const there = (kind: string, namespace?: string) =>
    objects
      .filter((object) => object.kind === kind && object.metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name);
  for (const kind of ['CronJob', 'Job']) {
    const object = only(objects, kind);
    const { namespace } = object.metadata;
    const references = referencesOf(podOf(object));
    const secrets = [references.env, references.projected, references.imagePullSecrets].flat();
    assert.is(new Set(secrets).size, 4, `${kind} refers to ${secrets}`);
    for (const name of secrets)
      assert.ok(there('Secret', namespace).includes(name), `${kind}: no Secret ${name}`);
    assert.equal(references.claims, there('PersistentVolumeClaim', namespace), kind);
    assert.equal(references.serviceAccount, there('ServiceAccount', namespace), kind);
    assert.is(references.configMaps?.length, 1, kind);
    assert.ok(there('ConfigMap', namespace).includes(references.configMaps?.[0]), kind);
  }
}

const hashed = /-[a-z0-9]{10}$/;

for (const [title, baseLines, overlayLines] of [
  ['a base with the component and the Secrets', `components: [../component]\n${secretGenerators}`, ''],
  ['a base with the component, Secrets in the overlay', 'components: [../component]\n', secretGenerators],
  [
    'a base with the component and a prefix of its own',
    `components: [../component]\nnamePrefix: b-\n${secretGenerators}`,
    '',
  ],
  ['the component in the overlay', secretGenerators, 'components: [../component]\n'],
  ['the component and the Secrets in the overlay', '', `components: [../component]\n${secretGenerators}`],
  [
    'the component in both',
    `components: [../component]\nnamePrefix: b-\n${secretGenerators}`,
    'components: [../component]\n',
  ],
] as const) {
  test(`${title}: names, namespace, labels, images and hashed Secrets follow`, () => {
    const objects = overlaid(baseLines, OVERLAY + overlayLines);
    referencesResolve(objects);
    const cronJob = only(objects, 'CronJob', 'eu-');
    const { jobTemplate } = cronJob.spec;
    assert.is(cronJob.metadata.namespace, 'production');
    for (const { metadata } of [cronJob, jobTemplate, jobTemplate.spec.template])
      assert.is(metadata.labels.team, 'shop');
    assert.is(podOf(cronJob).containers[0].image, 'registry.example.org/postgres:17');
    assert.is(podOf(only(objects, 'Job', 'eu-')).containers[0].image, 'registry.example.org/postgres:17');
    for (const name of referencesOf(podOf(cronJob)).env ?? []) assert.match(name, hashed);
    assert.not.ok(names(objects).some((name) => /ScheduledBackup|RequestedBackupAction/.test(name)));
  });
}

test('the function as the last transformer of an overlay: patches reach the source, and references follow', () => {
  const objects = overlaid('', `${OVERLAY}transformers: [expand.yaml]\n${PATCH_SOURCE}${secretGenerators}`, {
    'overlay/expand.yaml': functionConfig(),
  });
  referencesResolve(objects);
  const cronJob = only(objects, 'CronJob', 'eu-database-backup');
  assert.is(cronJob.metadata.namespace, 'production');
  const collection = podOf(cronJob).containers[0].env.find(
    (entry: Manifest) => entry.name === 'BM_COLLECTION_ID',
  );
  assert.is(collection.value, 'eu-database');
  // As the guide says: images and labels come too late for it.
  assert.is(podOf(cronJob).containers[0].image, 'postgres:16');
  assert.is(cronJob.metadata.labels.team, undefined);
});

test('a patch of the source beside the component comes too late, as the guide says', () => {
  const objects = overlaid('', `${OVERLAY}components: [../component]\n${PATCH_SOURCE}${secretGenerators}`);
  const { env } = podOf(only(objects, 'CronJob')).containers[0];
  assert.is(env.find((entry: Manifest) => entry.name === 'BM_COLLECTION_ID').value, 'shop-database');
});

test('a layer that patches the source below a layer with the component: both reach the objects', () => {
  const objects = overlaid(
    '',
    `${OVERLAY}components: [../component]\n${secretGenerators}`.replace('../base', '../patched'),
    {
      'patched/kustomization.yaml': `${KUSTOMIZATION}resources: [../base]\n${PATCH_SOURCE}`,
    },
  );
  referencesResolve(objects);
  const pod = podOf(only(objects, 'CronJob', 'eu-database-backup'));
  const collection = pod.containers[0].env.find((entry: Manifest) => entry.name === 'BM_COLLECTION_ID');
  assert.is(collection.value, 'eu-database');
  assert.is(pod.containers[0].image, 'registry.example.org/postgres:17');
});

test('one component above two overlays of one base: each action restores its own backup, from its own Secrets', () => {
  const overlay = (region: string) => `${KUSTOMIZATION}resources: [../base]
namespace: production
namePrefix: ${region}-
${PATCH_SOURCE.replace('eu-', `${region}-`)}${secretGenerators}`;
  const folder = folderToBuild({
    'base/kustomization.yaml': base(''),
    'base/sources.yaml': sources,
    'eu/kustomization.yaml': overlay('eu'),
    'us/kustomization.yaml': overlay('us'),
    'both/kustomization.yaml': `${KUSTOMIZATION}resources: [../us, ../eu]\ncomponents: [../component]\nnamePrefix: x-\n`,
  });
  const objects = build(folder, 'both');
  const secrets = objects.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name);
  for (const region of ['eu', 'us']) {
    for (const kind of ['CronJob', 'Job']) {
      const pod = podOf(only(objects, kind, `x-${region}-`));
      const { env } = pod.containers[0];
      const collection = env.find((entry: Manifest) => entry.name === 'BM_COLLECTION_ID');
      assert.is(collection.value, `${region}-database`, `${kind} of ${region}`);
      const { configMaps, claims, ...references } = referencesOf(pod);
      for (const name of [configMaps, claims, references.serviceAccount].flat())
        assert.ok(name?.startsWith(`x-${region}-`), `${kind} of ${region} refers to ${name}`);
      for (const name of [references.env, references.projected, references.imagePullSecrets].flat()) {
        assert.ok(name?.startsWith(`x-${region}-`), `${kind} of ${region} refers to ${name}`);
        assert.ok(secrets.includes(name), `${kind} of ${region}: no Secret ${name}`);
      }
    }
  }
  assert.not.ok(JSON.stringify(objects).includes('internal.config.kubernetes.io'));
});

test('a patch beside the component reaches a generated CronJob', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${base('components: [component]')}
patches:
  - target: {kind: CronJob, name: database-backup}
    patch: |-
      - {op: add, path: /metadata/annotations/owner, value: shop}
      - {op: replace, path: /spec/schedule, value: 5 5 * * *}
`,
    'sources.yaml': sources,
  });
  const cronJob = only(build(folder), 'CronJob');
  assert.is(cronJob.spec.schedule, '5 5 * * *');
  assert.is(cronJob.metadata.annotations.owner, 'shop');
});

test('no value of a Secret is anywhere but in the Secret', () => {
  const objects = overlaid(`components: [../component]\n${secretGenerators}`, OVERLAY);
  const text = JSON.stringify(objects.filter(({ kind }) => kind !== 'Secret'));
  for (const value of ['p4ssw0rd-of-the-database', 'p4ssw0rd-of-the-server', 'phrase'])
    for (const form of [value, Buffer.from(value).toString('base64')])
      assert.not.ok(text.includes(`"${form}`), `${value} is in a generated object`);
  only(objects, 'CronJob');
  assert.ok(JSON.stringify(objects).includes(Buffer.from('p4ssw0rd-of-the-server').toString('base64')));
});

test.run();
