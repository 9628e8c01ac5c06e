import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderCrds } from '../../../scripts/crds.ts';

const root = join(import.meta.dirname, '../../..');
const schemas = globSync('schemas/*.json', { cwd: root }).map((file) =>
  JSON.parse(readFileSync(join(root, file), 'utf8')),
);
const rendered = renderCrds(schemas);

const test = suite('definitions for Kubernetes');

test('deploy/crds is what the schemas say', () => {
  assert.equal(Object.keys(rendered), ['deploy/crds/backupcollections.yaml', 'deploy/crds/backupusers.yaml']);
  for (const [path, text] of Object.entries(rendered)) {
    assert.is(readFileSync(join(root, path), 'utf8'), text, `${path}: run node scripts/crds.ts`);
  }
});

test('nothing is left that a structural schema must not have', () => {
  for (const text of Object.values(rendered)) {
    assert.not.match(text, /\$ref|additionalProperties|const:|definitions:|[&*]a1/);
  }
});

test.run();
