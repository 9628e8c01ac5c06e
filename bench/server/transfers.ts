/** Uploads and downloads, 1, 8 and 64 at a time, beside the least that could store the same bytes in the same place. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from '../../src/wire/routes.ts';
import { Minio } from '../../test/e2e/server/engines/processes.ts';
import { say } from '../shared/progress.ts';
import { type Summary, summarize } from '../shared/statistics.ts';
import { type Transfer, transfer, writeSource } from './curl.ts';
import { type Ours, type Process, startBare, startOurs } from './process.ts';

export interface TransferRow {
  storage: 'folder' | 'S3';
  server: string;
  role: 'ours' | 'peer';
  direction: 'upload' | 'download';
  parallel: number;
  /** Of one of them. */
  bytes: number;
  /** All together. */
  mibPerSecond: Summary;
  /** Most resident memory of our server while it ran, in MiB. */
  peak?: number;
}

/** One that stores: how to send to it and fetch from it, by the number of the transfer. */
interface Target {
  storage: TransferRow['storage'];
  server: string;
  role: TransferRow['role'];
  process?: Process;
  flags: readonly string[];
  upload: (index: number, file: string) => Transfer;
  download: (index: number) => Transfer;
  stop: () => Promise<void>;
}

export interface TransferOptions {
  folder: string;
  /** Of all transfers at a time. */
  bytes: number;
  runs: number;
  levels: readonly number[];
  withMinio: boolean;
  program?: string | undefined;
}

/** After which no further round begins, as long as two count. */
const MOST_MS = 20_000;
const LEAST_ROUNDS = 2;

export async function measureTransfers(options: TransferOptions): Promise<TransferRow[]> {
  const { folder, bytes, runs, levels } = options;
  mkdirSync(folder);
  const targets = await startTargets(options);
  const rows: TransferRow[] = [];
  try {
    for (const parallel of levels) {
      say(`server: ${parallel} at a time`);
      const each = Math.floor(bytes / parallel);
      const file = join(folder, 'source');
      writeSource(file, each);
      const measured = targets.map(() => ({
        upload: [] as number[],
        download: [] as number[],
        peaks: [0, 0],
      }));
      const began = performance.now();
      for (let round = -1; round < runs; round++) {
        if (round >= LEAST_ROUNDS && performance.now() - began > MOST_MS) break;
        for (const [index, target] of targets.entries()) {
          const into = measured[index];
          for (const direction of ['upload', 'download'] as const) {
            const all = Array.from({ length: parallel }, (_, number) =>
              direction === 'upload' ? target.upload(number, file) : target.download(number),
            );
            target.process?.resetPeak();
            const seconds = await transfer(all, target.flags);
            if (round < 0 || !into) continue;
            into[direction].push((parallel * each) / 2 ** 20 / seconds);
            const which = direction === 'upload' ? 0 : 1;
            into.peaks[which] = Math.max(into.peaks[which] ?? 0, target.process?.peak() ?? 0);
          }
        }
      }
      for (const [index, { storage, server, role, process }] of targets.entries()) {
        for (const direction of ['upload', 'download'] as const) {
          const peak = measured[index]?.peaks[direction === 'upload' ? 0 : 1] ?? 0;
          rows.push({
            ...{ storage, server, role, direction, parallel, bytes: each },
            mibPerSecond: summarize(measured[index]?.[direction] ?? []),
            ...(process && role === 'ours' && { peak: Math.round(peak) }),
          });
        }
      }
    }
  } finally {
    for (const { stop } of targets) await stop();
  }
  return rows;
}

async function startTargets({ folder, levels, withMinio, program }: TransferOptions): Promise<Target[]> {
  const collections = Array.from({ length: Math.max(...levels) }, (_, index) => `c${index}`);
  const bare = await startBare(join(folder, 'bare'));
  const onFolder = await startOurs(join(folder, 'ours'), { collections, program });
  const targets = [bareTarget(bare), ourTarget('folder', onFolder)];
  if (!withMinio) return targets;
  mkdirSync(join(folder, 'minio'));
  const minio = await Minio.create(join(folder, 'minio'));
  const bucket = `http://127.0.0.1:${minio.port}/bench`;
  const signed = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '--user', `${minio.accessKey}:${minio.secretKey}`];
  await transfer([{ url: bucket, method: 'PUT' }], signed);
  const onS3 = await startOurs(join(folder, 'ours-s3'), {
    ...{ collections, program },
    flags: [
      '--storage',
      `s3://bench?endpoint=127.0.0.1:${minio.port}&s3ForcePathStyle=true&region=us-east-1&disableSSL=true&prefix=ours`,
    ],
    env: { AWS_ACCESS_KEY_ID: minio.accessKey, AWS_SECRET_ACCESS_KEY: minio.secretKey },
  });
  const direct: Target = {
    ...{ storage: 'S3', server: 'MinIO itself', role: 'peer', flags: signed },
    upload: (index, file) => ({ url: `${bucket}/direct/${index}`, upload: file }),
    download: (index) => ({ url: `${bucket}/direct/${index}` }),
    stop: () => minio.stop(),
  };
  return [
    ...targets,
    { ...direct, stop: async () => {} },
    {
      ...ourTarget('S3', onS3),
      stop: async () => {
        await onS3.server.stop();
        await minio.stop();
      },
    },
  ];
}

function bareTarget(server: Process): Target {
  return {
    ...{ storage: 'folder', server: 'bare node:http', role: 'peer', process: server, flags: [] },
    upload: (index, file) => ({ url: `${server.url}/f${index}`, upload: file }),
    download: (index) => ({ url: `${server.url}/f${index}` }),
    stop: () => server.stop(),
  };
}

function ourTarget(storage: TransferRow['storage'], { server, token }: Ours): Target {
  const of = (index: number) => ({ collectionId: `c${index}` });
  return {
    ...{ storage, server: 'backup-repository', role: 'ours', process: server },
    flags: ['-H', `Authorization: Bearer ${token}`],
    upload: (index, file) => ({
      url: server.url + pathOf('upload', of(index)),
      upload: file,
      method: 'POST',
    }),
    download: (index) => ({ url: server.url + pathOf('download', { ...of(index), version: 'latest' }) }),
    stop: () => server.stop(),
  };
}
