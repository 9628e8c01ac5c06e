/** Two servers that share PostgreSQL and S3, each behind a line that can fail. */

import { join } from 'node:path';
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { BadLine } from '../../test/e2e/server/engines/bad-line.ts';
import { Minio, Postgres } from '../../test/e2e/server/engines/processes.ts';
import { freePort } from '../../test/free-port.ts';
import { Server } from '../play/server.ts';
import { IDLE_MS, JWT_KEY, login, newModel, revive, serverFolder, type World } from './world.ts';

const LAUNCHER = join(import.meta.dirname, '../../test/e2e/server/replicas/replica.ts');
const BUCKET = 'torture';
/** The program has half a minute and no flag for it: a round would take as long. */
const LEASE_MS = 2000;

export class Replicas implements World {
  readonly name = 'replicas';
  readonly model = newModel();
  readonly lockedMs = LEASE_MS;
  readonly servers: readonly Server[];
  /** Lines to PostgreSQL and S3. */
  readonly lines: Readonly<Record<'database' | 'storage', BadLine>>;
  token = '';
  readonly #client: S3Client;
  readonly #engines: { postgres: Postgres; minio: Minio };

  static async start(under: string): Promise<Replicas> {
    const postgres = await Postgres.create();
    const minio = await Minio.create();
    const credentials = { accessKeyId: minio.accessKey, secretAccessKey: minio.secretKey };
    const client = new S3Client({
      ...{
        endpoint: `http://127.0.0.1:${minio.port}`,
        region: 'eu-central-1',
        forcePathStyle: true,
        credentials,
      },
    });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const lines = { database: await BadLine.to(postgres.port), storage: await BadLine.to(minio.port) };
    const storage = `s3://${BUCKET}?endpoint=127.0.0.1:${lines.storage.port}&disableSSL=true&s3ForcePathStyle=true&region=eu-central-1`;
    const servers: Server[] = [];
    for (const name of ['first', 'second']) {
      const folder = serverFolder(under, name);
      const port = await freePort();
      const options = {
        ...{ configPath: join(folder, 'config'), dataPath: join(folder, 'data'), port, jwtKey: JWT_KEY },
        ...{ database: postgres.url('postgres', lines.database.port), storage, log: { level: 'warn' } },
        ...{ tokenLifetimeMs: 100 * 365 * 86_400_000 },
        settings: {
          ...{
            leaseMs: LEASE_MS,
            hangUpGraceMs: 0,
            preciseStatuses: true,
            uploadIdleTimeoutMs: IDLE_MS,
            idleTimeoutMs: IDLE_MS,
          },
          ...{ storageTimeoutMs: 4000, shutdownTimeoutMs: 3000 },
          rateLimits: { default: 2000, auth: 600, collectionHealth: 0, serverHealth: 0 },
        },
      };
      const env = {
        ...{ AWS_ACCESS_KEY_ID: minio.accessKey, AWS_SECRET_ACCESS_KEY: minio.secretKey },
        ...{ AWS_EC2_METADATA_DISABLED: 'true' },
      };
      servers.push(new Server({ args: [LAUNCHER, JSON.stringify(options)], env, port, folder }));
    }
    const world = new Replicas(servers, lines, client, { postgres, minio });
    for (const server of servers) await server.start();
    world.token = await login(servers[0] as Server);
    return world;
  }

  private constructor(
    servers: readonly Server[],
    lines: Replicas['lines'],
    client: S3Client,
    engines: { postgres: Postgres; minio: Minio },
  ) {
    this.servers = servers;
    this.lines = lines;
    this.#client = client;
    this.#engines = engines;
  }

  async recover(): Promise<string[]> {
    for (const line of Object.values(this.lines)) line.behaviour = {};
    const faults: string[] = [];
    for (const server of this.servers) {
      server.signal('SIGCONT');
      faults.push(...(await revive(server)));
    }
    return faults;
  }

  async objects(): Promise<number> {
    const { KeyCount = 0 } = await this.#client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    return KeyCount;
  }

  async temporary(): Promise<string[]> {
    const { Uploads = [] } = await this.#client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    return Uploads.map(({ Key = '' }) => Key);
  }

  async stop(): Promise<string[]> {
    const statuses = await Promise.all(this.servers.map((server) => server.end('SIGTERM')));
    for (const line of Object.values(this.lines)) line.close();
    await this.#engines.postgres.stop();
    await this.#engines.minio.stop();
    return statuses.flatMap((status, index) =>
      status === 0 ? [] : [`asked to stop, a replica ended with ${status}:\n${this.servers[index]?.output}`],
    );
  }
}
