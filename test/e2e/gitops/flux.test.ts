/** docs/flux.md: its pipeline renders and publishes, and what it publishes is what Flux's own build would apply. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonical, documents, filesOf, folderWith, git, only, run, succeed, write } from '../sandbox.ts';
import { restoreAction } from '../sources.ts';
import { runShellGuide } from './shell-guide.ts';

const test = suite('docs/flux.md');

let folder = '';

test('every command does what it says', () => {
  folder = `${folderWith({ 'reader/.keep': '' })}/reader`;
  runShellGuide('docs/flux.md', {}, folder);
});

test('the branch holds the rendered manifests alone, one commit for each change, and no plugin is needed to build it', () => {
  const clone = folderWith();
  git(clone, 'clone', '--quiet', '--branch', 'rendered', `${folder}/../origin.git`, 'branch');
  const checkout = `${clone}/branch`;
  assert.equal(Object.keys(filesOf(checkout)), ['manifests.yaml']);
  assert.is(git(checkout, 'log', '--format=%s').trim().split('\n').length, 2);
  write(checkout, { 'kustomization.yaml': 'resources: [manifests.yaml]\n' });
  // As Flux builds: without plugins of others.
  const built = documents(succeed('kustomize', ['build', checkout], { path: [] }));
  assert.equal(canonical(built), canonical(documents(filesOf(checkout)['manifests.yaml'] ?? '')));
  assert.match(only(built, 'Secret').stringData['Params.password'], /^ENC\[/);
  assert.ok(only(built, 'Secret').sops);
  assert.is(only(built, 'CronJob').spec.schedule, '15 3 * * *');
});

test('ConfigMaps with scripts are left alone by substitution', () => {
  const maps = documents(filesOf(folder)['rendered/manifests.yaml'] ?? '').filter(
    ({ kind }) => kind === 'ConfigMap',
  );
  assert.is(maps.length, 2);
  for (const { metadata } of maps)
    assert.is(metadata.annotations['kustomize.toolkit.fluxcd.io/substitute'], 'disabled');
});

test('the pipeline stops if the function did not run, and a restore that Flux would force is refused', () => {
  const spoiled = folderWith(filesOf(folder));
  const kustomization = (filesOf(spoiled)['shop/kustomization.yaml'] ?? '').replace(
    /components:[\s\S]*$/,
    '',
  );
  write(spoiled, { 'shop/kustomization.yaml': kustomization });
  const without = run('sh', ['ci/render.sh', 'shop', 'rendered'], { cwd: spoiled });
  assert.is(without.code, 1);
  assert.match(without.stderr, /expand-backups did not run/);

  const forced = restoreAction('restore', { backup: 'database' }).replace(
    /^metadata:\n/m,
    'metadata:\n  annotations: {kustomize.toolkit.fluxcd.io/force: enabled}\n',
  );
  assert.match(forced, /force: enabled/);
  const list = folderWith({ 'backup.yaml': `${filesOf(folder)['shop/backup.yaml']}---\n${forced}` });
  const refused = run('kpt', ['fn', 'eval', list, '--exec', 'expand-backups', '--truncate-output=false']);
  assert.is.not(refused.code, 0);
  assert.match(refused.stdout + refused.stderr, /makes Flux run the restore again/);
});

test.run();
