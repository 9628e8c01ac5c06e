/**
 * Puts several objects at once and prints what it took. Arguments: URL of the storage, uploads, megabytes of each, and
 * gigabytes that each is said to have, if it is.
 * Prints the peak of resident memory in MiB, before and after.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { openStorage } from '../../../../src/server/storage/open-storage.ts';

const [url = '', uploads = '8', megabytes = '100', said = '0'] = process.argv.slice(2);
// Not resourceUsage(): its peak begins with that of the process that started this one.
const peak = () =>
  Math.round(Number(readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s+(\d+)/)?.[1]) / 1024);
const storage = await openStorage(url);
await storage.check(5000);
const before = peak();
const options = { signal: new AbortController().signal, expectedBytes: Number(said) * 1024 ** 3 };
const started = performance.now();
await Promise.all(
  Array.from({ length: Number(uploads) }, async () => {
    // As pieces come from a socket: small, and each in memory of its own.
    const pieces = function* () {
      for (let i = 0; i < Number(megabytes) * 16; i++) yield Buffer.alloc(65_536, i);
    };
    await storage.put(`many/${randomUUID()}`, Readable.from(pieces(), { objectMode: false }), options);
  }),
);
const seconds = (performance.now() - started) / 1000;
const rate = Math.round((Number(uploads) * Number(megabytes)) / seconds);
console.log(JSON.stringify({ before, after: peak(), rate }));
await storage.close();
