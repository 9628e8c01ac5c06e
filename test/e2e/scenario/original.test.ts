/**
 * The original ecosystem's flow with its own manifests: a backup by a RequestedBackupAction, a row that is added, a restore by a
 * RequestedBackupAction. The sources are those of the example; only ports, and which version to restore, are what they are here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { jobOf, runPod } from '../containers/pod.ts';
import { Gpg } from '../crypto/openpgp/gpg.ts';
import { copyExample } from '../kpt/example.ts';
import { build } from '../kustomize/kustomize.ts';
import { type Manifest, only, write } from '../sandbox.ts';
import { Api } from './api.ts';
import { POSTGRES_HOST } from './data/postgres.ts';
import { secret, yamlOf } from './objects.ts';
import { accessName, accessPassword, keepingLogs, useWorld } from './world.ts';

const COLLECTION = 'iwa-ait';
const DATABASE = 'rkc-test';
const SERVER = 'server-backup-repository-server.backup-repository.svc.cluster.local';
/** The original's own template puts it into a shell's command line, so it is one without characters that mean something there. */
const ROLE_PASSWORD = 'role-s3cret';
const PASSPHRASE = 'original-s3cret';

const test = suite("the original's flow");
const world = useWorld(test);

test('its manifests back up, and restore the version that is named', () =>
  keepingLogs('original', async () => {
    const { api, ingress, postgres } = await world().then((it) => ({
      api: it.api,
      ingress: it.ingress,
      postgres: it.postgres('postgres:15'),
    }));
    const database = await postgres;
    await database.query('postgres', `CREATE ROLE riotkit SUPERUSER LOGIN PASSWORD '${ROLE_PASSWORD}'`);
    await database.query('postgres', `CREATE DATABASE "${DATABASE}" OWNER riotkit`);
    await database.query(DATABASE, "CREATE TABLE movies (title text); INSERT INTO movies VALUES ('first')");
    const titles = async () =>
      (await database.query(DATABASE, 'SELECT title FROM movies ORDER BY 1')).split('\n').slice(0, -1);

    const gpg = new Gpg();
    gpg.makeKey(
      'backups@example.org',
      ['Key-Type: RSA', 'Key-Length: 2048', 'Subkey-Type: RSA', 'Subkey-Length: 2048'],
      PASSPHRASE,
    );
    const secretOptions = ['--armor', '--passphrase', PASSPHRASE, '--export-secret-keys'];
    const keys = {
      public: gpg.run(['--armor', '--export']).toString(),
      private: gpg.run(secretOptions).toString(),
      passphrase: PASSPHRASE,
      token: await Api.token(api.url, accessName(COLLECTION), accessPassword(COLLECTION)),
    };
    gpg.close();

    const folder = copyExample('original-ecosystem');
    const source = (name: string) => readFileSync(join(folder, name), 'utf8');
    write(folder, {
      'backup.yaml': source('backup.yaml')
        .replace(':8080', `:${ingress.port}`)
        .replace('port: 5432', `port: ${database.port}`),
      'actions.yaml': source('actions.yaml').replace('targetVersion: v3', 'targetVersion: v1'),
      'secrets.yaml': yamlOf([
        secret('backup-keys', keys, 'backups'),
        secret('app1-database', { 'Params.password': ROLE_PASSWORD }, 'backups'),
      ]),
      'kustomization.yaml': source('kustomization.yaml').replace(
        '  - backup.yaml\n',
        '  - backup.yaml\n  - secrets.yaml\n',
      ),
    });
    const objects = build(folder);
    const run = async (job: Manifest) => {
      const result = await runPod({
        ...jobOf(job),
        objects,
        hosts: [SERVER, POSTGRES_HOST, 'postgres.db.svc.cluster.local'],
      });
      assert.is(result.exitCode, 0, `logs in ${result.folder}\n${result.logs}`);
    };

    await run(only(objects, 'Job', 'backup-1'));
    await database.query(DATABASE, "INSERT INTO movies VALUES ('second')");
    await run(only(objects, 'CronJob', 'app1'));
    await database.query(DATABASE, "INSERT INTO movies VALUES ('third')");
    assert.equal(
      (await api.versions(COLLECTION)).map(({ versionNumber, format }) => [versionNumber, format]),
      [
        [1, 'openpgp'],
        [2, 'openpgp'],
      ],
    );
    assert.equal(await titles(), ['first', 'second', 'third']);
    await run(only(objects, 'Job', 'restore-1'));
    assert.equal(await titles(), ['first']);
  }));

test.run();
