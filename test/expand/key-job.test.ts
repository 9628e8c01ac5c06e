import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/krm/json.ts';
import { expandText, generate } from '../resource-lists.ts';

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {keyGeneration: job}\n';

function backup(gpg: string, namespace = 'shop'): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: app${namespace && `, namespace: ${namespace}`}}
spec:
  collectionId: app
  cronJob: {enabled: true}
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars: {Params: {hostname: db}}
  gpgKeySecretRef: {secretName: keys, createIfNotExists: true${gpg}}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
`;
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; labels: Record<string, string> };
  rules: { verbs: string[]; resources: string[]; resourceNames?: string[] }[];
  spec: {
    template: {
      metadata: { labels: Record<string, string> };
      spec: { containers: { args: string[]; image: string }[]; serviceAccountName?: string };
    };
  };
}

function keygen(text: string, config = CONFIG): Manifest[] {
  return (generate(text, config) as unknown as Manifest[]).filter(
    ({ metadata }) => metadata.labels['app.kubernetes.io/component'] === 'keygen',
  );
}

function jobOf(text: string, config?: string): Manifest {
  const job = keygen(text, config).find(({ kind }) => kind === 'Job');
  if (!job) throw new Error('no Job');
  return job;
}

function argumentsOf(text: string): string[] {
  return jobOf(text).spec.template.spec.containers[0]?.args ?? [];
}

const test = suite('expand: the Job that makes a key');

test('a Job with a Role for that one Secret is generated where asked for, and nowhere else', () => {
  assert.equal(
    keygen(backup('')).map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-\w{10}$/, '-X')}`),
    ['Role app-keygen', 'ServiceAccount app-keygen', 'RoleBinding app-keygen', 'Job app-keygen-X'],
  );
  assert.equal(keygen(backup('').replace('createIfNotExists: true', 'createIfNotExists: false')), []);
  assert.equal(keygen(backup(''), CONFIG.replace('job', 'warning')), []);
});

test('the Role lets read and complete that Secret, make Secrets, and nothing else', () => {
  const role = keygen(backup('')).find(({ kind }) => kind === 'Role');
  const all = role?.rules.map(({ verbs, resources, resourceNames }) => [
    verbs.join(),
    resources.join(),
    resourceNames?.join(),
  ]);
  assert.equal(all, [
    ['create', 'secrets', undefined],
    ['get,patch', 'secrets', 'keys'],
  ]);
});

test('names of entries and the address are handed over as they are, whatever they hold', () => {
  assert.equal(argumentsOf(backup('')), ['keygen', '--format=openpgp', '--create-secret', 'keys']);
  const odd = ', email: "$(HOME) x@example.org", publicKey: public, privateKey: -p, passphraseKey: word';
  assert.equal(argumentsOf(backup(odd)).slice(4), [
    '--email=$$(HOME) x@example.org',
    '--public-key-entry=public',
    '--private-key-entry=-p',
    '--passphrase-entry=word',
  ]);
});

test('the Job changes its name with what it would do, and with nothing else', () => {
  const { name } = jobOf(backup('')).metadata;
  assert.is(jobOf(backup('').replace('collectionId: app', 'collectionId: other')).metadata.name, name);
  assert.is.not(jobOf(backup(', email: other@example.org')).metadata.name, name);
});

test("its pod is none of the backup's pods, so that their NetworkPolicy does not cut it off", () => {
  const config = CONFIG.replace('keyGeneration: job', 'keyGeneration: job, networkPolicy: "true"');
  const labels = jobOf(backup(''), config).spec.template.metadata.labels;
  const policies = generate(backup(''), config).filter(({ kind }) => kind === 'NetworkPolicy');
  const selected = policies.filter(({ spec }) => {
    const { matchLabels } = (spec as { podSelector: { matchLabels: Record<string, string> } }).podSelector;
    return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  });
  assert.equal(
    selected.map(({ metadata }) => (metadata as JsonObject).name),
    ['app-keygen'],
  );
});

test('settings that say where pods run are taken over, those of the procedure are not', () => {
  const settings = `  podTemplate:
    nodeSelector: {disk: fast}
    serviceAccountName: database-client
    volumes: [{name: extra, emptyDir: {}}]
    volumeMounts: [{name: extra, mountPath: /extra}]
`;
  const { spec } = jobOf(backup('') + settings).spec.template;
  assert.is(spec.serviceAccountName, 'app-keygen');
  assert.match(JSON.stringify(spec), /"nodeSelector":\{"disk":"fast"\}/);
  assert.not.match(JSON.stringify(spec), /extra/);
});

test('what in the list provides the Secret makes the key unnecessary, in every mode', () => {
  const providers = [
    'apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: shop}\n',
    'apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: shop}\nstringData: {key.pub: "ENC[AES256_GCM,data:x,type:str]"}\nsops: {version: 3.9.0}\n',
    'apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: keys, namespace: shop}\n',
    'apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: keys, namespace: shop}\n',
    'apiVersion: external-secrets.io/v1beta1\nkind: ExternalSecret\nmetadata: {name: a, namespace: shop}\nspec: {target: {name: keys}}\n',
    'apiVersion: kubernetes-client.io/v1\nkind: ExternalSecret\nmetadata: {name: keys, namespace: shop}\n',
  ];
  for (const provider of providers) {
    const text = `${backup('')}---\n${provider}`;
    for (const mode of ['warning', 'error', 'job']) {
      const { exitCode, stderr, stdout } = expandText(text, CONFIG.replace('job', mode));
      assert.equal([exitCode, stderr], [0, ''], provider);
      assert.not.match(stdout, /keygen/);
      const [, item = ''] = provider.split('kind:');
      assert.ok(stdout.includes(item.split('\n').join('\n  ').trimEnd()), 'the provider was changed');
    }
  }
});

test('without a namespace, the RoleBinding needs one from elsewhere, and that is noted', () => {
  const note = /RoleBinding app-keygen cannot be applied without it/;
  assert.match(expandText(backup('', ''), CONFIG).stdout, note);
  assert.not.match(expandText(backup(''), CONFIG).stdout, note);
});

test('the command that is to be pasted names everything that the ScheduledBackup does', () => {
  const { stderr } = expandText(
    backup(', email: ops@example.org, publicKey: public'),
    CONFIG.replace('job', 'error'),
  );
  assert.match(
    stderr,
    /`backup-maker keygen --format=openpgp --secret keys --email=ops@example\.org --public-key-entry=public --namespace=shop \| kubectl create -f -`/,
  );
});

test.run();
