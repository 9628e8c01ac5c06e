/** The function in the other places where kustomize runs functions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonical, documents, names, only } from '../sandbox.ts';
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

for (const [title, source, code, pattern] of [
  ['lets a correct source pass unchanged', `${databaseBackup()}---\n${restoreAction()}`, 0, /^$/],
  [
    'refuses a wrong one',
    restoreAction('restore', { backup: 'databse' }),
    1,
    /^error: RequestedBackupAction restore: spec\.scheduledBackupRef\.name: .*databse/m,
  ],
] as const) {
  test(`mode validate ${title}`, () => {
    const folder = folderToBuild({
      'kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ntransformers: [check.yaml]\n`,
      'check.yaml': functionConfig('\n  mode: validate'),
      'sources.yaml': source,
    });
    const built = tryBuild(folder);
    assert.is(built.code, code);
    assert.match(built.stderr, pattern);
    if (code === 0) assert.equal(canonical(documents(built.stdout)), canonical(documents(source)));
  });
}

test('as a validator, mode validate refuses a wrong source', () => {
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
