/** What users meet when something is not as it should be: the exit status, the words in the log, and that nothing was stored. */
import { createHmac } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manifest } from '../sandbox.ts';
import { Api } from './api.ts';
import { DATABASE_PASSWORD } from './data/data.ts';
import { Deployment } from './deployment.ts';
import { secret } from './objects.ts';
import { accessName, accessPassword, keepingLogs, TOKEN_KEY, useWorld, type World } from './world.ts';

const NAME = 'failures';
const test = suite('what users meet when it fails');
const useIt = useWorld(test);
let world: World;
let app: Deployment;
let backup: Manifest;
let asItShouldBe: string;

test.before(async () => {
  try {
    world = await useIt();
    const row = {
      name: NAME,
      data: 'postgres',
      procedure: 'postgres',
      encryption: 'openpgp',
      image: 'postgres:15',
      with: 'kustomize',
    } as const;
    app = new Deployment(world, row, await world.data(row));
    backup = app.files['backup.yaml']?.[0] ?? {};
    asItShouldBe = JSON.stringify(app.files);
  } catch (error) {
    console.error(error);
    throw error;
  }
});

/** Renders with what the test has changed, runs the CronJob's pod, and puts everything back. */
async function fails(exitCode: number, log: RegExp): Promise<void> {
  await app.render();
  const result = await app.tryRun(app.cronJob);
  Object.assign(app.files, JSON.parse(asItShouldBe));
  backup = app.files['backup.yaml']?.[0] ?? {};
  assert.is(result.exitCode, exitCode, result.logs);
  assert.ok(log.test(result.logs), result.logs);
  assert.not.ok(result.logs.includes(DATABASE_PASSWORD) || result.logs.includes(accessPassword(NAME)));
  assert.equal(await world.api.versions(NAME), [], 'no version is stored');
}

function replaceSecret(name: string, entries: Record<string, string>): void {
  const file = app.files['secrets.yaml'] ?? [];
  app.files['secrets.yaml'] = file.map((each) =>
    each.metadata.name === name ? secret(name, entries) : each,
  );
}

test('a wrong password of the database: 3', () =>
  keepingLogs('failures', async () => {
    replaceSecret('database', { 'Params.password': 'not the password' });
    await fails(3, /password authentication failed for user "postgres"[\s\S]*exit(ed with)? (status|code) 1/);
  }));

test('a wrong access key: 7', () =>
  keepingLogs('failures', async () => {
    replaceSecret('backup-access', { username: accessName(NAME), password: 'not the password' });
    await fails(7, /cannot log in as .*failures\$pods.*incorrect Username or Password/);
  }));

test('a server that is not there: 75', () =>
  keepingLogs('failures', async () => {
    backup.spec.repository.url = world.url.replace(/:\d+$/, ':9');
    await fails(75, /ECONNREFUSED|refused/);
  }));

test('a token that has expired: 7', () =>
  keepingLogs('failures', async () => {
    const token = await Api.token(world.api.url, accessName(NAME), accessPassword(NAME));
    const [header = '', payload = ''] = token.split('.');
    const claims: Manifest = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const old = {
      ...claims,
      exp: Math.floor(Date.now() / 1000) - 60,
      orig_iat: claims.orig_iat && claims.orig_iat - 30_000,
    };
    const signed = `${header}.${Buffer.from(JSON.stringify(old)).toString('base64url')}`;
    const expired = `${signed}.${createHmac('sha256', TOKEN_KEY).update(signed).digest('base64url')}`;
    delete backup.spec.accessKeySecretRef;
    backup.spec.tokenSecretRef = { secretName: 'token', tokenKey: 'token' };
    app.files['secrets.yaml']?.push(secret('token', { token: expired }));
    await fails(7, /expired/);
  }));

test('and all is well when nothing is wrong', () =>
  keepingLogs('failures', async () => {
    await app.render();
    await app.run(app.cronJob);
    assert.is((await world.api.versions(NAME)).length, 1);
  }));

test.run();
