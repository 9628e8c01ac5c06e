import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv, type AnySchemaObject } from 'ajv';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { type ForPeople, renderProcedureDocs } from '../../scripts/procedure-docs.ts';
import { formats } from '../../src/api/formats.ts';
import type { Operation, Procedure } from '../../src/api/procedure.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const ajv = () =>
  new Ajv({
    allErrors: true,
    strict: true,
    keywords: ['x-env', 'x-secret'],
    formats: { ...formats, regex: true },
  });

interface Case extends Omit<Procedure, 'validator' | 'parameters'>, ForPeople {
  folder: string;
  parameters: AnySchemaObject & Procedure['parameters'];
}

const all: Case[] = globSync('procedures/*/procedure.yaml', { cwd: root })
  .sort()
  .map((file) => {
    const folder = dirname(file);
    const script = (operation: Operation) => read(join(folder, `${operation}.sh`));
    return {
      folder,
      ...parse(read(file)),
      scripts: { backup: script('backup'), restore: script('restore') },
    } as Case;
  });

const parametersOf = (procedure: Case) => Object.entries(procedure.parameters.properties);
/** A script without its comments, in which an apostrophe or a dollar sign means nothing. */
const code = (script: string) => script.replace(/^\s*#.*$/gm, '');

const test = suite('procedures');

test('the procedures that users rely on are there', () => {
  const names = all.map(({ name }) => name);
  for (const name of ['etcd', 'files', 'mariadb', 'mongodb', 'mysql', 'postgres', 'redis', 'sqlite'])
    assert.ok(names.includes(name), name);
});

test('every procedure.yaml is valid', () => {
  const validate = ajv().compile(JSON.parse(read('schemas/Procedure.json')));
  for (const { folder, scripts: _, ...description } of all) {
    assert.ok(validate(description), `${folder}: ${JSON.stringify(validate.errors)}`);
    assert.is(folder, `procedures/${description.name}`);
  }
});

test('the schema refuses what the generator could not use', () => {
  const validate = ajv().compile(JSON.parse(read('schemas/Procedure.json')));
  const good = () => parse(read('procedures/postgres/procedure.yaml'));
  assert.ok(validate(good()));
  const mistakes: ((description: ReturnType<typeof good>) => void)[] = [
    (description) => delete description.parameters.properties.db['x-env'],
    (description) => delete description.parameters.properties.db.description,
    (description) => delete description.versions,
    (description) => delete description.atomicity,
    (description) => (description.parameters.properties.port.type = 'integer'),
    (description) => (description.parameters.additionalProperties = true),
    (description) => (description.volums = []),
  ];
  for (const spoil of mistakes) {
    const description = good();
    spoil(description);
    assert.not.ok(validate(description), String(spoil));
  }
});

test('what a procedure.yaml refers to exists', () => {
  for (const {
    name,
    parameters,
    endpoint,
    volumes = [],
    versions = [],
    defaultVersion,
    aliases = {},
  } of all) {
    const known = Object.keys(parameters.properties);
    const used = [
      endpoint?.host,
      endpoint?.port,
      ...volumes.flatMap(({ claim, subPath }) => [claim, subPath]),
    ];
    for (const reference of [...used, ...(parameters.required ?? [])]) {
      assert.ok(reference === undefined || known.includes(reference), `${name}: no parameter ${reference}`);
    }
    const tags = [defaultVersion, ...Object.values(aliases).map(({ version }) => version)];
    for (const tag of tags)
      assert.ok(tag === undefined || versions.includes(tag), `${name}: no version ${tag}`);
  }
});

test('names and aliases are unique, and those of the original are there', () => {
  const names = all.flatMap(({ name, aliases = {} }) => [name, ...Object.keys(aliases)]);
  assert.equal(names.length, new Set(names).size);
  for (const name of ['postgres', 'pg13', 'pg14', 'pg15', 'mysql-dump', 'tar'])
    assert.ok(names.includes(name), name);
});

test('defaults and examples are values that the parameters accept', () => {
  for (const procedure of all) {
    for (const [name, { default: value, examples = [], ...schema }] of parametersOf(procedure)) {
      const validate = ajv().compile(schema as AnySchemaObject);
      for (const candidate of [value, ...examples]) {
        assert.ok(candidate === undefined || validate(candidate), `${procedure.name}.${name}: ${candidate}`);
      }
      assert.not.ok(
        schema['x-secret'] && value !== undefined,
        `${procedure.name}.${name}: a secret with a default`,
      );
    }
  }
});

test('parameters are documented, and each has an environment variable of its own', () => {
  for (const procedure of all) {
    const variables = parametersOf(procedure).map(([, parameter]) => parameter['x-env']);
    assert.is(variables.length, new Set(variables).size, procedure.name);
    for (const [name, { description }] of parametersOf(procedure)) {
      assert.match(description, /^[A-Z].*\.$/s, `${procedure.name}.${name}: not a sentence`);
    }
    for (const name of ['password', 'uri']) {
      const parameter = procedure.parameters.properties[name];
      assert.ok(parameter === undefined || parameter['x-secret'], `${procedure.name}.${name} is a secret`);
    }
  }
});

test('the docs name every parameter and what a failed restore leaves behind', () => {
  const docs = renderProcedureDocs(all);
  for (const procedure of all) {
    assert.ok(docs.includes(procedure.atomicity.trim()), procedure.name);
    for (const [name] of parametersOf(procedure))
      assert.ok(docs.includes(`| \`${name}\``), `${procedure.name}.${name}`);
  }
});

test.run();

// --- the scripts -------------------------------------------------------------------------------------------------

const scripts = suite('procedures: scripts');
const cases = all.flatMap((procedure) =>
  (['backup', 'restore'] as const).map((operation) => ({
    procedure,
    operation,
    what: `${procedure.folder}/${operation}.sh`,
    text: procedure.scripts[operation],
  })),
);

/** Set by Kubernetes, by the shell or for the tool by a script itself. */
const ambient = ['BM_OPERATION', 'TMPDIR', 'HOME', 'PATH'];

scripts('are POSIX shell, and stop at the first failure', () => {
  for (const { what, text } of cases) {
    assert.match(text, /^#!\/bin\/sh\n#/, `${what}: say what it does below the first line`);
    assert.match(text, /\nset -e\numask 077\n/, what);
    const parsed = spawnSync('/bin/sh', ['-n', join(root, what)], { encoding: 'utf8' });
    assert.is(parsed.status, 0, `${what}: ${parsed.stderr}`);
  }
});

scripts('hold nothing that GitOps tools substitute', () => {
  // Flux rewrites ${...} in every manifest of a Kustomization with postBuild.substitute, and $${...} with it.
  for (const { what, text } of cases) assert.not.match(text, /\$\{|\$\$/, what);
});

scripts('never evaluate text', () => {
  for (const { what, text } of cases) assert.not.match(code(text), /(^|[;&|(\s])eval\s/m, what);
});

scripts('read only variables that procedure.yaml declares', () => {
  for (const { procedure, what, text } of cases) {
    const declared = new Set([
      ...ambient,
      ...parametersOf(procedure).map(([, parameter]) => parameter['x-env']),
    ]);
    for (const [, name = ''] of text.matchAll(/\bexport ([A-Z]\w*)=/g)) declared.add(name);
    for (const [, name = ''] of code(text).matchAll(/\$([A-Z][A-Z0-9_]*)/g)) {
      assert.ok(declared.has(name), `${what}: ${name} is not in procedure.yaml`);
    }
  }
});

scripts('use every parameter, or leave it to the tool whose own name it has', () => {
  /** Read by libpq, the clients of MySQL, redis-cli and etcdctl themselves. */
  const tools = /^(PGPORT|PGUSER|PGPASSWORD|PGSSLMODE|PGSSLROOTCERT|MYSQL_PWD|REDISCLI_AUTH|ETCDCTL_\w+)$/;
  for (const procedure of all) {
    const text = procedure.scripts.backup + procedure.scripts.restore;
    for (const [name, parameter] of parametersOf(procedure)) {
      const variable = parameter['x-env'];
      // Where a volume is mounted matters to the pod, not to the script.
      const mounted = procedure.volumes?.some(({ claim, subPath }) => [claim, subPath].includes(name));
      const used = new RegExp(`\\$${variable}\\b`).test(text);
      assert.ok(used || tools.test(variable) || mounted, `${procedure.name}.${name}`);
    }
  }
});

scripts('never put a secret on a command line', () => {
  /** Built into the shell, or a function: none of these is a process with arguments. */
  const harmless = /^\s*(if |elif )?(\[|case|printf|secret) /;
  for (const { procedure, what, text } of cases) {
    const secrets = parametersOf(procedure).filter(([, parameter]) => parameter['x-secret']);
    for (const line of code(text).split('\n')) {
      for (const [, parameter] of secrets) {
        if (!new RegExp(`\\$${parameter['x-env']}\\b`).test(line)) continue;
        assert.match(line, harmless, `${what}: ${line.trim()}`);
      }
    }
  }
});

scripts('clean up what they put into scratch', () => {
  for (const { what, text } of cases) {
    if (!/mktemp/.test(text)) continue;
    assert.match(text, /^trap .* EXIT$/m, what);
    for (const signal of ['HUP', 'INT', 'TERM'])
      assert.match(text, new RegExp(`^trap 'exit \\d+' ${signal}$`, 'm'), what);
  }
});

scripts('tell what to do when they give up', () => {
  for (const { what, text } of cases) {
    assert.match(
      text,
      /^fail\(\) \{\n {2}printf '[a-z]+ (backup|restore): %s\\n' "\$\*" >&2\n {2}exit 1\n\}$/m,
      what,
    );
    assert.ok(text.match(/\bfail ['"]/g), what);
  }
});

scripts.run();
