/** What all suites of this folder share: our server in a container of our image, behind an Ingress, and the databases. */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'uvu';
import { DEFAULT_CLIENT_IMAGE } from '../../../src/expand/procedure.ts';
import { encodePassword } from '../../../src/server/access/password.ts';
import { freePort } from '../../free-port.ts';
import { writeVolume } from '../containers/pod-files.ts';
import { entriesOf } from '../containers/pod-objects.ts';
import { keepServiceLogs, type Service, startService } from '../containers/service.ts';
import { folderWith, type Manifest, root } from '../sandbox.ts';
import { Api } from './api.ts';
import type { Data } from './data/data.ts';
import { etcdData } from './data/etcd.ts';
import { filesData, sqliteData } from './data/files.ts';
import { Mariadb } from './data/mariadb.ts';
import { databaseOf, Postgres } from './data/postgres.ts';
import { redisData } from './data/redis.ts';
import { Ingress } from './ingress.ts';
import { type Keys, makeKeys } from './keys.ts';
import { matrix, type Row } from './matrix.ts';
import { backupCollection, backupUser, secret } from './objects.ts';
import { render } from './render.ts';

const SERVER_HOST = 'backup-repository.backups.svc.cluster.local';
/** Collections besides those of the matrix. `iwa-ait` is that of the original's example. */
const COLLECTIONS = [
  ...matrix.rows.map(({ name }) => name),
  'once',
  'commands',
  'failures',
  'volumes',
  'iwa-ait',
];
const ADMIN = 'admin-s3cret of the server';
/** Signs the server's tokens. Known, so that a test need not wait until one expires. */
export const TOKEN_KEY = 'token-s3cret of the server, which is long enough';

export const SERVER_HOSTS: readonly string[] = [SERVER_HOST];

/** Password of the access key that the pods of a collection log in with. */
export function accessPassword(name: string): string {
  return `access-s3cret of ${name}`;
}

/** User name of that key. */
export function accessName(name: string): string {
  return `${name}$pods`;
}

export class World {
  readonly keys: Keys;
  readonly api: Api;
  readonly ingress: Ingress;
  readonly server: Service;
  /** As the pods reach the server: through the Ingress. */
  readonly url: string;
  readonly #postgres = new Map<string, Promise<Postgres>>();
  readonly #mariadb = new Map<string, Promise<Mariadb>>();
  readonly #data: Data[] = [];

  private constructor(parts: { keys: Keys; api: Api; ingress: Ingress; server: Service }) {
    this.keys = parts.keys;
    this.api = parts.api;
    this.ingress = parts.ingress;
    this.server = parts.server;
    this.url = `http://${SERVER_HOST}:${parts.ingress.port}`;
  }

  static async start(): Promise<World> {
    const port = await freePort();
    const server = await startServer(port);
    const api = await Api.login(`http://127.0.0.1:${port}`, 'admin', ADMIN);
    return new World({ keys: makeKeys(), api, ingress: await Ingress.start(port), server });
  }

  postgres(image: string): Promise<Postgres> {
    return once(this.#postgres, image, () => Postgres.start(image));
  }

  async data(row: Row): Promise<Data> {
    const data = await this.#make(row);
    this.#data.push(data);
    return data;
  }

  async #make(row: Row): Promise<Data> {
    const { image = '' } = row;
    switch (row.data) {
      case 'postgres':
        return (await this.postgres(image)).data(databaseOf(row));
      case 'mariadb':
        return (await once(this.#mariadb, image, () => Mariadb.start(image))).data(databaseOf(row));
      case 'redis':
        return redisData(image);
      case 'etcd':
        return etcdData(image);
      case 'sqlite':
        return sqliteData();
      case 'files':
        return filesData();
    }
  }

  async stop(): Promise<void> {
    const databases = [...this.#postgres.values(), ...this.#mariadb.values()];
    await Promise.allSettled([
      ...this.#data.map((data) => data.stop?.()),
      ...databases.map(async (database) => (await database).service.stop()),
      this.server.stop(),
    ]);
    this.ingress.close();
  }
}

/** Users, collections and their passwords as they stand in Git, through the function, into the folders that the server reads. */
async function startServer(port: number): Promise<Service> {
  const sources: Manifest[] = [
    backupUser('admin', {
      roles: ['systemAdmin'],
      passwordFromRef: { name: 'server-passwords', entry: 'admin' },
    }),
  ];
  const passwords: Record<string, string> = { admin: await encodePassword(ADMIN) };
  for (const name of COLLECTIONS) {
    passwords[name] = await encodePassword(accessPassword(name));
    const roles = ['backupUploader', 'backupDownloader'];
    sources.push(
      backupUser(name, {
        accessKeys: [
          {
            name: 'pods',
            passwordFromRef: { name: 'server-passwords', entry: name },
            objects: [{ name, type: 'collection', roles }],
          },
        ],
      }),
      backupCollection(name, {
        filenameTemplate: `${name}-\${version}`,
        maxBackupsCount: 20,
        maxOneVersionSize: '100M',
        maxCollectionSize: '2G',
        accessControl: [{ userName: name, roles }],
      }),
    );
  }
  const objects = await render({
    namespace: 'backups',
    files: { 'server.yaml': sources, 'secret.yaml': [secret('server-passwords', passwords)] },
    with: 'kustomize',
    config: { serverConfiguration: { configMapName: 'server-configuration' } },
  });
  const folder = folderWith();
  const cluster = { namespace: 'backups', objects, claims: {} };
  const mount = (path: string, kind: 'ConfigMap' | 'Secret', name: string) => {
    mkdirSync(join(folder, path), { recursive: true });
    const entries = [...(entriesOf(cluster, kind, name) ?? [])];
    writeVolume(join(folder, path), new Map(entries.map(([key, bytes]) => [key, { bytes, mode: 0o644 }])));
  };
  mount('config', 'ConfigMap', 'server-configuration');
  mount('secrets/server-passwords', 'Secret', 'server-passwords');
  mkdirSync(join(folder, 'data'));
  chownSync(join(folder, 'data'), 65532, 65532);
  const bind = (path: string, readOnly: boolean) =>
    `--mount=type=bind,source=${join(folder, path)},destination=/${path},ro=${readOnly}`;
  return startService({
    name: 'server',
    image: DEFAULT_CLIENT_IMAGE,
    command: ['backup-repository', 'serve'],
    env: {
      BR_CONFIG_PROVIDER: 'filesystem',
      BR_CONFIG_LOCAL_PATH: '/config',
      BR_SECRETS_PATH: '/secrets',
      BR_DATA_PATH: '/data',
      BR_JWT_SECRET_KEY: TOKEN_KEY,
      BR_LISTEN: `127.0.0.1:${port}`,
      // All pods here have one address, and come faster than in a cluster.
      BR_RATE_DEFAULT_LIMIT: '0',
      BR_RATE_AUTH_LIMIT: '0',
    },
    options: [
      ...['--read-only', '--read-only-tmpfs=false', '--cap-drop=ALL', '--security-opt=no-new-privileges'],
      ...[bind('config', true), bind('secrets', true), bind('data', false)],
    ],
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${port}/ready`);
      if (response.status !== 200) throw new Error(await response.text());
    },
  });
}

function once<Value>(
  known: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

let started: Promise<World> | undefined;
let suites = 0;

/** The world, started before the first suite that asks for it, and stopped after the last one. */
export function useWorld(test: Test): () => Promise<World> {
  suites++;
  test.before(async () => {
    started ??= World.start();
    // uvu says nothing of what goes wrong here; the tests then fail for want of it.
    await started.catch((error: Error) => console.error(`no server: ${error.message}`));
  });
  test.after(async () => {
    if (--suites > 0) return;
    await (await started?.catch(() => undefined))?.stop();
  });
  return () => started ?? Promise.reject(new Error('the server was not asked for'));
}

let kept = 0;

/** If the work fails, the logs of the server and the databases are kept, and where is printed. Those of pods are kept by the pods. */
export async function keepingLogs(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const folder = join(root, '.tools/pods', `services-${process.pid}-${++kept}`);
    keepServiceLogs(folder);
    console.log(`${name}: the logs of server and databases are in ${folder}`);
    throw error;
  }
}
