/** Every way in which kpt hands over a configuration, and every way of running a function with kpt. */
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
  remember,
  run,
  succeed,
} from '../sandbox.ts';
import { databaseBackup } from '../sources.ts';
import { evaluate, packageWith, render, tryRender } from './package.ts';

const test = suite('kpt: configuration');

const IMAGE = 'registry.example.org/client:9';
const backup = databaseBackup('orders', { namespace: 'shop' });
const generated = (folder: string) => documents(filesOf(folder)['generated/orders.yaml'] ?? '');
const clientImage = (folder: string) => podOf(only(generated(folder), 'CronJob')).initContainers[0].image;

const CONFIG = `apiVersion: riotkit.org/v1alpha1
kind: ExpandBackups
metadata:
  name: expand-backups
  annotations: {config.kubernetes.io/local-config: "true"}
spec:
  clientImage: ${IMAGE}
  networkPolicy: true # for everybody
`;

test('configMap', () => {
  const pipeline = `  mutators:\n    - exec: expand-backups\n      configMap: {clientImage: "${IMAGE}", networkPolicy: "true"}\n`;
  const folder = packageWith({ 'backup.yaml': backup }, pipeline);
  render(folder);
  assert.is(clientImage(folder), IMAGE);
  only(generated(folder), 'NetworkPolicy');
});

test('configPath with kind ExpandBackups; its file stays as it is', () => {
  const pipeline = '  mutators:\n    - exec: expand-backups\n      configPath: config.yaml\n';
  const files = { 'backup.yaml': backup, 'config.yaml': CONFIG };
  const folder = packageWith(files, pipeline);
  render(folder);
  assert.is(clientImage(folder), IMAGE);
  only(generated(folder), 'NetworkPolicy');
  const withCat = packageWith(files, '  mutators:\n    - exec: cat\n');
  render(withCat);
  assert.is(filesOf(folder)['config.yaml'], filesOf(withCat)['config.yaml']);
});

test('an unknown key is refused with the nearest known one', () => {
  const pipeline = '  mutators:\n    - exec: expand-backups\n      configMap: {clientImag: x}\n';
  const { code, stdout, stderr } = tryRender(packageWith({ 'backup.yaml': backup }, pipeline));
  assert.is(code, 1);
  assert.match(stdout + stderr, /functionConfig\.data\.clientImag: .*clientImage/);
});

test('kpt fn eval with key=value', () => {
  const folder = packageWith({ 'backup.yaml': backup });
  evaluate(folder, '--', `clientImage=${IMAGE}`, 'networkPolicy=true');
  assert.is(clientImage(folder), IMAGE);
  only(generated(folder), 'NetworkPolicy');
});

test('kpt fn eval with --fn-config', () => {
  const config = folderWith({ 'config.yaml': CONFIG });
  const folder = packageWith({ 'backup.yaml': backup });
  evaluate(folder, '--fn-config', `${config}/config.yaml`);
  assert.is(clientImage(folder), IMAGE);
});

test('kpt fn eval twice changes nothing', () => {
  const folder = packageWith({ 'backup.yaml': backup });
  evaluate(folder);
  only(generated(folder), 'CronJob');
  remember(folder);
  evaluate(folder);
  assert.is(changesIn(folder), '');
});

test('kpt fn source | expand-backups | kpt fn sink writes what kpt fn render writes', () => {
  const folder = packageWith({ 'app/backup.yaml': `# head\n${backup}` });
  const list = succeed('kpt', ['fn', 'source', folder]);
  const { code, stdout } = run('expand-backups', [], { input: list });
  assert.is(code, 0);
  const target = `${folderWith()}/out`;
  succeed('kpt', ['fn', 'sink', target], { input: stdout });
  render(folder);
  const rendered = filesOf(folder);
  assert.equal(filesOf(target), rendered);
  assert.ok(rendered['app/generated/orders.yaml']);
});

test('kpt fn render -o unwrap leaves the package as it is', () => {
  const folder = packageWith({ 'backup.yaml': backup });
  const { code, stdout } = tryRender(folder, ['--output', 'unwrap']);
  assert.is(code, 0);
  assert.ok(names(documents(stdout)).includes('CronJob shop/orders-backup'));
  assert.is(changesIn(folder), '');
});

test('without --allow-exec kpt refuses, and changes nothing', () => {
  const folder = packageWith({ 'backup.yaml': backup });
  const { code, stderr, stdout } = run('kpt', ['fn', 'render', folder]);
  assert.is(code, 1);
  assert.match(stdout + stderr, /allow-exec/);
  assert.is(changesIn(folder), '');
});

test('without the program on the PATH kpt names it, and changes nothing', () => {
  const folder = packageWith({ 'backup.yaml': backup });
  const { code, stderr, stdout } = tryRender(folder, [], { path: [] });
  assert.is(code, 1);
  assert.match(stdout + stderr, /expand-backups.*executable file not found/s);
  assert.is(changesIn(folder), '');
});

test.run();
