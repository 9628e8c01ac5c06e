/** The behavioural suite on the engines that need a server: PostgreSQL with a folder, and with S3 and two replicas. */
import { join } from 'node:path';
import { openMetadata } from '../../../../src/server/metadata/open-metadata.ts';
import { openStorage } from '../../../../src/server/storage/open-storage.ts';
import { openReplicas } from '../../../server/http/in-process.ts';
import { httpSuite } from '../../../server/http/suite.ts';
import { folder } from '../engines/processes.ts';
import { newBucket, newDatabase } from './engines.ts';
import { Program } from './programs.ts';

httpSuite(
  'http on PostgreSQL and a folder',
  openReplicas(async () => {
    const metadata = await openMetadata(await newDatabase());
    await metadata.migrate();
    return [{ metadata, storage: await openStorage(join(folder(), 'objects')) }];
  }),
);

httpSuite('http on PostgreSQL and S3, two replicas of the program in turn', async (documents) => {
  const [database, bucket] = await Promise.all([newDatabase(), newBucket()]);
  // The flags that mean SUITE_SETTINGS.
  const flags = [
    ...['--database', database, '--storage', bucket.url()],
    ...['--health-check-key', 'ready-code', '--hang-up-grace', '3s'],
    ...['--upload-idle-timeout', '1s', '--idle-timeout', '1s'],
    ...['--log-level', 'fatal'],
  ];
  const replicas = await Promise.all([1, 2].map(() => Program.serve(documents, flags)));
  const [metadata, storage] = [await openMetadata(database), await openStorage(bucket.url())];
  return {
    urls: replicas.map(({ address }) => address),
    metadata,
    storage,
    close: async () => {
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
      await storage.close();
      await metadata.close();
    },
  };
});
