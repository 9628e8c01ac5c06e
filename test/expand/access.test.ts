import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expandText, generate, isGenerated, objectsOf } from '../resource-lists.ts';

const TEMPLATE = `apiVersion: riotkit.org/v1alpha1
kind: ClusterBackupProcedureTemplate
metadata: {name: own}
spec:
  image: example.org/own:1
  backup: 'backup-maker make --auth-token="{{ .Repository.token }}"'
  restore: 'backup-maker restore --auth-token="{{ .Repository.token }}"'
---
`;

/** A backup, and an action of each kind. */
function sources(logins: string, { operation = 'backup', own = false, vars = '' } = {}): string {
  const templateRef = own
    ? '{kind: ClusterBackupProcedureTemplate, name: own}'
    : '{kind: internal, name: postgres, version: "16"}';
  const action = (name: string) => `---
apiVersion: riotkit.org/v1alpha1
kind: RequestedBackupAction
metadata: {name: ${name}-now, namespace: shop}
spec: {scheduledBackupRef: {name: app}, action: ${name}}
`;
  return `${own ? TEMPLATE : ''}apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: app, namespace: shop}
spec:
  operation: ${operation}
  collectionId: app
  cronJob: {enabled: true}
  templateRef: ${templateRef}
  vars: {Params: {hostname: db}, Repository: {${vars}}}
  gpgKeySecretRef: {secretName: keys}
  repository: {url: "https://backups.example.org"}
${logins}
${action('backup')}${action('restore')}`;
}

const KEY = '  accessKeySecretRef: {name: uploads}';
const TOKEN = '  tokenSecretRef: {secretName: token, tokenKey: t}';
const RESTORE_KEY = '  restoreAccessKeySecretRef: {name: special}';

/** Everything generated for an operation, as text: its ConfigMap, Secret, CronJob and Job. */
function textOf(operation: string, text: string): string {
  const objects = generate(text).filter(
    ({ metadata }) =>
      (metadata as { labels: Record<string, string> }).labels['app.kubernetes.io/component'] === operation,
  );
  assert.ok(objects.length >= 2, `${objects.length} objects`);
  return JSON.stringify(objects);
}

const test = suite('expand: access keys');

test('a restore logs in with its own access key, of which no pod of a backup knows', () => {
  const text = sources(`${KEY}\n${RESTORE_KEY}`);
  assert.match(textOf('restore', text), '"secretKeyRef":{"name":"special","key":"password"}');
  assert.not.match(textOf('restore', text), 'uploads');
  assert.match(textOf('backup', text), '"secretKeyRef":{"name":"uploads","key":"password"}');
  assert.not.match(textOf('backup', text), 'special');
  const scheduled = sources(`${KEY}\n${RESTORE_KEY}`, { operation: 'restore' });
  const cronJob = generate(scheduled).find(({ kind }) => kind === 'CronJob');
  assert.match(JSON.stringify(cronJob), '"name":"special","key":"username"');
});

test('it changes nothing for backups, and without it restores log in as backups do', () => {
  for (const login of [KEY, TOKEN])
    assert.is(textOf('backup', sources(`${login}\n${RESTORE_KEY}`)), textOf('backup', sources(login)));
  assert.match(textOf('restore', sources(KEY)), '"name":"uploads","key":"password"');
});

test('beside a token, also one in clear text, restores get the access key and nothing of the token', () => {
  for (const [login, vars] of [
    [TOKEN, ''],
    ['', 'token: canary'],
  ] as const) {
    for (const own of [false, true]) {
      const text = sources(`${login}\n${RESTORE_KEY}`, { own, vars });
      assert.match(textOf('backup', text), 'BM_AUTH_TOKEN');
      assert.match(textOf('restore', text), '"name":"special"');
      assert.not.match(textOf('restore', text), /BM_AUTH_TOKEN|canary|Y2FuYXJ5/);
    }
  }
});

test('the entries of its Secret are checked', () => {
  const secret =
    '---\napiVersion: v1\nkind: Secret\nmetadata: {name: special, namespace: shop}\nstringData: {user: u, password: p}\n';
  const { stderr, exitCode } = expandText(sources(`${KEY}\n${RESTORE_KEY}`) + secret);
  assert.is(exitCode, 1);
  assert.match(
    stderr,
    /spec\.restoreAccessKeySecretRef\.usernameKey: Secret special has no entry "username"/,
  );
});

test('the same access key for both is noticed, another one in the same Secret is not', () => {
  const both = (more: string) =>
    expandText(sources(`${KEY}\n  restoreAccessKeySecretRef: {name: uploads${more}}`)).stderr;
  assert.match(both(''), /^warning: .*spec\.restoreAccessKeySecretRef: is the access key that backups hold/m);
  assert.match(both(', usernameKey: username'), /is the access key that backups hold/);
  assert.is(both(', usernameKey: restore-username, passwordKey: restore-password'), '');
});

test('the NetworkPolicy is the same with it', () => {
  const config =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {networkPolicy: "true", serviceAccount: "true"}\n';
  const policy = (logins: string) => {
    const list = objectsOf(expandText(sources(logins), config).stdout).filter(isGenerated);
    return list.find(({ kind }) => kind === 'NetworkPolicy');
  };
  assert.ok(policy(KEY));
  assert.equal(policy(`${KEY}\n${RESTORE_KEY}`), policy(KEY));
});

test('an address that leads out of the cluster without TLS is warned of, one within it is not', () => {
  const warnings = (url: string) =>
    expandText(sources(KEY).replace('https://backups.example.org', url)).stderr.includes(
      'leads out of the cluster',
    );
  for (const url of ['http://backups.example.org', 'http://backups.example.org:8080/base', 'HTTP://a.b.c'])
    assert.is(warnings(url), true, url);
  for (const url of [
    'https://backups.example.org',
    'http://repository',
    'http://repository.backups:8080',
    'http://repository.backups.svc.cluster.local:8080',
    'http://10.0.0.7:8080',
  ])
    assert.is(warnings(url), false, url);
});

test.run();
