/** Rendering never runs code from the input, and the bundle that people run could not even if it wanted to. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lazyYaml } from '../../scripts/lazy-yaml.ts';
import { emitYaml } from '../../src/krm/emit.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import { expand, goodCases, inputOf } from '../resource-lists.ts';

const root = join(import.meta.dirname, '..', '..');

interface Context {
  folder: string;
  file: string;
  code: string;
  metafile: Metafile;
}

const test = suite<Context>('no code from the input');

test.before(async (context) => {
  const result = await build({
    entryPoints: [join(root, 'functions/expand-backups/main.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    metafile: true,
    outfile: 'expand-backups.cjs',
    plugins: [lazyYaml(root)],
    logLevel: 'warning',
  });
  context.code = result.outputFiles[0]?.text ?? '';
  context.metafile = result.metafile;
  context.folder = mkdtempSync(join(tmpdir(), 'backup-maker-'));
  context.file = join(context.folder, 'expand-backups.cjs');
  writeFileSync(context.file, context.code);
});

test.after(({ folder }) => {
  rmSync(folder, { recursive: true });
});

/** No files, no processes, no workers; no code made from strings; no way to another object's prototype. */
const LOCKED = ['--permission', '--disallow-code-generation-from-strings', '--disable-proto=throw'];

function run(file: string, input: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...LOCKED, file], { input, encoding: 'utf8', maxBuffer: 2 ** 26 });
}

test('the bundle uses nothing but standard input and output', ({ metafile, code }) => {
  const modules = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const allowed = ['fs', 'tty', 'util', 'path', 'buffer', 'process', 'vm'].flatMap((name) => [
    name,
    `node:${name}`,
  ]);
  assert.equal(
    modules.filter((path) => !allowed.includes(path)),
    [],
  );
  const dynamic =
    /\beval\s*\(|\bFunction\s*\(|\bimport\s*\(|child_process|worker_threads|\bfetch\s*\(|\bvm\b[^\n]*/g;
  // scripts/lazy-yaml.ts: the one thing that is ever compiled is the `yaml` package, a constant of the bundle.
  assert.equal(
    code.match(dynamic)?.map((line) => line.replace(/module\d/, 'module')),
    ['vm").compileFunction(source, ["module"], { filename: "yaml.js" })(module);'],
  );
  assert.match(code, /\b(const|var) source = ['"`]/);
});

test('it works with everything else forbidden', ({ file }) => {
  // Each is a process of its own.
  for (const good of goodCases().filter((_, index) => index % 3 === 0)) {
    const input = inputOf(good);
    const { status, stdout, stderr } = run(file, input);
    const expected = expand(input);
    assert.is(status, 0, stderr);
    assert.is(stdout, expected.stdout, good.name);
    assert.is(stderr, expected.stderr);
  }
});

test('hostile names, templates and values are text, or an error', ({ file }) => {
  const scripts = [
    '{{ .constructor.constructor("return process")().exit(3) }}',
    '{{ .Params.__proto__ }}{{ .Params.constructor }}{{ .__proto__.polluted }}',
    '{{ .Params.x }} ${process.exit(3)} <% process.exit(3) %> {{ "${process.exit(3)}" }} {{ `a` }}',
    '{{ .Params.x | constructor }}{{ .Params.x | __proto__ }}',
  ];
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'get x',
    'then',
  ];
  const inputs = scripts.flatMap((script) => names.map((name) => hostileList(script, name)));
  // One process for all of them: what one does to a prototype, the next ones would show.
  const before = Object.getOwnPropertyNames(Object.prototype).sort();
  for (const input of inputs) {
    const { exitCode, stderr } = expand(input);
    assert.ok(exitCode <= 1, stderr);
  }
  assert.equal(Object.getOwnPropertyNames(Object.prototype).sort(), before);
  for (const input of inputs.slice(0, 3)) assert.ok((run(file, input).status ?? 9) <= 1);
});

function hostileList(script: string, name: string): string {
  const object = (content: JsonObject): JsonObject => {
    const value = { ...content };
    Object.defineProperty(value, name, { value: { polluted: 'yes', x: 'y' }, enumerable: true });
    return value;
  };
  const items = [
    {
      apiVersion: 'riotkit.org/v1alpha1',
      kind: 'ClusterBackupProcedureTemplate',
      metadata: { name: 'own' },
      spec: { image: 'a', backup: script, restore: 'true' },
    },
    {
      apiVersion: 'riotkit.org/v1alpha1',
      kind: 'ScheduledBackup',
      metadata: { name: 'app', namespace: 'shop', annotations: object({}) },
      spec: {
        collectionId: 'app',
        templateRef: { kind: 'ClusterBackupProcedureTemplate', name: 'own' },
        vars: object({ Params: object({ x: 'x' }), HelmValues: { env: object({}) } }),
        gpgKeySecretRef: { secretName: 'keys' },
        accessKeySecretRef: { name: 'access' },
        repository: { url: 'https://backups.example.org' },
        podTemplate: object({ nodeSelector: object({}), labels: object({}) }),
      },
    },
  ];
  return emitYaml({ apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items } as JsonObject, 0);
}

test.run();
