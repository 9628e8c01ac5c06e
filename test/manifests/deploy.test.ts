/**
 * What deploy/ comes to, against the schemas and types of Kubernetes and our own promises. It is read as
 * test/e2e/gitops/deploy.test.ts found kustomize to build it, so that this needs no kustomize.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { DEFAULT_CLIENT_IMAGE } from '../../src/expand/procedure.ts';
import { parseDuration } from '../../src/server/collections/durations.ts';
import { FilesystemProvider } from '../../src/server/configuration/filesystem.ts';

const test = suite('manifests: deploy');
const root = join(import.meta.dirname, '../..');

// biome-ignore lint/suspicious/noExplicitAny: assertions fail on what is not there
type Manifest = Record<string, any>;

function deployed(name: string): Manifest[] {
  const text = readFileSync(join(root, 'test/e2e/gitops/expected', `${name}.yaml`), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS());
}

const base = deployed('base');
const replicated = deployed('postgres-s3');
const monitoring = deployed('monitoring');
const OPERATOR = 'monitoring.coreos.com/v1';

const only = (objects: readonly Manifest[], kind: string): Manifest => {
  const found = objects.filter((object) => object.kind === kind);
  assert.is(found.length, 1, `${found.length} of ${kind}`);
  return found[0] as Manifest;
};
const server = (objects: readonly Manifest[]): Manifest =>
  only(objects, objects === base ? 'StatefulSet' : 'Deployment');
const podOf = (objects: readonly Manifest[]): Manifest => server(objects).spec.template.spec;
const variable = (objects: readonly Manifest[], name: string): Manifest | undefined =>
  podOf(objects).containers[0].env.find((each: Manifest) => each.name === name);

const moduleOf = ({ apiVersion, kind }: Manifest) => `kubernetes-models/${apiVersion}/${kind}`;
const ofKubernetes = [...base, ...replicated, ...monitoring].filter(
  ({ apiVersion }) => apiVersion !== OPERATOR,
);

test('every object passes the schema of its kind', async () => {
  for (const object of ofKubernetes) {
    const { [object.kind]: Model } = (await import(moduleOf(object))) as Record<
      string,
      new (
        data: Manifest,
      ) => { validate(): void }
    >;
    if (!Model) throw new Error(`kubernetes-models has no ${object.kind}`);
    new Model(object).validate();
  }
});

test('every object fits the types of its kind, which also know every field', () => {
  assert.is(compile(ofKubernetes), '');
  const spoiled = structuredClone(server(base));
  spoiled.spec.template.spec.enableServiceLink = false;
  assert.match(compile([spoiled]), /enableServiceLink/);
});

/** What the compiler says to the objects, written as `({...}) satisfies I<Kind>`. */
function compile(objects: readonly Manifest[]): string {
  // Inside the project, so that the compiler finds the package.
  const folder = mkdtempSync(join(root, 'node_modules/.deploy-'));
  try {
    const imports = new Set(objects.map((each) => `import type { I${each.kind} } from '${moduleOf(each)}';`));
    const checks = objects.map((each) => `(${JSON.stringify(each)}) satisfies I${each.kind};`);
    const file = join(folder, 'manifests.ts');
    writeFileSync(file, [...imports, ...checks, ''].join('\n'));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
    const { stdout, error } = spawnSync(process.execPath, [compiler, ...options, '--ignoreConfig', file], {
      encoding: 'utf8',
      cwd: folder,
    });
    if (error) throw error;
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('no Secret is in the manifests, no namespace, and no value of a variable that should be secret', () => {
  for (const object of [...base, ...replicated, ...monitoring]) {
    assert.is.not(object.kind, 'Secret');
    assert.is(object.metadata.namespace, undefined);
  }
  for (const objects of [base, replicated])
    for (const { name, value } of podOf(objects).containers[0].env)
      if (/KEY|SECRET_A|DATABASE|STORAGE|PASSWORD/.test(name)) assert.is(value, undefined, name);
});

for (const [name, objects] of Object.entries({ base, 'postgres-s3': replicated })) {
  test(`${name}: the pod keeps to the restricted Pod Security Standard, and has no token`, () => {
    const pod = podOf(objects);
    assert.equal(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' });
    assert.is(pod.securityContext.runAsNonRoot, true);
    assert.is(pod.securityContext.runAsUser, 65532);
    assert.is(pod.automountServiceAccountToken, false);
    assert.is(only(objects, 'ServiceAccount').automountServiceAccountToken, false);
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) assert.not.ok(pod[field]);
    for (const { securityContext } of pod.containers)
      assert.equal(securityContext, {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
    const types = pod.volumes.flatMap((volume: Manifest) => Object.keys(volume)).sort();
    assert.not.ok(types.includes('hostPath'));
  });

  test(`${name}: stopping has time for the transfers that the server waits for`, () => {
    const pod = podOf(objects);
    const [container] = pod.containers;
    const waits = parseDuration(variable(objects, 'BR_SHUTDOWN_TIMEOUT')?.value) / 1000;
    const [program, seconds] = container.lifecycle.preStop.exec.command;
    assert.is(program, 'sleep');
    assert.ok(pod.terminationGracePeriodSeconds >= waits + Number(seconds) + 10);
  });

  test(`${name}: Service, policies and budget mean the pods`, () => {
    const { labels } = server(objects).spec.template.metadata;
    const selectors = [...objects, ...monitoring].flatMap(({ kind, spec }): [string, Manifest][] => {
      if (kind === 'Service') return [[kind, spec.selector]];
      if (kind === 'NetworkPolicy') return [[kind, spec.podSelector.matchLabels]];
      return kind === 'PodDisruptionBudget' ? [[kind, spec.selector.matchLabels]] : [];
    });
    assert.ok(selectors.length >= 3);
    for (const [kind, selector] of selectors) assert.equal({ ...labels, ...selector }, labels, kind);
    const monitor = only(monitoring, 'ServiceMonitor');
    const service = only(objects, 'Service');
    assert.equal(
      { ...service.metadata.labels, ...monitor.spec.selector.matchLabels },
      service.metadata.labels,
    );
    assert.is(monitor.spec.endpoints[0].port, service.spec.ports[0].name);
    assert.equal(
      monitor.spec.endpoints[0].authorization.credentials,
      variable(objects, 'BR_HEALTH_CHECK_KEY')?.valueFrom.secretKeyRef,
    );
  });
}

test('the image is the one of this version, which the function renders too', () => {
  for (const objects of [base, replicated])
    assert.is(podOf(objects).containers[0].image, DEFAULT_CLIENT_IMAGE);
});

test('with one volume there is one pod, nothing goes out but name lookup, and the claim outlives the manifests', () => {
  assert.is(server(base).spec.replicas, 1);
  const ports = only(base, 'NetworkPolicy').spec.egress.flatMap((rule: Manifest) => rule.ports);
  assert.equal(new Set(ports.map(({ port }: Manifest) => port)), new Set([53]));
  assert.equal(only(base, 'PersistentVolumeClaim').metadata.annotations, {
    'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
    'cli-utils.sigs.k8s.io/on-remove': 'keep',
    'kustomize.toolkit.fluxcd.io/prune': 'disabled',
  });
});

test('replicas share no disk, leave one another time, and reach database and storage', () => {
  const { replicas, strategy } = server(replicated).spec;
  assert.ok(replicas >= 2);
  assert.equal(strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
  assert.not.ok(replicated.some(({ kind }) => kind === 'PersistentVolumeClaim'));
  assert.not.ok(JSON.stringify(podOf(replicated)).includes('/data'));
  for (const name of ['BR_DATABASE_URL', 'BR_STORAGE_URL', 'BR_JWT_SECRET_KEY'])
    assert.ok(variable(replicated, name)?.valueFrom.secretKeyRef, name);
  assert.is(only(replicated, 'PodDisruptionBudget').spec.maxUnavailable, 1);
  const ports = only(replicated, 'NetworkPolicy').spec.egress.flatMap((rule: Manifest) => rule.ports);
  assert.equal([...new Set(ports.map(({ port }: Manifest) => port))].sort(), [443, 53, 5432, 9000]);
  const spread = podOf(replicated).topologySpreadConstraints.map((each: Manifest) => each.topologyKey);
  assert.equal(spread, ['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
});

test("the server understands the example, and misses nothing but the Secret's entries", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'backup-maker-deploy-'));
  const { data } = only(base, 'ConfigMap');
  for (const [name, text] of Object.entries(data)) writeFileSync(join(folder, name), String(text));
  const provider = new FilesystemProvider({ path: folder });
  try {
    await provider.start();
    assert.equal([...provider.current().users.keys()].sort(), ['admin', 'shop']);
    assert.equal([...provider.current().collections.keys()], ['shop-db']);
    const mounted = podOf(base).volumes.flatMap(({ secret }: Manifest) => secret?.secretName ?? []);
    assert.is(provider.problems().length, 3);
    for (const problem of provider.problems())
      assert.ok(
        mounted.some((name: string) => problem.includes(`Secret ${name}`)),
        problem,
      );
  } finally {
    await provider.stop();
    rmSync(folder, { recursive: true });
  }
});

test.run();
