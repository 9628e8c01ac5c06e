/** A package that kpt rendered, built by kustomize afterwards: with the function again, without it, without the sources. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonical, documents, filesOf, names, succeed, write } from '../sandbox.ts';
import { databaseBackup, restoreAction } from '../sources.ts';
import { build, folderToBuild, functionConfig, KUSTOMIZATION, tryBuild } from './kustomize.ts';

const test = suite('kustomize: a tree that kpt rendered');

/** Hands everything through, as any other function of the pipeline does. */
const otherFunction = functionConfig()
  .replace('path: expand-backups', 'path: ./pass')
  .replace('name: expand', 'name: pass');

const folder = folderToBuild({
  Kptfile:
    'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata: {name: shop}\npipeline:\n  mutators: [{exec: expand-backups}]\n',
  '.krmignore': 'unrendered\nwith\nwithout\nalone\ncomponent\n',
  'sources.yaml': `${databaseBackup('database', { namespace: 'shop' })}---\n${restoreAction('restore', { namespace: 'shop' })}`,
});
write(folder, {
  'unrendered/kustomization.yaml': `${KUSTOMIZATION}resources: [sources.yaml]\ncomponents: [../component]\n`,
  'unrendered/sources.yaml': filesOf(folder)['sources.yaml'] ?? '',
});
succeed('kpt', ['fn', 'render', '--allow-exec', '.'], { cwd: folder });
const rendered = Object.keys(filesOf(folder)).filter((path) => path.startsWith('generated/'));
const list = (paths: readonly string[]) => `resources: [${paths.map((path) => `../${path}`).join(', ')}]\n`;
write(folder, {
  'with/kustomization.yaml': `${KUSTOMIZATION}${list(['sources.yaml', ...rendered])}components: [../component]\n`,
  'without/kustomization.yaml': KUSTOMIZATION + list(['sources.yaml', ...rendered]),
  'alone/kustomization.yaml': `${KUSTOMIZATION}${list(rendered)}transformers: [pass.yaml, expand.yaml]\n`,
  'alone/pass.yaml': otherFunction,
  'alone/expand.yaml': functionConfig(),
});
const pass = `${folder}/alone/pass`;
write(folder, { 'alone/pass': '#!/bin/sh\nexec cat\n' });
succeed('chmod', ['+x', pass]);

const unrestricted = ['--load-restrictor=LoadRestrictionsNone'];
const buildTree = (path: string) =>
  canonical(
    documents(
      succeed('kustomize', ['build', '--enable-alpha-plugins', '--enable-exec', ...unrestricted, path], {
        cwd: folder,
      }),
    ),
  );

test('with and without the function it gives what a build of the sources gives', () => {
  const expected = canonical(build(folder, 'unrendered'));
  assert.is(expected.length, 4);
  assert.equal(buildTree('with'), expected);
  assert.equal(buildTree('without'), expected);
});

test('rendered files without their sources are kept with a warning, even behind another function', () => {
  const { code, stdout, stderr } = tryBuild(`${folder}/alone`, [
    ...['--enable-alpha-plugins', '--enable-exec'],
    ...unrestricted,
  ]);
  assert.is(code, 0, stderr);
  assert.equal(names(documents(stdout)), names(build(folder, 'unrendered')));
  assert.match(
    stderr,
    /^warning: CronJob shop\/database-backup: was generated from ScheduledBackup\/shop\/database, /m,
  );
});

test.run();
