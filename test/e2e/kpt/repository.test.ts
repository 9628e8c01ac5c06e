/** The repository is itself a kpt package: its source code must not be taken for resources. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { documents, folderWith, type Manifest, root, succeed } from '../sandbox.ts';

const test = suite('the repository as a kpt package');

test('kpt reads the component and the manifests to deploy, and nothing else', () => {
  const folder = folderWith();
  const files = succeed('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const file of files.split('\0').filter(Boolean))
    cpSync(join(root, file), join(folder, file), { recursive: true, force: true });
  const [list] = documents(succeed('kpt', ['fn', 'source', folder]));
  const paths: string[] = list?.items.map(
    ({ metadata }: Manifest) => metadata.annotations['internal.config.kubernetes.io/path'],
  );
  assert.ok(paths.includes('Kptfile'));
  assert.ok(paths.includes('components/expand-backups/kustomization.yaml'));
  assert.equal(
    paths.filter((path) => !/^(Kptfile$|components\/|deploy\/)/.test(path)),
    [],
  );
});

test.run();
