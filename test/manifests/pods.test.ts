/**
 * Every generated pod against the restricted Pod Security Standard, written from the standard's own text
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/) and not from what src/expand checks, and
 * against what we promise beyond it.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject, JsonValue } from '../../src/krm/json.ts';
import { at, generatedPods, type Pod } from './generated.ts';

const test = suite('manifests: pods');

/** Pods whose source asks for something that the standard forbids; each is here for that very reason. */
const OWN_SETTINGS: Readonly<Record<string, string>> = {};

const VOLUME_TYPES = [
  ...[
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ],
];

function containers(pod: Pod): JsonObject[] {
  return [
    ...list(pod.spec.initContainers),
    ...list(pod.spec.containers),
    ...list(pod.spec.ephemeralContainers),
  ];
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as JsonObject[]) : [];
}

/** Fields of the standard: where they stand, for the pod or each container, and what they may be. */
function violations(pod: Pod): string[] {
  const { spec } = pod;
  const shared = at(spec, 'securityContext') ?? {};
  const found: string[] = [];
  const demand = (holds: boolean, what: string) => holds || found.push(what);
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) demand(!spec[field], field);
  for (const volume of list(spec.volumes)) {
    for (const type of Object.keys(volume))
      demand(type === 'name' || VOLUME_TYPES.includes(type), `volume ${type}`);
  }
  demand(!shared.sysctls, 'sysctls');
  demand(!shared.windowsOptions, 'windowsOptions');
  demand(!shared.seLinuxOptions, 'seLinuxOptions');
  for (const container of containers(pod)) {
    const own = at(container, 'securityContext') ?? {};
    const drop = at(own, 'capabilities', 'drop') as unknown as string[] | undefined;
    const add = (at(own, 'capabilities', 'add') as unknown as string[] | undefined) ?? [];
    const seccomp = at(own, 'seccompProfile')?.type ?? at(shared, 'seccompProfile')?.type;
    const label = (what: string) => `${container.name}: ${what}`;
    demand(own.privileged !== true, label('privileged'));
    demand(own.allowPrivilegeEscalation === false, label('allowPrivilegeEscalation'));
    demand((own.runAsNonRoot ?? shared.runAsNonRoot) === true, label('runAsNonRoot'));
    demand((own.runAsUser ?? shared.runAsUser) !== 0, label('runAsUser'));
    demand(drop?.includes('ALL') === true, label('capabilities.drop'));
    demand(
      add.every((name) => name === 'NET_BIND_SERVICE'),
      label('capabilities.add'),
    );
    demand(seccomp === 'RuntimeDefault' || seccomp === 'Localhost', label('seccompProfile'));
    demand((own.procMount ?? 'Default') === 'Default', label('procMount'));
    for (const port of list(container.ports)) demand(!port.hostPort, label('hostPort'));
  }
  return found;
}

test('pods of both operations, of CronJobs and of Jobs, are generated, and one that makes a key', () => {
  const operations = new Set(generatedPods().map(({ operation }) => operation));
  assert.equal([...operations].sort(), ['backup', 'keygen', 'restore']);
  assert.ok(generatedPods().length > 20, `${generatedPods().length} pods`);
});

test('every pod meets the restricted Pod Security Standard', () => {
  const found = generatedPods().flatMap((pod) => violations(pod).map((what) => `${pod.label}: ${what}`));
  assert.equal(
    found.filter((line) => OWN_SETTINGS[line] === undefined),
    [],
  );
  for (const line of Object.keys(OWN_SETTINGS)) assert.ok(found.includes(line), `no longer needed: ${line}`);
});

test('the check of the standard notices what it forbids', () => {
  const [pod] = generatedPods();
  if (!pod) throw new Error('no pod');
  const spoil = (change: (spec: JsonObject, container: JsonObject) => void): string[] => {
    const copy = structuredClone(pod);
    change(copy.spec, containers(copy).at(-1) ?? {});
    return violations(copy);
  };
  const security = (container: JsonObject) => container.securityContext as JsonObject;
  const spoiled: ((spec: JsonObject, container: JsonObject) => void)[] = [
    (spec) => Object.assign(spec, { hostNetwork: true }),
    (spec) => Object.assign(spec, { securityContext: {} }),
    (spec) => list(spec.volumes).push({ name: 'x', hostPath: { path: '/' } }),
    (_spec, container) => Object.assign(container, { securityContext: {} }),
    (_spec, container) => Object.assign(security(container), { runAsUser: 0 }),
    (_spec, container) =>
      Object.assign(security(container), { capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
  ];
  for (const [index, change] of spoiled.entries()) assert.ok(spoil(change).length > 0, `change ${index}`);
  assert.equal(
    spoil(() => {}),
    [],
  );
});

test('every container requests and limits processor, memory and disk', () => {
  for (const pod of generatedPods()) {
    for (const container of containers(pod)) {
      for (const part of ['requests', 'limits']) {
        const amounts = at(container, 'resources', part) ?? {};
        for (const resource of ['cpu', 'memory'])
          assert.ok(amounts[resource], `${pod.label}: ${container.name}: ${part}.${resource}`);
      }
      const requested = at(container, 'resources', 'requests') ?? {};
      assert.ok(
        requested['ephemeral-storage'],
        `${pod.label}: ${container.name}: requests.ephemeral-storage`,
      );
    }
  }
});

test('no pod gets the token of a ServiceAccount, but the one that makes a key, for minutes', () => {
  for (const { label, spec, operation } of generatedPods()) {
    assert.is(spec.automountServiceAccountToken, false, label);
    const sources = list(spec.volumes).flatMap((volume) => list(at(volume, 'projected')?.sources));
    const tokens = sources.flatMap((source) => at(source, 'serviceAccountToken') ?? []);
    const expected = operation === 'keygen' ? [{ path: 'token', expirationSeconds: 600 }] : [];
    assert.equal(tokens, expected, label);
  }
});

/** Entries of Secrets that hold private keys or their passphrases, by the names that the fixtures give them. */
const PRIVATE = /identity|private|passphrase|key$|\.key/i;

test('no pod that makes backups is given a private key', () => {
  const backups = generatedPods().filter(({ operation }) => operation === 'backup');
  for (const pod of backups) {
    for (const { name, key } of secretEntries(pod)) {
      assert.not.match(key, PRIVATE, `${pod.label}: entry ${key} of Secret ${name}`);
    }
  }
});

test('pods that restore are given the private key, so the check above has something to find', () => {
  const restores = generatedPods().filter(({ operation }) => operation === 'restore');
  const keys = restores.flatMap((pod) => secretEntries(pod).map(({ key }) => key));
  assert.ok(
    keys.some((key) => PRIVATE.test(key)),
    `only ${keys}`,
  );
});

test('no pod takes a Secret whole', () => {
  for (const pod of generatedPods()) {
    for (const container of containers(pod)) assert.equal(list(container.envFrom), [], pod.label);
    for (const volume of list(pod.spec.volumes)) assert.not('secret' in volume, pod.label);
  }
});

/** Every entry of a Secret that the pod can read: in its environment, or as a file. */
function secretEntries(pod: Pod): { name: string; key: string }[] {
  const variables = containers(pod).flatMap((container) => list(container.env));
  const references = variables.flatMap((variable): JsonObject[] => {
    const reference = at(variable, 'valueFrom', 'secretKeyRef');
    return reference ? [reference] : [];
  });
  const projected = list(pod.spec.volumes).flatMap((volume) => list(at(volume, 'projected')?.sources));
  const files = projected.flatMap((source) =>
    list(at(source, 'secret')?.items).map(
      (item): JsonObject => ({ name: at(source, 'secret')?.name ?? '', key: item.key ?? '' }),
    ),
  );
  return [...references, ...files].map(({ name, key }) => ({ name: String(name), key: String(key) }));
}

test.run();
