/** Whatever is wrong: kpt shows it, exits with an error, and every file is as it was. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { documents, filesOf, folderWith, remember, write } from '../sandbox.ts';
import { databaseBackup, restoreAction } from '../sources.ts';
import { kptfile, packageWith, render, tryRender } from './package.ts';

const test = suite('kpt: errors');

const shop = { namespace: 'shop' };
const backup = databaseBackup('orders', shop);
const longName = 'a-name-that-is-too-long-for-the-cron-job-made-of-it';

for (const [title, files, pattern] of [
  [
    'a misspelt field',
    { 'app/backup.yaml': backup.replace('collectionId:', 'colectionId:') },
    /app\/backup\.yaml: ScheduledBackup shop\/orders: spec\.colectionId: .*collectionId/,
  ],
  [
    'a wrong cron expression in the second document',
    {
      'app/backup.yaml': `${databaseBackup('stock', shop)}---\n${backup.replace('enabled: true', 'enabled: true\n    scheduleEvery: 0 25 * * *')}`,
    },
    /app\/backup\.yaml: ScheduledBackup shop\/orders: spec\.cronJob\.scheduleEvery: /,
  ],
  [
    'an action without its backup',
    { 'restore.yaml': restoreAction('restore', { ...shop, backup: 'odrers' }), 'backup.yaml': backup },
    /restore\.yaml: RequestedBackupAction shop\/restore: spec\.scheduledBackupRef\.name: .*did you mean orders/,
  ],
  [
    'a hand-written object with the name of a generated one',
    {
      'backup.yaml': backup,
      'mine.yaml': 'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: orders-backup, namespace: shop}\n',
    },
    /CronJob shop\/orders-backup is generated from ScheduledBackup shop\/orders \(backup\.yaml\), but exists already in mine\.yaml/,
  ],
  [
    'a name that is too long',
    { 'backup.yaml': databaseBackup(longName, shop) },
    /backup\.yaml: ScheduledBackup shop\/a-name-.*: metadata\.name: is too long by \d+/,
  ],
] as const) {
  test(title, () => {
    const folder = packageWith(files as Record<string, string>);
    const before = filesOf(folder);
    const { code, stdout, stderr } = tryRender(folder);
    assert.is(code, 1);
    assert.match(stdout + stderr, pattern);
    assert.equal(filesOf(folder), before);
  });
}

test('an error after a successful render leaves the rendered files', () => {
  const folder = packageWith({ 'backup.yaml': backup });
  render(folder);
  write(folder, {
    'backup.yaml': (filesOf(folder)['backup.yaml'] ?? '').replace('enabled: true', 'enabled: maybe'),
  });
  const before = filesOf(folder);
  assert.is(tryRender(folder).code, 1);
  assert.equal(filesOf(folder), before);
});

test('results are kept for machines, with severity, file, object and field', () => {
  const results = folderWith();
  const folder = packageWith({ 'app/backup.yaml': backup.replace('collectionId:', 'colectionId:') });
  assert.is(tryRender(folder, ['--results-dir', results]).code, 1);
  const [list] = documents(filesOf(results)['results.yaml'] ?? '');
  const [ran] = list?.items ?? [];
  assert.is(ran.exitCode, 1);
  const [error] = ran.results;
  assert.is(error.severity, 'error');
  assert.is(error.file.path, 'app/backup.yaml');
  assert.is(error.field.path, 'spec.colectionId');
  assert.equal(error.resourceRef, {
    apiVersion: 'riotkit.org/v1alpha1',
    kind: 'ScheduledBackup',
    name: 'orders',
    namespace: 'shop',
  });
});

for (const [title, selection] of [
  ['selectors', 'selectors: [{kind: ScheduledBackup}]'],
  ['exclude', 'exclude: [{kind: ConfigMap}]'],
] as const) {
  test(`${title} in the pipeline are refused, because generated objects would pile up`, () => {
    const folder = packageWith(
      { 'backup.yaml': backup },
      `  mutators:\n    - exec: expand-backups\n      ${selection}\n`,
    );
    const before = filesOf(folder);
    const { code, stdout, stderr } = tryRender(folder);
    assert.is(code, 1);
    assert.match(stdout + stderr, /the pipeline uses selectors or exclude/);
    assert.equal(filesOf(folder), before);
  });
}

const validators = '  validators:\n    - exec: expand-backups\n      configMap: {mode: validate}\n';

test('as a validator with mode validate it passes what is right', () => {
  const folder = packageWith({ 'backup.yaml': backup }, validators);
  render(folder);
  assert.not.ok(Object.keys(filesOf(folder)).some((path) => path.startsWith('generated')));
});

test('as a validator with mode validate it stops what is wrong', () => {
  const folder = packageWith({ 'backup.yaml': backup.replace('postgres,', 'postgers,') }, validators);
  const { code, stdout, stderr } = tryRender(folder);
  assert.is(code, 1);
  assert.match(stdout + stderr, /spec\.templateRef\.name: .*did you mean postgres/);
});

test('behind the mutator, the validator passes what that made', () => {
  const folder = packageWith({ 'backup.yaml': backup });
  write(folder, { Kptfile: `${kptfile()}${validators}` });
  render(folder);
  const files = filesOf(folder);
  assert.ok(files['generated/orders.yaml']);
  remember(folder);
  render(folder);
  assert.equal(filesOf(folder), files);
});

test.run();
