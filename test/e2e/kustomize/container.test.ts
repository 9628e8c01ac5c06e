/** `kubectl kustomize`, which runs functions only as containers: see `bin/docker` for how. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { documents, names, programs, run } from '../sandbox.ts';
import { databaseBackup, secretGenerators } from '../sources.ts';
import { build, folderToBuild, functionConfig, KUSTOMIZATION } from './kustomize.ts';

const test = suite('kubectl kustomize: container');

const IMAGE = 'registry.example.org/expand-backups:1';

const folder = folderToBuild({
  'container/kustomization.yaml': `${KUSTOMIZATION}resources: [../base]\ntransformers: [expand.yaml]\n`,
  'container/expand.yaml': functionConfig().replace(/exec:\n\s+path: \S+/, `container: {image: "${IMAGE}"}`),
  'program/kustomization.yaml': `${KUSTOMIZATION}resources: [../base]\ntransformers: [expand.yaml]\n`,
  'program/expand.yaml': functionConfig(),
  'base/kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\nnamespace: shop\n${secretGenerators}`,
  'base/sources.yaml': databaseBackup(),
  'wrong/kustomization.yaml': `${KUSTOMIZATION}resources: [../base]\ntransformers: [../container/expand.yaml]\npatches:
  - target: {kind: ScheduledBackup}
    patch: '[{"op": "replace", "path": "/spec/templateRef/name", "value": "postgers"}]'\n`,
});

const kubectl = (path: string) =>
  run('kubectl', ['kustomize', '--enable-alpha-plugins', '--load-restrictor=LoadRestrictionsNone', path], {
    cwd: folder,
    path: [join(import.meta.dirname, 'bin')],
    env: { FN_IMAGE: IMAGE, FN_COMMAND: join(programs, 'expand-backups') },
  });

test('the container gives what the program gives', () => {
  const { code, stdout, stderr } = kubectl('container');
  assert.is(code, 0, stderr);
  assert.ok(names(documents(stdout)).includes('CronJob shop/database-backup'));
  assert.equal(documents(stdout), build(folder, 'program'));
});

test('an error stops the build, and stderr shows it', () => {
  const { code, stdout, stderr } = kubectl('wrong');
  assert.is(code, 1);
  assert.is(stdout, '');
  assert.match(stderr, /error: ScheduledBackup shop\/database: spec\.templateRef\.name: .*postgres/);
});

test('exec functions are skipped by kubectl and exit 0, which the sources in the output show', () => {
  const { code, stdout } = kubectl('program');
  assert.is(code, 0);
  assert.ok(names(documents(stdout)).includes('ScheduledBackup shop/database'));
});

test.run();
