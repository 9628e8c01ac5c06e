/** README.md of the function is its reference: all keys, in both forms, and they mean the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { blocksOf } from '../guide.ts';
import { build, folderToBuild, KUSTOMIZATION } from '../kustomize/kustomize.ts';
import { type Manifest, names, root } from '../sandbox.ts';
import { databaseBackup } from '../sources.ts';

const test = suite('functions/expand-backups/README.md');

const readme = readFileSync(join(root, 'functions/expand-backups/README.md'), 'utf8');
const schema = JSON.parse(readFileSync(join(root, 'schemas/ExpandBackups.json'), 'utf8'));
const keys = Object.keys(schema.properties.spec.properties).sort();
const configOf = (name: string) =>
  blocksOf(readme).find(({ words }) => words.includes(`file=${name}`))?.text ?? '';

test('the table, and both forms of the configuration, have every key of the schema and no other', () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
  assert.equal(rows.sort(), keys);
  assert.equal(Object.keys(parse(configOf('expand-backups.yaml')).spec).sort(), keys);
  assert.equal(Object.keys(parse(configOf('config-map.yaml')).data).sort(), keys);
});

test('both forms are accepted and give the same', () => {
  const [typed, strings] = ['expand-backups.yaml', 'config-map.yaml'].map((name): Manifest[] =>
    build(
      folderToBuild({
        'kustomization.yaml': `${KUSTOMIZATION}resources: [backup.yaml]\ntransformers: [config.yaml]\n`,
        'config.yaml': configOf(name),
        'backup.yaml': databaseBackup(),
      }),
    ),
  );
  assert.equal(typed, strings);
  for (const kind of ['ServiceAccount', 'NetworkPolicy'])
    assert.ok(
      names(typed ?? []).some((name) => name.startsWith(kind)),
      kind,
    );
});

test('it has the headings that the catalog of kpt functions expects', () => {
  const headings = [...readme.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  assert.equal(headings, ['Overview', 'Usage', 'FunctionConfig', 'Examples']);
});

test.run();
