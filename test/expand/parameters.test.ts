import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/krm/json.ts';
import { at } from '../manifests/generated.ts';
import { expandText, generate } from '../resource-lists.ts';

const test = suite('expand: parameters');

const source = (params: string, more: string) => `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata: {name: app, namespace: shop}
spec:
  collectionId: app
  cronJob: {enabled: true}
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars:
    Params: {hostname: db, ${params}}
${more}
  gpgKeySecretRef: {secretName: keys, publicKey: "", privateKey: "", passphraseKey: "", email: "", createIfNotExists: false}
  accessKeySecretRef: {name: access}
  repository: {url: "https://backups.example.org"}
`;
const imported = (...names: string[]) =>
  `  varsSecretRef: {secretName: login, importOnlyKeys: [${names.map((name) => `HelmValues.env.${name}`).join(', ')}]}`;

function variables(text: string): Record<string, unknown> {
  const cronJob = generate(text).find(({ kind }) => kind === 'CronJob');
  const pod = at(cronJob, 'spec', 'jobTemplate', 'spec', 'template', 'spec') as JsonObject;
  const [main] = pod.containers as [JsonObject];
  return Object.fromEntries(
    (main.env as JsonObject[]).map(({ name, value, valueFrom }) => [
      name,
      value ?? at(valueFrom as JsonObject, 'secretKeyRef'),
    ]),
  );
}
const entry = (name: string) => ({ name: 'login', key: `HelmValues.env.${name}` });

test('a parameter that is its own variable keeps the value that this has from a Secret', () => {
  for (const text of ['"${PGPASSWORD}"', '$PGPASSWORD'])
    assert.equal(
      variables(source(`password: ${text}`, imported('PGPASSWORD'))).PGPASSWORD,
      entry('PGPASSWORD'),
      text,
    );
  const { PGUSER, PGPASSWORD } = variables(
    source('user: $PGUSER, password: $SECRET', imported('PGUSER', 'SECRET')),
  );
  assert.equal(PGUSER, entry('PGUSER'));
  assert.is(PGPASSWORD, '$(SECRET)');
});

test('a part of it cannot be', () => {
  const { exitCode, stderr } = expandText(source('password: "x$PGPASSWORD"', imported('PGPASSWORD')));
  assert.is(exitCode, 1);
  assert.match(stderr, /spec\.vars\.Params\.password: goes into the variable PGPASSWORD, and refers to it/);
});

test('a default does not go before the user’s own variable', () => {
  const { PGUSER, PGSSLMODE } = variables(source('db: app', imported('PGUSER')));
  assert.equal(PGUSER, entry('PGUSER'));
  assert.is(PGSSLMODE, 'prefer');
});

test('the generated Secret may be referred to by its own entries, and by no others', () => {
  const values = '    HelmValues: {env: {LOGIN: me, WORD: s3cret-word}}';
  const referring = (keys: string) =>
    source('db: app', values).replace('{name: access}', `{name: app-backup, ${keys}}`);
  assert.equal(variables(referring('usernameKey: LOGIN, passwordKey: WORD')).BM_ACCESS_KEY_USERNAME, {
    name: 'app-backup',
    key: 'LOGIN',
  });
  const { exitCode, stderr } = expandText(referring('usernameKey: LOGIN, passwordKey: password'));
  assert.is(exitCode, 1);
  assert.match(stderr, /error: [^\n]*spec\.accessKeySecretRef: refers to Secret app-backup/);
  for (const volume of [
    '{name: x, secret: {secretName: app-restore}}',
    '{name: x, projected: {sources: [{secret: {name: app-restore}}]}}',
  ]) {
    const mounting = `${source('db: app', values)}  podTemplate: {volumes: [${volume}]}\n`;
    assert.match(
      expandText(mounting).stderr,
      /spec\.podTemplate\.volumes: refers to Secret app-restore/,
      volume,
    );
  }
  // Without values in clear text there is no such Secret.
  assert.is(expandText(source('db: app', '').replace('{name: access}', '{name: app-backup}')).exitCode, 0);
});

test.run();
