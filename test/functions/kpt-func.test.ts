/** The adapter for the SDK `kpt-functions`, run by the SDK's own TestRunner. */
import { isDeepStrictEqual } from 'node:util';
import type { Configs, KubernetesObject } from 'kpt-functions';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expandBackups } from '../../functions/kpt-func/expand-backups.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import {
  documentsOf,
  expand,
  type GoodCase,
  goodCases,
  inputOf,
  isGenerated,
  objectsOf,
  resourceList,
} from '../resource-lists.ts';

const test = suite('kpt-functions adapter');

// The SDK redirects the console when it is imported, which must not hide what later tests print.
const before = globalThis.console;
const sdk = await import('kpt-functions');
globalThis.console = before;

const scheduled = caseOf('files-volume');
const inFiles = caseOf('kpt-paths');

/** The part of Jasmine that the SDK's TestRunner calls. */
const matchers = {
  expect: (actual: unknown) => ({
    toEqual: (expected: unknown) => {
      if (!isDeepStrictEqual(actual, expected)) assert.equal(actual, expected);
    },
  }),
  expectAsync: (promise: Promise<unknown>) => ({ toBeResolved: () => promise }),
};

async function assertRun(input: Configs, expected: Configs | 'unchanged'): Promise<void> {
  Object.assign(globalThis, matchers);
  try {
    await new sdk.TestRunner(expandBackups).assert(input, expected);
  } finally {
    for (const name of Object.keys(matchers)) Reflect.deleteProperty(globalThis, name);
  }
}

function configs(objects: readonly JsonObject[], functionConfig?: JsonObject): Configs {
  return new sdk.Configs(
    objects as unknown as KubernetesObject[],
    functionConfig as unknown as KubernetesObject,
  );
}

const DEPLOYMENT = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n';

test('expands sources as the program does, and leaves other objects alone', async () => {
  for (const fixture of goodCases().filter(({ config }) => config === undefined)) {
    const input = resourceList([...documentsOf(fixture.input), DEPLOYMENT]);
    const given = objectsOf(input);
    const expanded = objectsOf(expand(input).stdout);
    await assertRun(configs(given), withResults(expanded, await ran(given)));
  }
});

test('renders a second time without a change', async () => {
  const objects = (await ran(objectsOf(inputOf(scheduled)))).getAll() as unknown as JsonObject[];
  assert.ok(objects.some(isGenerated));
  await assertRun(configs(objects), withResults(objects, await ran(objects)));
});

test('removes what a source that is gone has left in files', async () => {
  const given = objectsOf(inputOf(inFiles));
  const objects = (await ran(given)).getAll() as unknown as JsonObject[];
  const left = objects.filter(({ kind }) => kind !== 'ScheduledBackup' && kind !== 'RequestedBackupAction');
  assert.ok(left.some(isGenerated));
  assert.not((await ran(left)).getAll().some((object) => isGenerated(object as unknown as JsonObject)));
});

test('passes the function configuration on', async () => {
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { serviceAccount: 'true' },
  };
  const run = await ran(objectsOf(inputOf(scheduled)), config);
  assert.ok(run.getAll().some(({ kind }) => kind === 'ServiceAccount'));
});

test('an error is a result, and nothing is changed', async () => {
  const wrong = {
    apiVersion: 'riotkit.org/v1alpha1',
    kind: 'ScheduledBackup',
    metadata: { name: 'x' },
    spec: { cronjob: {} },
  };
  const run = await ran([wrong]);
  assert.equal(run.getAll() as unknown, [wrong]);
  const [result] = run.getResults().filter(({ field }) => field?.path === 'spec.cronjob');
  assert.is(result?.severity, 'error');
  assert.is(result?.field?.suggestedValue, 'spec.cronJob');
  assert.equal(result?.resourceRef, {
    apiVersion: wrong.apiVersion,
    kind: wrong.kind,
    name: 'x',
    namespace: '',
  });
});

test('timestamps of other objects stay what the SDK made of them', async () => {
  const date = new Date('2024-01-01');
  const other = {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'x' },
    at: date,
  } as unknown as JsonObject;
  const run = await ran([other, ...objectsOf(inputOf(scheduled))]);
  assert.is(
    run.getAll().find(({ kind }) => kind === 'Thing'),
    other as unknown as KubernetesObject,
  );
});

async function ran(objects: readonly JsonObject[], functionConfig?: JsonObject): Promise<Configs> {
  const run = configs(objects, functionConfig);
  await expandBackups(run);
  return run;
}

/** Expected output: these objects, with the results of a run, which TestRunner compares as well. */
function withResults(objects: readonly JsonObject[], run: Configs): Configs {
  return new sdk.Configs(objects as unknown as KubernetesObject[], undefined, run.getResults());
}

function caseOf(name: string): GoodCase {
  const found = goodCases().find((fixture) => fixture.name === name);
  if (!found) throw new Error(`fixtures/good has no ${name}`);
  return found;
}

test.run();
