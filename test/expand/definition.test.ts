/** Definitions of the generator: what is made of them is what the function makes of the ScheduledBackup that says the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasError, type Problem } from '../../src/api/problem.ts';
import { OPERATIONS, type Operation } from '../../src/api/procedure.ts';
import { readDefinition, renderDefinition } from '../../src/expand/definition.ts';
import { equivalentOf } from '../../src/expand/definition-equivalent.ts';
import type { Definition, DefinitionTarget } from '../../src/expand/definition-target.ts';
import { emitYaml } from '../../src/krm/emit.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import { parseKubernetesYaml } from '../../src/krm/yaml.ts';
import { documentsOf, expandText, fixtures, generate, isGenerated } from '../resource-lists.ts';

const test = suite('definition');
const folder = join(fixtures, 'definitions');
const fixture = (file: string) => readFileSync(join(folder, file), 'utf8');

function definitionOf(text: string): Definition {
  const { definition, problems } = readDefinition(text);
  assert.equal(problems, []);
  assert.ok(definition);
  return definition;
}

function targetOf(template: string, options: Partial<DefinitionTarget> = {}): DefinitionTarget {
  const key = { bytes: Buffer.from('age1key\n') };
  return {
    operation: 'backup',
    form: 'kubernetes',
    template: { name: template },
    key,
    name: 'app',
    schedule: '16 1 * * *',
    ...options,
  };
}

function renderedOf(
  text: string,
  target: DefinitionTarget,
): { text: string; secrets: ReadonlyMap<string, string>; problems: Problem[] } {
  const { rendered, problems } = renderDefinition(definitionOf(text), target);
  assert.ok(rendered, JSON.stringify(problems));
  return rendered.form === 'script'
    ? { text: rendered.script, secrets: rendered.secrets, problems }
    : { text: rendered.manifests, secrets: new Map(), problems };
}

const nameOf = (object: JsonObject | undefined) => (object?.metadata as JsonObject | undefined)?.name;
const objectsOf = (manifests: string) =>
  documentsOf(manifests).map((document) => parseKubernetesYaml(document) as JsonObject);

const own = (operation: Operation) => ({
  script: fixture(`templates/${operation}/directory.tmpl`),
  file: 'directory.tmpl',
});
const SAME: readonly [what: string, file: string, target: (operation: Operation) => DefinitionTarget][] = [
  ['postgres', 'postgres.yaml', (operation) => targetOf('postgres', { operation, namespace: 'db' })],
  ['mysql-dump', 'mysql-dump.yaml', (operation) => targetOf('mysql-dump', { operation, image: 'mysql:8.0' })],
  [
    'tar',
    'tar-volume.yaml',
    (operation) => targetOf('tar', { operation, key: 'none', targetVersion: '7', runId: 'b' }),
  ],
  [
    'own template',
    'own-template.yaml',
    (operation) => targetOf('directory', { operation, template: { name: 'directory', own: own(operation) } }),
  ],
  [
    'sealed key',
    'postgres-sealed.yaml',
    (operation) =>
      targetOf('pg16', {
        operation,
        namespace: 'backups',
        key: { sealed: parseKubernetesYaml(fixture('sealed-key.yaml')) as JsonObject },
      }),
  ],
];

for (const [what, file, makeTarget] of SAME) {
  for (const operation of OPERATIONS) {
    test(`the function renders the same: ${what}, ${operation}`, () => {
      const target = makeTarget(operation);
      const { backup, action, template, provided } = equivalentOf(definitionOf(fixture(file)), target);
      // What the function is to generate cannot be there before.
      const others = provided.filter((object) => nameOf(object) !== `${nameOf(backup)}-${operation}`);
      const sources = [...others, template, backup, action].flatMap((object) =>
        object ? [`---\n${emitYaml(object, 0)}`] : [],
      );
      const byFunction = generate(sources.join('')).filter((object) => componentOf(object) === operation);
      const own = objectsOf(renderedOf(fixture(file), target).text);
      // The key comes first: the function leaves it to the user.
      const keys = target.key === 'none' ? 0 : 1;
      assert.equal(own.slice(keys), byFunction.map(withoutMarks));
      assert.ok(own.slice(keys).some(({ kind }) => kind === (operation === 'backup' ? 'CronJob' : 'Job')));
    });
  }
}

interface Labelled {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

function componentOf(object: JsonObject): string | undefined {
  return (object as unknown as Labelled).metadata.labels?.['app.kubernetes.io/component'];
}

/** Without what only says that the function owns the object, and where its file is. */
function withoutMarks(object: JsonObject): JsonObject {
  const copy = structuredClone(object);
  const { metadata } = copy as unknown as Labelled;
  const kept = Object.entries(metadata.annotations ?? {}).filter(([key]) => /substitute$/.test(key));
  if (kept.length > 0) metadata.annotations = Object.fromEntries(kept);
  else delete metadata.annotations;
  return copy;
}

test('what is rendered does not count as generated by the function, which would remove it', () => {
  const { text } = renderedOf(fixture('postgres.yaml'), targetOf('pg16'));
  assert.not.ok(objectsOf(text).some(isGenerated));
  const outcome = expandText(text);
  assert.is(outcome.exitCode, 0);
  assert.match(outcome.stdout, /kind: CronJob/);
});

test('backup and restore can be applied beside each other', () => {
  const names = OPERATIONS.flatMap((operation) =>
    objectsOf(renderedOf(fixture('postgres.yaml'), targetOf('pg16', { operation })).text).map(
      (object) => `${object.kind} ${nameOf(object)}`,
    ),
  );
  assert.is(new Set(names).size, names.length, names.join(', '));
});

test('a key is in its own Secret, and a ConfigMap has no secret', () => {
  const objects = objectsOf(
    renderedOf(fixture('postgres.yaml'), targetOf('pg16', { operation: 'restore' })).text,
  );
  const [key] = objects;
  assert.equal(key?.data, { 'gpg-key': Buffer.from('age1key\n').toString('base64') });
  assert.is(nameOf(key), 'app1-restore-key', 'HelmValues.name goes before the name given');
  const rest = JSON.stringify(objects.filter(({ kind }) => kind !== 'Secret'));
  assert.not.match(rest, /canary|eyJ/);
});

const SCRIPT = (params: string, repository = 'token: secret-token') =>
  `Params:\n${params}Repository:\n  url: https://backups.example.org\n  collectionId: app\n  ${repository}\n`;

test('the same value means the same in the script as in the pod', () => {
  const text = `${SCRIPT('  hostname: "${HOST}"\n  db: "a$$ b\'e\'"\n')}HelmValues: {env: {HOST: db}}\n`;
  const { text: script, secrets } = renderedOf(text, targetOf('pg16', { form: 'script' }));
  assert.match(script, /^ {2}export PGHOST="\$\{HOST\}"$/m);
  assert.ok(script.includes(`  export PGDATABASE='a$$ b'\\''e'\\'''\n`), script);
  assert.equal([...secrets.keys()], ['BM_AUTH_TOKEN', 'HOST']);
});

test('a value that is a variable is taken from the environment of the script', () => {
  const text = SCRIPT('  hostname: db\n  password: ${DB_PASSWORD}\n', 'token: $TOKEN');
  const { text: script, secrets, problems } = renderedOf(text, targetOf('pg16', { form: 'script' }));
  assert.is(secrets.size, 0);
  assert.match(script, /^ {2}export PGPASSWORD="\$\{DB_PASSWORD\}"$/m);
  assert.match(script, /^ {2}export BM_AUTH_TOKEN="\$\{TOKEN-\}"$/m);
  assert.match(script, /^# {3}DB_PASSWORD$/m);
  assert.equal(problems, []);
});

test('on Kubernetes a variable must be one of the pod', () => {
  const text = SCRIPT('  claim: data\n', 'token: $TOKEN');
  const { problems } = renderDefinition(definitionOf(text), targetOf('tar'));
  assert.match(
    problems[0]?.message ?? '',
    /^refers to \$TOKEN, which is not set in the pod: set it in HelmValues\.env/,
  );
  const { text: manifests } = renderedOf(`${text}HelmValues: {env: {TOKEN: x}}\n`, targetOf('tar'));
  assert.match(manifests, new RegExp(`BM_AUTH_TOKEN: ${Buffer.from('x').toString('base64')}`));
});

test('a parameter that is not given is not taken from the environment, unless it is a secret', () => {
  const { text: script } = renderedOf(SCRIPT('  hostname: db\n'), targetOf('pg16', { form: 'script' }));
  const unset = script.match(/^ {2}unset (.*)$/m)?.[1]?.split(' ') ?? [];
  assert.ok(unset.includes('PGDATABASE'));
  assert.not.ok(unset.includes('PGPASSWORD'));
});

test('the key of a template is where the script finds it, and its own text stays as it is', () => {
  const script = '#!/bin/bash -e\nmake --key {{ .Repository.encryptionKeyPath }} "$1" \'{{ "{{" }}\'';
  const { text } = renderedOf(
    SCRIPT('  x: y\n'),
    targetOf('mine', { form: 'script', template: { name: 'mine', own: { script, file: 'f' } } }),
  );
  assert.match(text, /^#!\/bin\/bash -e\n/);
  assert.match(text, /\nmake --key \.\/gpg-key "\$1" '\{\{'\n$/);
});

test('values that the build machine would have run are refused in every form', () => {
  const text = `${SCRIPT('  path: /x\n')}HelmValues:\n  env:\n    A: $(id)\n`;
  for (const form of ['script', 'kubernetes'] as const) {
    const { rendered, problems } = renderDefinition(definitionOf(text), targetOf('tar', { form }));
    assert.is(rendered, undefined);
    const [problem] = problems.filter(({ code }) => code === 'code-in-input');
    assert.is(problem?.path, 'HelmValues.env.A');
    assert.match(
      problem?.message ?? '',
      form === 'script'
        ? /: write the value itself, or leave it out and set A where the script is started$/
        : /: write the value itself, or leave it out and give a SealedSecret with the entry HelmValues\.env\.A$/,
    );
  }
});

test('volumes are spoken of where they are none, or should be some', () => {
  const scripted = renderedOf(SCRIPT('  claim: data\n'), targetOf('tar', { form: 'script' })).problems;
  assert.ok(scripted.some(({ code, path }) => code === 'ignored-field' && path === 'Params.claim'));
  const mounted = renderedOf(SCRIPT('  path: /srv\n'), targetOf('tar')).problems;
  assert.ok(mounted.some(({ code, path }) => code === 'suspicious' && path === 'Params.claim'));
});

test('never speaks of fields that a definition does not have', () => {
  for (const form of ['script', 'kubernetes'] as const) {
    for (const operation of OPERATIONS) {
      for (const [template, text] of [
        ['pg16', 'Params: {}\nRepository: {}\n'],
        [
          'tar',
          'Params: {paht: x, path: 1}\nRepository: {token: x, urll: y, collectionId: [1]}\nHelmValues: {foo: 1, env: {A: "${B}"}, image: ":"}\n',
        ],
        ['nothing', 'Params: {}\n'],
      ] as const) {
        const { problems } = renderDefinition(
          definitionOf(text),
          targetOf(template, { form, operation, schedule: '* *', name: 'X' }),
        );
        assert.ok(hasError(problems));
        for (const { path = '', message, proposal = '' } of problems)
          assert.not.match(`${path} ${message} ${proposal}`, /spec\.|metadata\.|SecretRef|ScheduledBackup/);
      }
    }
  }
});

test.run();
