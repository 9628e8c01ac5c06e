/** Manifests of somebody who may write into the repository, and wants the machine that renders rather than the cluster. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitYaml } from '../../src/krm/emit.ts';
import type { JsonObject, JsonValue } from '../../src/krm/json.ts';
import { cpuMsSince, cpuTime } from '../cpu-time.ts';
import { expand } from '../resource-lists.ts';

const test = suite('hostile manifests');

interface Attack {
  script?: string;
  params?: JsonObject;
  annotations?: JsonObject;
  spec?: JsonObject;
  name?: string;
  /** In place of the vars, as text. */
  vars?: JsonValue;
}

function list({
  script = 'true',
  params = { x: 'y' },
  annotations = {},
  spec = {},
  name = 'app',
  vars,
}: Attack): string {
  const items: JsonObject[] = [
    {
      apiVersion: 'riotkit.org/v1alpha1',
      kind: 'ClusterBackupProcedureTemplate',
      metadata: { name: 'own' },
      spec: { image: 'example.org/own:1', backup: script, restore: 'true' },
    },
    {
      apiVersion: 'riotkit.org/v1alpha1',
      kind: 'ScheduledBackup',
      metadata: { name, namespace: 'shop', annotations },
      spec: {
        collectionId: 'app',
        cronJob: { enabled: true },
        templateRef: { kind: 'ClusterBackupProcedureTemplate', name: 'own' },
        vars: vars ?? { Params: params },
        gpgKeySecretRef: { secretName: 'keys' },
        accessKeySecretRef: { name: 'access' },
        repository: { url: 'https://backups.example.org' },
        ...spec,
      },
    },
  ];
  return emitYaml({ apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items }, 0);
}

function run(attack: Attack) {
  const started = cpuTime();
  const result = expand(list(attack));
  return { ...result, milliseconds: cpuMsSince(started) };
}

/** An object whose own members have names that usually are not own. */
function object(...entries: [string, JsonValue][]): JsonObject {
  const made: JsonObject = {};
  for (const [key, value] of entries)
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

test('what is honest is rendered, so that the refusals below mean something', () => {
  const { exitCode, stdout } = run({ script: 'echo {{ .Params.x }}' });
  assert.is(exitCode, 0);
  assert.match(stdout, 'echo y');
});

test('a few kilobytes do not become hundreds of megabytes', () => {
  const { exitCode, stderr, stdout, milliseconds } = run({
    script: '{{ .Params.x }}'.repeat(5000),
    params: { x: 'y'.repeat(200_000) },
  });
  assert.is(exitCode, 1);
  assert.match(stderr, 'larger than 1 MiB');
  assert.ok(stdout.length < 2e6);
  assert.ok(milliseconds < 2000, `${milliseconds}`);
});

test('aliases that multiply are refused, as YAML and as a string of it', () => {
  const levels = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (let level = 1; level < 9; level++) {
    const [before = '', here = ''] = ['abcdefghi'[level - 1], 'abcdefghi'[level]];
    levels.push(`${here}: &${here} [${Array(10).fill(`*${before}`).join(',')}]`);
  }
  const text = run({ vars: `Params:\n${levels.map((line) => `  ${line}\n`).join('')}` });
  const own = list({ params: { bomb: 'here' } }).replace(/^( *)bomb: here$/m, (_, indent) =>
    levels.map((line) => `${indent}${line}`).join('\n'),
  );
  for (const { exitCode, stderr } of [text, expand(own)]) {
    assert.is(exitCode, 1);
    assert.match(stderr, /too many aliases|not valid YAML/);
  }
});

test('members that lead to a prototype are members, and lead nowhere', () => {
  const polluting = object(
    ['__proto__', { polluted: 'yes' }],
    ['constructor', { prototype: { polluted: 'yes' } }],
    ['x', 'y'],
  );
  const rendered = run({
    script: 'echo {{ .Params.x }} {{ .Params.__proto__.polluted }}',
    params: polluting,
  });
  assert.is(rendered.exitCode, 0, rendered.stderr);
  assert.match(rendered.stdout, 'echo y yes');
  for (const script of [
    '{{ .Params.constructor.name }}',
    '{{ .Params.toString }}',
    '{{ .constructor.constructor }}',
    '{{ .Params.x.length }}',
    '{{ .__proto__.x }}',
  ])
    assert.is(run({ script }).exitCode, 1, script);
  assert.is(({} as { polluted?: unknown }).polluted, undefined);
  assert.is(run({ spec: object(['__proto__', { collectionId: 'other' }]) }).exitCode, 1);
});

test('no file of what is generated lies outside the package', () => {
  for (const path of ['../../../etc/cron.d/x.yaml', '/etc/cron.d/x.yaml', 'a/../../../b/x.yaml', '..']) {
    const annotations = {
      'internal.config.kubernetes.io/path': path,
      'internal.config.kubernetes.io/index': '0',
    };
    const { stdout } = run({ annotations });
    const paths = [...stdout.matchAll(/kubernetes\.io\/path: '?([^'\n]*)'?$/gm)].map(([, found]) => found);
    assert.ok(paths.length > 1, stdout);
    // The first is the source's own, which leaves as it came.
    for (const generated of paths.slice(1)) assert.not.match(generated ?? '', /^\/|(^|\/)\.\.(\/|$)/, path);
  }
});

test('names and values do not get out of where they are put', () => {
  for (const name of ['../x', 'a/b', 'a\nkind: Secret', 'A', '$(id)', 'a'.repeat(300)])
    assert.is(run({ name }).exitCode, 1, name);
  const breakout = 'y\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: stolen}\n';
  const { stdout, exitCode } = run({ script: 'echo {{ .Params.x }}', params: { x: breakout } });
  assert.is(exitCode, 0);
  assert.not.match(stdout, /^(kind: Secret|---)/m);
});

test('what was run in a shell of the building machine by the original is refused, not run', () => {
  for (const value of ['$(touch /tmp/evil)', '${HOME}', '`id`'])
    assert.is(
      run({ vars: { Params: { x: 'y' }, HelmValues: { env: { A: value } } } }).exitCode,
      value === '`id`' ? 0 : 1,
    );
});

test.run();
