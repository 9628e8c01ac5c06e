/** Rendering in place: what is written, rewritten, removed and left alone. */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  changesIn,
  documents,
  filesOf,
  folderWith,
  names,
  only,
  podOf,
  programs,
  remember,
  write,
} from '../sandbox.ts';
import { databaseBackup, restoreAction } from '../sources.ts';
import { kptfile, packageWith, render, tryRender } from './package.ts';

const test = suite('kpt: in place');

const shop = { namespace: 'shop' };
const paths = (folder: string) => Object.keys(filesOf(folder)).sort();

/** Two sources in one folder and an action in another. */
function rendered(): string {
  const folder = packageWith({
    'app/backups.yaml': `# Why: the shop's data.\n${databaseBackup('orders', shop)}---\n${databaseBackup('stock', shop)}`,
    'actions/restore.yaml': restoreAction('restore', { ...shop, backup: 'orders' }),
  });
  render(folder);
  return folder;
}

test('generated objects go into a folder beside their source, and the source is marked', () => {
  const folder = rendered();
  const files = filesOf(folder);
  assert.equal(paths(folder), [
    'Kptfile',
    'actions/generated/restore.yaml',
    'actions/restore.yaml',
    'app/backups.yaml',
    'app/generated/orders.yaml',
    'app/generated/stock.yaml',
  ]);
  assert.equal(names(documents(files['app/generated/orders.yaml'] ?? '')), [
    'ConfigMap shop/orders-backup',
    'ConfigMap shop/orders-restore',
    'CronJob shop/orders-backup',
  ]);
  assert.match(
    names(documents(files['actions/generated/restore.yaml'] ?? '')).join(),
    /^Job shop\/restore-[a-z0-9]{10}$/,
  );
  for (const { metadata } of documents(files['app/backups.yaml'] ?? ''))
    assert.equal(metadata.annotations, { 'config.kubernetes.io/local-config': 'true' });
  assert.match(files['app/backups.yaml'] ?? '', /^# Why: the shop's data\.$/m);
});

test('rendering again changes nothing', () => {
  const folder = rendered();
  assert.ok(paths(folder).includes('app/generated/orders.yaml'));
  remember(folder);
  render(folder);
  assert.is(changesIn(folder), '');
});

test('with the last source of a file go all generated files, and kpt says so', () => {
  const folder = rendered();
  rmSync(join(folder, 'app/backups.yaml'));
  rmSync(join(folder, 'actions/restore.yaml'));
  assert.match(
    render(folder),
    /removed, because ScheduledBackup\/shop\/orders, which it was generated from, is gone/,
  );
  assert.equal(paths(folder), ['Kptfile']);
});

test('with one of two sources go its files only', () => {
  const folder = rendered();
  remember(folder);
  write(folder, { 'app/backups.yaml': filesOf(folder)['app/backups.yaml']?.split('---\n')[0] ?? '' });
  render(folder);
  const diff = changesIn(folder);
  assert.match(diff, /^deleted file mode .*\n.*\n--- a\/app\/generated\/stock\.yaml$/m);
  assert.equal(paths(folder), [
    ...['Kptfile', 'actions/generated/restore.yaml', 'actions/restore.yaml'],
    ...['app/backups.yaml', 'app/generated/orders.yaml'],
  ]);
});

test('a renamed source leaves nothing behind under its old name', () => {
  const folder = rendered();
  write(folder, {
    'app/backups.yaml': (filesOf(folder)['app/backups.yaml'] ?? '').replace('name: stock', 'name: goods'),
  });
  render(folder);
  assert.equal(
    paths(folder).filter((path) => path.startsWith('app/generated/')),
    ['app/generated/goods.yaml', 'app/generated/orders.yaml'],
  );
});

test('edits by hand in generated files are overwritten', () => {
  const folder = rendered();
  remember(folder);
  const file = 'app/generated/orders.yaml';
  const text = filesOf(folder)[file] ?? '';
  write(folder, {
    [file]: `# by hand\n${text.replace('concurrencyPolicy: Forbid', 'concurrencyPolicy: Allow')}`,
  });
  assert.is.not(changesIn(folder), '');
  render(folder);
  assert.is(changesIn(folder), '');
});

test('an object of somebody else in a generated file stays in it', () => {
  const folder = rendered();
  const file = 'app/generated/orders.yaml';
  const foreign = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n  namespace: shop\n';
  write(folder, { [file]: `${filesOf(folder)[file]}---\n${foreign}` });
  render(folder);
  const after = filesOf(folder)[file] ?? '';
  assert.ok(names(documents(after)).includes('ConfigMap shop/mine'));
  assert.is(documents(after).length, 4);
  remember(folder);
  render(folder);
  assert.is(changesIn(folder), '');
});

test('sources of a sub-package are generated in the sub-package, from its own pipeline or the parent one', () => {
  const folder = packageWith({
    'backup.yaml': databaseBackup('orders', shop),
    'own/Kptfile': kptfile(undefined, 'own'),
    'own/backup.yaml': databaseBackup('stock', { namespace: 'own' }),
    'none/Kptfile': 'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: none\n',
    'none/deep/backup.yaml': databaseBackup('users', { namespace: 'none' }),
  });
  render(folder);
  const generated = paths(folder).filter((path) => path.includes('generated'));
  assert.equal(generated, [
    'generated/orders.yaml',
    'none/deep/generated/users.yaml',
    'own/generated/stock.yaml',
  ]);
  remember(folder);
  render(folder);
  assert.is(changesIn(folder), '');
});

test('a function before it changes sources, one behind it changes generated objects, and the second render nothing', () => {
  const folder = packageWith(
    { 'backup.yaml': databaseBackup('orders') },
    ['before', 'expand-backups', 'behind']
      .map((exec) => `${exec === 'before' ? '  mutators:\n' : ''}    - exec: ${exec}\n`)
      .join(''),
  );
  const tools = folderWith({
    before: `#!/bin/sh\nexec sed 's/^\\( *\\)name: orders$/&\\n\\1namespace: shop/'\n`,
    behind: `#!/bin/sh\nexec sed 's|image: postgres:16|image: registry.example.org/postgres:16|'\n`,
  });
  for (const tool of ['before', 'behind']) chmodSync(join(tools, tool), 0o755);
  const renderWithTools = () => {
    const { code, stdout, stderr } = tryRender(folder, [], { path: [tools, programs] });
    assert.is(code, 0, stdout + stderr);
  };
  renderWithTools();
  const generated = documents(filesOf(folder)['generated/orders.yaml'] ?? '');
  const cronJob = only(generated, 'CronJob');
  assert.is(cronJob.metadata.namespace, 'shop');
  assert.is(podOf(cronJob).containers[0].image, 'registry.example.org/postgres:16');
  // Or it would add its line a second time.
  write(tools, { before: '#!/bin/sh\nexec cat\n' });
  remember(folder);
  renderWithTools();
  assert.is(changesIn(folder), '');
});

test('a namespace that a function behind it sets is no reason to remove anything', () => {
  const folder = packageWith(
    { 'backup.yaml': databaseBackup('orders') },
    '  mutators:\n    - exec: expand-backups\n    - exec: set-namespace\n',
  );
  const tools = folderWith({
    'set-namespace': `#!/bin/sh\nexec sed -e '/^ *namespace: shop$/d' -e 's/^\\( *\\)name: orders[-a-z]*$/&\\n\\1namespace: shop/'\n`,
  });
  chmodSync(join(tools, 'set-namespace'), 0o755);
  const renderWithTools = () => {
    const { code, stdout, stderr } = tryRender(folder, [], { path: [tools, programs] });
    assert.is(code, 0, stdout + stderr);
    return stdout + stderr;
  };
  renderWithTools();
  assert.equal(names(documents(filesOf(folder)['generated/orders.yaml'] ?? '')), [
    'ConfigMap shop/orders-backup',
    'ConfigMap shop/orders-restore',
    'CronJob shop/orders-backup',
  ]);
  const again = renderWithTools();
  assert.not.match(again, /removed/);
  remember(folder);
  assert.not.match(renderWithTools(), /removed/);
  assert.is(changesIn(folder), '');
});

test('a copy of a generated object that still says that it is one is removed, and kpt says so', () => {
  const folder = rendered();
  const cronJob = (filesOf(folder)['app/generated/orders.yaml'] ?? '').split('---\n').at(-1) ?? '';
  const copy = cronJob.replace('name: orders-backup', 'name: orders-weekly');
  write(folder, { 'app/weekly.yaml': copy });
  assert.match(
    render(folder),
    /removed, because it is not generated from ScheduledBackup\/shop\/orders any more/,
  );
  assert.not.ok(paths(folder).includes('app/weekly.yaml'));
  write(folder, { 'app/weekly.yaml': copy.replace(/^ *riotkit\.org\/generated-by: .*\n/m, '') });
  render(folder);
  assert.ok(paths(folder).includes('app/weekly.yaml'));
});

test('outputFolder moves the generated files, and the old ones go', () => {
  const folder = rendered();
  const pipeline =
    '  mutators:\n    - exec: expand-backups\n      configMap:\n        outputFolder: rendered/backups\n';
  write(folder, { Kptfile: kptfile(pipeline) });
  render(folder);
  assert.equal(
    paths(folder).filter((path) => path.startsWith('app/')),
    ['app/backups.yaml', 'app/rendered/backups/orders.yaml', 'app/rendered/backups/stock.yaml'],
  );
});

test.run();
