/** docs/deploy.md: an operator's folder is made by its commands, and the pod in it runs. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { documents, folderWith, names, root } from '../sandbox.ts';
import { withServerPod } from './server-pod.ts';
import { runShellGuide } from './shell-guide.ts';

const test = suite('docs/deploy.md');

let folder = '';
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

test('every command does what it says', () => {
  folder = runShellGuide('docs/deploy.md');
});

test('what was made runs: the passwords of its Secrets log in, and users that were not declared do not', async () => {
  const claim = folderWith();
  mkdirSync(join(claim, 'data'));
  const { exitCode, logs } = await withServerPod(
    {
      objects: [...documents(read('rendered.yaml')), ...documents(read('secrets.yaml'))].map((object) => ({
        ...object,
        // One machine, one namespace.
        metadata: { ...object.metadata, namespace: undefined },
      })),
      claims: { 'backup-repository-data': join(claim, 'data') },
    },
    async ({ url }) => {
      const login = (username: string, password: string) =>
        fetch(`${url}/api/stable/auth/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ username, password }),
        });
      assert.is((await login('admin', read('admin.password'))).status, 200);
      assert.is((await login('shop$backup', read('shop-backup.password'))).status, 200);
      assert.is((await login('shop$restore', read('shop-backup.password'))).status, 401);
    },
  );
  assert.is(exitCode, 0, logs);
});

test('beside the function and with it, the server gets the same objects', () => {
  assert.equal(
    names(documents(read('beside.yaml'))),
    names(documents(read('rendered.yaml')).filter(({ kind }) => kind !== 'Namespace')),
  );
});

test('it names every alert, and no other', () => {
  const guide = readFileSync(join(root, 'docs/deploy.md'), 'utf8');
  const rules = parse(readFileSync(join(root, 'deploy/monitoring/prometheus-rule.yaml'), 'utf8'));
  const alerts = rules.spec.groups.flatMap(
    (group: { rules: { alert: string; labels: { severity: string } }[] }) =>
      group.rules.map(({ alert, labels }) => `${alert} ${labels.severity}`),
  );
  const rows = [...guide.matchAll(/^\| `(Backup\w+)` \|.*\| (\w+) \|$/gm)].map(
    ([, alert, severity]) => `${alert} ${severity}`,
  );
  assert.equal(rows.sort(), alerts.sort());
});

test.run();
