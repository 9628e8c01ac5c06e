/** The function as a transformer and as the component, configured in every way, failing, skipped, and with much to say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { documents, folderWith, type Manifest, names, only, podOf, programs } from '../sandbox.ts';
import { databaseBackup, restoreAction } from '../sources.ts';
import { build, FLAGS, folderToBuild, functionConfig, KUSTOMIZATION, tryBuild } from './kustomize.ts';

const test = suite('kustomize: transformer');

const generated = ['ConfigMap database-backup', 'ConfigMap database-restore', 'CronJob database-backup'];

const clientImage = (objects: Manifest[]) => podOf(only(objects, 'CronJob')).initContainers[0].image;
const jobName = /^Job restore-[a-z0-9]{10}$/;

test('an entry of transformers turns sources into objects, and the sources are not in the output', () => {
  const folder = folderWith({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ntransformers: [expand.yaml]\n`,
    'expand.yaml': functionConfig(),
    'sources.yaml': `${databaseBackup()}---\n${restoreAction()}`,
  });
  const [job, ...others] = names(build(folder)).sort(
    (a, b) => Number(b.startsWith('Job')) - Number(a.startsWith('Job')),
  );
  assert.match(job ?? '', jobName);
  assert.equal(others, generated);
});

test('the component does the same with one line', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': `${databaseBackup()}---\n${restoreAction()}`,
  });
  assert.equal(
    names(build(folder)).filter((name) => !jobName.test(name)),
    generated,
  );
});

test('a source that says of itself that it is local configuration is expanded, too', () => {
  const local = '  annotations: {config.kubernetes.io/local-config: "true"}\n';
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': databaseBackup().replace('  name: database\n', `  name: database\n${local}`),
  });
  assert.equal(names(build(folder)), generated);
});

test('nothing of how the tools work remains in the output', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': databaseBackup(),
  });
  for (const { metadata } of build(folder))
    for (const annotation of Object.keys(metadata.annotations))
      assert.not.match(annotation, /config\.(kubernetes|k8s)\.io/);
});

for (const [kind, config] of [
  ['ExpandBackups', functionConfig('\n  clientImage: registry.example.org/client:9\n  networkPolicy: true')],
  [
    'ConfigMap',
    functionConfig(
      '\n  clientImage: registry.example.org/client:9\n  networkPolicy: "true"',
      'apiVersion: v1\nkind: ConfigMap',
    ),
  ],
] as const) {
  test(`configuration of kind ${kind} is read, and is not in the output`, () => {
    const folder = folderWith({
      'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ntransformers: [expand.yaml]\n`,
      'expand.yaml': config,
      'sources.yaml': databaseBackup(),
    });
    const objects = build(folder);
    assert.is(clientImage(objects), 'registry.example.org/client:9');
    assert.equal(names(objects), [...generated, 'NetworkPolicy database-backup']);
  });
}

test('a configuration without any source passes everything through', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [service.yaml]\ncomponents: [component]\n`,
    'service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 80}]}\n',
  });
  assert.equal(names(build(folder)), ['Service shop']);
});

test('an error stops the build, and stderr says what is wrong where', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': databaseBackup().replace('enabled: true', 'enabled: true\n    scheduleEvry: 0 2 * * *'),
  });
  const { code, stdout, stderr } = tryBuild(folder);
  assert.is(code, 1);
  assert.is(stdout, '');
  assert.match(stderr, /^error: ScheduledBackup database: spec\.cronJob\.scheduleEvry: .*scheduleEvery/m);
  assert.not.match(stderr, /\n\s+at /, 'a stack trace');
});

test('a warning is shown, and the build succeeds', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': databaseBackup().replace(
      'accessKeySecretRef: {name: backup-access}',
      'tokenSecretRef: {secretName: backup-access, tokenKey: token}',
    ),
  });
  const { code, stderr } = tryBuild(folder);
  assert.is(code, 0);
  assert.match(stderr, /^warning: ScheduledBackup database: spec\.tokenSecretRef: /m);
});

test('an object with the name of a generated one is an error that names the source', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': `${databaseBackup()}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: database-backup}\n`,
  });
  const { code, stderr } = tryBuild(folder);
  assert.is(code, 1);
  assert.match(stderr, /^error: .*ConfigMap database-backup is generated from ScheduledBackup database/m);
});

test('without --enable-exec kustomize skips the function and exits 0: the sources left in the output show it', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': databaseBackup(),
  });
  const { code, stdout } = tryBuild(folder, ['--enable-alpha-plugins']);
  assert.is(code, 0);
  assert.equal(names(documents(stdout)), ['ScheduledBackup database']);
});

test('without the program on the PATH the build fails and names it', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': databaseBackup(),
  });
  const { code, stderr } = tryBuild(folder, FLAGS, { path: [] });
  assert.is(code, 1);
  assert.match(stderr, /exec: .*expand-backups.*: executable file not found/);
});

test('an output of more than a pipe holds arrives whole', () => {
  const count = 150;
  const sources = Array.from({ length: count }, (_, index) => databaseBackup(`database-${index}`));
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': sources.join('---\n'),
  });
  const { code, stdout } = tryBuild(folder);
  assert.is(code, 0);
  assert.ok(stdout.length > 1_000_000, `only ${stdout.length} characters`);
  assert.is(documents(stdout).length, 3 * count);
});

test('two builds print the same', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\n`,
    'sources.yaml': `${databaseBackup()}---\n${restoreAction()}`,
  });
  const first = tryBuild(folder);
  assert.is(first.code, 0, first.stderr);
  assert.match(first.stdout, /^kind: CronJob$/m);
  assert.is(
    tryBuild(folder, FLAGS, { env: { TZ: 'Asia/Tokyo', LANG: 'C' }, path: [programs] }).stdout,
    first.stdout,
  );
});

test.run();
