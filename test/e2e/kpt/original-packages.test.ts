/**
 * Issue 2, done when 3: a package of the original's shape (string `vars`, `gpgKeySecretRef`, `tokenSecretRef`,
 * `varsSecretRef`, own template; and the same with an internal template) renders, twice, identically, under both tools.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { build, folderToBuild, KUSTOMIZATION, tryBuild } from '../kustomize/kustomize.ts';
import {
  canonical,
  changesIn,
  documents,
  filesOf,
  type Manifest,
  names,
  remember,
  root,
} from '../sandbox.ts';
import { packageWith, render } from './package.ts';

const test = suite("the original's packages render twice, identically, under both tools");

for (const [title, fixture, jobs] of [
  ['own template', 'original-template', ['backup-1', 'restore-1']],
  ['internal template', 'original-internal', ['restore-1']],
] as const) {
  const manifests = readFileSync(join(root, 'fixtures/good', fixture, 'input.yaml'), 'utf8');
  const toBuild = folderToBuild({
    'kustomization.yaml': `${KUSTOMIZATION}resources: [manifests.yaml]\ncomponents: [component]\n`,
    'manifests.yaml': manifests,
  });

  test(`${title}: it has the original's shape`, () => {
    const backup = documents(manifests).find(({ kind }) => kind === 'ScheduledBackup') as Manifest;
    assert.type(backup.spec.vars, 'string');
    for (const field of ['gpgKeySecretRef', 'tokenSecretRef', 'varsSecretRef'])
      assert.ok(backup.spec[field].secretName, field);
    assert.is(backup.spec.templateRef.kind === 'internal', title === 'internal template');
  });

  test(`${title}: kustomize twice`, () => {
    const [first, second] = [tryBuild(toBuild), tryBuild(toBuild)];
    assert.is(first.code, 0, first.stderr);
    assert.is(second.stdout, first.stdout);
    const found = names(documents(first.stdout));
    for (const name of [
      'ConfigMap backups/app1-backup',
      'ConfigMap backups/app1-restore',
      'CronJob backups/app1-backup',
    ])
      assert.ok(found.includes(name), name);
    for (const job of jobs)
      assert.ok(
        found.some((name) => name.startsWith(`Job backups/${job}-`)),
        job,
      );
    assert.not.ok(found.some((name) => /Scheduled|Requested|ClusterBackup/.test(name)));
  });

  test(`${title}: kpt twice`, () => {
    const folder = packageWith({ 'manifests.yaml': manifests });
    render(folder);
    assert.is.not(changesIn(folder), '');
    remember(folder);
    render(folder);
    assert.is(changesIn(folder), '');
  });

  test(`${title}: both give the same objects`, () => {
    const folder = packageWith({ 'manifests.yaml': manifests });
    render(folder);
    const generated = Object.entries(filesOf(folder)).filter(([path]) => path.startsWith('generated/'));
    const fromKpt = generated.flatMap(([, text]) => documents(text));
    assert.equal(canonical(fromKpt), canonical(build(toBuild)));
  });
}

test.run();
