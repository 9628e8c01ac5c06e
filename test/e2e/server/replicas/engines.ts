/** One PostgreSQL and one MinIO for all suites of this folder, each suite with a database and a bucket of its own. */
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { Minio, Postgres } from '../engines/processes.ts';

let postgres: Promise<Postgres> | undefined;
let minio: Promise<Minio> | undefined;
let count = 0;

export function thePostgres(): Promise<Postgres> {
  postgres ??= Postgres.create();
  return postgres;
}

/** The URL of a new, empty database. */
export async function newDatabase(): Promise<string> {
  const server = await thePostgres();
  const name = `suite_${++count}`;
  server.sql(`create database ${name}`);
  return server.url(name);
}

export interface Bucket {
  /** Port of the server itself, to put a bad line in front of. */
  port: number;
  /** The storage URL, through another port if one is given. */
  url(port?: number): string;
  /** Parts of uploads that neither ended nor were given up. */
  leftovers(): Promise<string[]>;
}

/** A new, empty bucket. Its credentials are in the environment from then on, as AWS's own programs expect them. */
export async function newBucket(): Promise<Bucket> {
  minio ??= Minio.create();
  const server = await minio;
  process.env.AWS_ACCESS_KEY_ID = server.accessKey;
  process.env.AWS_SECRET_ACCESS_KEY = server.secretKey;
  const name = `suite-${++count}`;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'eu-central-1',
    forcePathStyle: true,
  });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  return {
    port: server.port,
    url: (port = server.port) =>
      `s3://${name}?endpoint=127.0.0.1:${port}&disableSSL=true&s3ForcePathStyle=true&region=eu-central-1`,
    leftovers: async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }));
      return Uploads.map(({ Key = '' }) => Key);
    },
  };
}
