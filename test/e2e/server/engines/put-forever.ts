/** Puts an object that never ends, and says so when half of it is under way. Arguments: URL of the storage, key. */
import { Readable } from 'node:stream';
import { openStorage } from '../../../../src/server/storage/open-storage.ts';

const [url = '', key = ''] = process.argv.slice(2);
const storage = await openStorage(url);
const source = Readable.from(
  (async function* () {
    for (let megabytes = 0; ; megabytes++) {
      if (megabytes === 24) process.stdout.write('half\n');
      if (megabytes > 24) await new Promise((resolve) => setTimeout(resolve, 5));
      yield Buffer.alloc(1024 * 1024, megabytes);
    }
  })(),
  { objectMode: false },
);
await storage.put(key, source, { signal: new AbortController().signal });
