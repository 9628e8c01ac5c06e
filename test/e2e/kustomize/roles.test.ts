/** The function in the other places where kustomize runs functions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { names, only } from '../sandbox.ts';
import { databaseBackup, restoreAction } from '../sources.ts';
import { build, folderToBuild, functionConfig, KUSTOMIZATION, tryBuild } from './kustomize.ts';

const test = suite('kustomize: generator and validator');

const FUNCTION = `  annotations:
    config.kubernetes.io/function: |
      exec: {path: expand-backups}
`;

test('a ScheduledBackup under generators generates its objects, and built-ins apply to them', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}generators: [backup.yaml]\nnamespace: shop\nnamePrefix: eu-\n`,
    'backup.yaml': databaseBackup().replace('  name: database\n', `  name: database\n${FUNCTION}`),
  });
  const objects = build(folder);
  assert.equal(names(objects), [
    'ConfigMap shop/eu-database-backup',
    'ConfigMap shop/eu-database-restore',
    'CronJob shop/eu-database-backup',
  ]);
  const { metadata } = only(objects, 'CronJob');
  assert.equal(Object.keys(metadata.annotations), ['riotkit.org/generated-by']);
});

test('a validator with mode validate lets a correct build pass unchanged', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [component]\nvalidators: [check.yaml]\n`,
    'check.yaml': functionConfig('\n  mode: validate'),
    'sources.yaml': `${databaseBackup()}---\n${restoreAction()}`,
  });
  assert.is(build(folder).filter(({ kind }) => kind === 'CronJob').length, 1);
});

test('a validator with mode validate refuses a wrong source', () => {
  const folder = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\nvalidators: [check.yaml]\n`,
    'check.yaml': functionConfig('\n  mode: validate'),
    'sources.yaml': restoreAction('restore', { backup: 'databse' }),
  });
  const { code, stderr } = tryBuild(folder);
  assert.is(code, 1);
  assert.match(stderr, /^error: RequestedBackupAction restore: spec\.scheduledBackupRef\.name: .*databse/m);
});

test.run();
