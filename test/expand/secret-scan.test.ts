/**
 * No secret leaves the Secrets of the user: neither a value of one in the list, nor anything that looks like a
 * credential. The one exception are values that the user's own ScheduledBackup holds in clear text: these are kept in
 * a generated Secret, with a warning.
 *
 * The scanner knows nothing of src/api/credentials.ts, so that one does not excuse the other.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emitYaml } from '../../src/krm/emit.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import {
  documentsOf,
  expand,
  fixtures,
  goodCases,
  inputOf,
  isGenerated,
  objectsOf,
  resourceList,
} from '../resource-lists.ts';

interface Secret {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

const SHORTEST = 5;

/** Texts that a list of objects must not give away, with every way in which they are likely to be written. */
function secretsOf(objects: readonly JsonObject[]): string[] {
  const secrets = (objects as unknown as Secret[]).filter(({ kind }) => kind === 'Secret');
  const values = secrets.flatMap(({ data = {}, stringData = {} }) => [
    ...Object.values(stringData),
    ...Object.values(data).map((text) => Buffer.from(text, 'base64').toString()),
  ]);
  return values
    .flatMap((value) => [
      value,
      ...value.split('\n').filter((line) => line.length > 15 && !line.startsWith('-----')),
    ])
    .filter((value) => value.length >= SHORTEST)
    .flatMap((value) => [
      value,
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('hex'),
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
    ]);
}

const FORMS: readonly RegExp[] = [
  /[\w-]{8,}\.[\w-]{8,}\.[\w-]{6,}(?![\w.-]*\/)/,
  /PRIVATE KEY/,
  /AGE-SECRET-KEY/,
  /:\/\/[^\s/@:'"]*:[^\s/@$'"]+@/,
  /\b(AKIA|ASIA|AIza|ghp_|glpat-|xox[bp]-|sk_live_)\w+/,
  /\b(?:pass(?:word|wd)?|secret|token)["']?[ \t]*[:=][ \t]*["']?(?!spec\.|["'$<{&|\s]|true\b|false\b|-)[^\s"']{4,}/i,
];
const VARIABLE = /PASS|TOKEN|SECRET|PWD|CREDENTIAL/i;
/** The name of a cluster that etcd calls a token. */
const HARMLESS = 'ETCD_INITIAL_CLUSTER_TOKEN';
const WORD = /[A-Za-z0-9+/=_-]{20,}/g;
/** Bits for each character, of a word that no person made up. */
const RANDOM = 4.1;
/** Kind, namespace and name in the annotation of ownership. */
const OWNER = /\b(ScheduledBackup|RequestedBackupAction)\/[\w./-]+/g;
/** Public by nature: age recipients, digests of images. */
const PUBLIC = /^(age1[a-z0-9]+|[0-9a-f]{64})$/;

function findings(text: string): string[] {
  const found = FORMS.flatMap((form) => form.exec(text)?.[0] ?? []);
  for (const word of text.replaceAll(OWNER, '').match(WORD) ?? []) {
    const mixed = /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word);
    if (mixed && !PUBLIC.test(word) && entropy(word) > RANDOM) found.push(word);
  }
  return found;
}

function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
}

/** Literal values of environment variables whose names say that they should be references. */
function literalVariables(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(literalVariables);
  if (typeof value !== 'object' || value === null) return [];
  const { name, value: text } = value as { name?: unknown; value?: unknown };
  const literal =
    typeof name === 'string' && typeof text === 'string' && VARIABLE.test(name) && name !== HARMLESS;
  return [...(literal ? [name] : []), ...Object.values(value).flatMap(literalVariables)];
}

interface Case {
  name: string;
  list: string;
}

const examples = join(fixtures, '..', 'functions', 'expand-backups', 'examples');
const cases: Case[] = [
  ...goodCases().map((good) => ({ name: good.name, list: inputOf(good) })),
  ...globSync('*/', { cwd: examples }).map((folder) => {
    const files = globSync('**/*.yaml', { cwd: join(examples, folder), exclude: ['**/.*/**'] }).sort();
    const texts = files
      .filter((file) => !/kustomization\.yaml$/.test(file))
      .map((file) => readFileSync(join(examples, folder, file), 'utf8'));
    const documents = texts.flatMap(documentsOf);
    const config = documents.find((document) => /^kind: ExpandBackups$/m.test(document));
    return { name: `example ${folder}`, list: resourceList(documents, config) };
  }),
];

for (const { name, list } of cases) {
  test(name, () => {
    const { stdout, stderr, exitCode } = expand(list);
    assert.is(exitCode, 0, stderr);
    const objects = objectsOf(stdout);
    const forbidden = secretsOf(objects.filter((object) => !isGenerated(object)));
    const results = stdout.slice(stdout.indexOf('\nresults:'));
    const said = stdout.includes('\nresults:') ? stderr + results : stderr;
    const generated = objects.filter(isGenerated);
    const open = generated.filter(({ kind }) => kind !== 'Secret');
    for (const text of [said, ...generated.map((object) => emitYaml(object, 0))]) {
      for (const secret of forbidden) assert.not.ok(text.includes(secret), `a secret value in: ${text}`);
    }
    for (const object of open) {
      assert.equal(findings(emitYaml(object, 0)), []);
      assert.equal(literalVariables(object), []);
    }
    assert.equal(findings(said), []);
    for (const secret of generated.filter(({ kind }) => kind === 'Secret') as unknown as Secret[]) {
      assert.match(stderr, /in clear text, kept in a generated Secret/);
      for (const value of Object.values(secret.data ?? {})) {
        const text = Buffer.from(value, 'base64').toString();
        const written = list.includes(text) || list.includes(JSON.stringify(text).slice(1, -1));
        assert.ok(written, `${secret.metadata.name} holds something that the user did not write`);
        const others = generated.filter(
          (object) => object !== (secret as unknown) && object.kind !== 'Secret',
        );
        if (text.length >= 8) assert.not.ok(others.some((object) => JSON.stringify(object).includes(text)));
      }
    }
  });
}

test('the scanner finds what is planted', () => {
  const planted = [
    'token: eyJhbGciOiJIUzI1NiJ9.eyJsb2dpbiI6ImEifQ.c2lnbmF0dXJl',
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    'url: postgres://app:hunter22@db/app',
    'mysqldump --password=hunter22',
    'x: q8Zr1LmT0vXw7YbNc4KdPs9E',
  ];
  for (const text of planted) assert.ok(findings(text).length > 0, text);
  for (const text of ['--password=${PGPASSWORD}', 'image: postgres:16', '--password "$PGPASSWORD"'])
    assert.equal(findings(text), [], text);
  assert.equal(literalVariables({ env: [{ name: 'PGPASSWORD', value: 'x' }] }), ['PGPASSWORD']);
  const secret = {
    kind: 'Secret',
    metadata: { name: 'a' },
    data: { b: Buffer.from('hunter22').toString('base64') },
  };
  assert.ok(secretsOf([secret]).includes('hunter22'));
  assert.ok(cases.some(({ list }) => secretsOf(objectsOf(list)).length > 20));
});

test.run();
