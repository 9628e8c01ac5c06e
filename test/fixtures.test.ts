/**
 * The golden cases: what becomes of the inputs under fixtures/good and fixtures/bad.
 *
 * `UPDATE=1 npm test` writes the expected files anew; read the difference as you would read a pull request.
 *
 * A bad case is `<name>.yaml`, documents as a user writes them, where one that begins with `# functionConfig` is the
 * function's configuration; or `<name>.raw`, the bytes on standard input.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { procedures } from '../gen/procedures.ts';
import { emitYaml } from '../src/krm/emit.ts';
import type { JsonObject } from '../src/krm/json.ts';
import { readResourceList } from '../src/krm/resource-list.ts';
import type { Outcome } from '../src/krm/run.ts';
import { parseKubernetesYaml } from '../src/krm/yaml.ts';
import {
  documentsOf,
  expand,
  fixtures,
  goodCases,
  inputOf,
  isGenerated,
  objectsOf,
  resourceList,
} from './resource-lists.ts';

const update = process.env.UPDATE === '1';
const secret = /canary/i;

for (const good of goodCases()) {
  test(`good: ${good.name}`, () => {
    const input = inputOf(good);
    const first = expand(input);
    assert.is(first.exitCode, 0, first.stderr);
    assertGolden(join(good.folder, 'expected.yaml'), describeOutput(first));
    assert.is(withoutMarks(first.stdout), withoutMarks(input), 'the items of the user were changed');
    const second = expand(first.stdout);
    assert.equal(rawItems(second.stdout), rawItems(first.stdout), 'a second run changes something');
    assert.is(second.stderr, first.stderr);
  });
}

const badFolder = join(fixtures, 'bad');
const badFiles = readdirSync(badFolder)
  .filter((file) => /\.(yaml|raw)$/.test(file))
  .sort();

for (const file of badFiles) {
  test(`bad: ${file}`, () => {
    const bytes = readFileSync(join(badFolder, file));
    const input = file.endsWith('.raw') ? bytes : Buffer.from(badList(bytes.toString('utf8')));
    const outcome = expand(input);
    assertGolden(
      join(badFolder, file.replace(/\.\w+$/, '.txt')),
      `exit ${outcome.exitCode}\n${outcome.stderr}`,
    );
    assert.is(outcome.exitCode, 1);
    assert.match(outcome.stderr, /^error: [^\n]+\n/);
    assert.not.match(outcome.stderr, /^\s+at /m, 'a stack trace');
    assert.not.match(outcome.stderr, secret, 'a secret value');
    assertUntouched(input, outcome);
  });
}

test('at least 70 bad inputs are known', () => {
  assert.ok(badFiles.length >= 70, String(badFiles.length));
});

function badList(text: string): string {
  const documents = documentsOf(text);
  const config = documents.find((document) => document.startsWith('# functionConfig'));
  return resourceList(
    documents.filter((document) => document !== config),
    config,
  );
}

/** Standard error as comments, then each generated object as a document. */
function describeOutput(outcome: Outcome): string {
  const { results = [] } = envelope(outcome.stdout);
  const notes = results.filter(({ severity }) => severity === 'info');
  const comments = [
    ...outcome.stderr.split('\n').filter((line) => line !== ''),
    ...notes.map(({ message, field }) => `info: ${field ? `${field.path}: ` : ''}${message}`),
  ];
  const objects = withoutConstantScripts(objectsOf(outcome.stdout).filter(isGenerated));
  return [
    comments.map((line) => `# ${line}\n`).join(''),
    ...objects.map((object) => `---\n${emitYaml(object, 0)}`),
  ].join('');
}

/**
 * The scripts of built-in procedures are data with tests of their own: the cases only say which one it is, so that
 * they need not be written anew whenever one is improved. The digests that depend on them are left out as well.
 */
function withoutConstantScripts(objects: readonly JsonObject[]): JsonObject[] {
  const scripts = new Map(
    procedures.flatMap(({ name, scripts: { backup, restore } }) => [
      [backup, `<procedures/${name}/backup.sh>`],
      [restore, `<procedures/${name}/restore.sh>`],
    ]),
  );
  const maps = new Set<string>();
  return objects.map((object) => {
    const { kind, metadata, data } = object as unknown as KubernetesObject;
    for (const [file, text] of Object.entries(data ?? {})) {
      const constant = scripts.get(text);
      if (kind !== 'ConfigMap' || !data || constant === undefined) continue;
      data[file] = constant;
      maps.add(`${metadata.namespace}/${metadata.name}`);
    }
    const text = emitYaml(object, 0);
    const map = /configMap:\n +name: (\S+)/.exec(text)?.[1];
    if (kind !== 'Job' || !maps.has(`${metadata.namespace}/${map}`)) return object;
    const masked = text
      .replace(/^( +riotkit\.org\/script-digest): .*$/m, '$1: <digest>')
      .replace(/^( {2}name: .*-)\w{10}$/m, '$1<digest>');
    return parseKubernetesYaml(masked) as JsonObject;
  });
}

interface KubernetesObject {
  kind: string;
  metadata: { name: string; namespace?: string };
  data?: Record<string, string>;
}

function rawItems(list: string): string[] {
  return readResourceList(list).items.map(({ raw }) => raw);
}

/** The items that were not generated, as text, without the only mark that may have been set on them. */
function withoutMarks(list: string): string {
  return readResourceList(list)
    .items.filter((item) => !isGenerated(item.value()))
    .map((item) => item.raw.replace(/^ +config\.kubernetes\.io\/local-config: "true"\n/m, ''))
    .map((raw) => raw.replace(/"?config\.kubernetes\.io\/local-config"?: "true"(, )?/, ''))
    .map((raw) => raw.replace(/^ +annotations:\n(?= {0,4}\S)/m, '').replace(/"annotations": \{\}(, )?/, ''))
    .join('');
}

/** On failure each item is in the output exactly as it came, or there was nothing that could be read. */
function assertUntouched(input: Uint8Array, outcome: Outcome): void {
  const output = rawItems(outcome.stdout);
  const results = envelope(outcome.stdout).results ?? [];
  assert.ok(
    results.some(({ severity }) => severity === 'error'),
    'no error result',
  );
  let items: string[];
  try {
    items = readResourceList(new TextDecoder('utf-8', { fatal: true }).decode(input)).items.map(
      ({ raw }) => raw,
    );
  } catch {
    items = [];
  }
  assert.equal(output, items);
}

interface Envelope {
  results?: { severity: string; message: string; field?: { path: string } }[];
}

function envelope(list: string): Envelope {
  const { layout } = readResourceList(list);
  const text = layout.sections.find(({ key }) => key === 'results')?.text;
  if (text === undefined) return {};
  const braces = layout.root === 'flow' ? `{${text}}` : text;
  return parseKubernetesYaml(braces) as unknown as Envelope;
}

function assertGolden(file: string, actual: string): void {
  if (update) writeFileSync(file, actual);
  assert.ok(existsSync(file), `${file} does not exist: run UPDATE=1 npm test and read it`);
  assert.fixture(actual, readFileSync(file, 'utf8'));
}

test.run();
