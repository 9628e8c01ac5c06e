/** The pieces that the engines are made of: reading in blocks, sizes and memory of parts, URLs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/api/problem.ts';
import { blocks } from '../../../src/server/storage/blocks.ts';
import { PartBuffers, SharedMemory } from '../../../src/server/storage/part-buffers.ts';
import {
  MOST_PARTS,
  type PartSizes,
  partSizes,
  SMALLEST_PART,
} from '../../../src/server/storage/part-sizes.ts';
import { parseS3Url } from '../../../src/server/storage/s3-url.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const live = () => new AbortController().signal;

const reading = suite('reading in blocks');

reading('blocks are worth a write, except for the last', async () => {
  const source = Readable.from(
    (function* () {
      for (let i = 0; i < 640; i++) yield Buffer.alloc(4096);
    })(),
    { objectMode: false },
  );
  const sizes: number[] = [];
  for await (const block of blocks(source, live())) sizes.push(block.length);
  assert.is(
    sizes.reduce((sum, size) => sum + size, 0),
    640 * 4096,
  );
  assert.ok(
    sizes.slice(0, -1).every((size) => size >= 131_072 && size <= MIB),
    sizes.join(),
  );
});

reading('a source is not read faster than its bytes are used', async () => {
  for (const size of [65_536, 1]) {
    let given = 0;
    const source = new Readable({
      read() {
        given += size;
        this.push(Buffer.alloc(size));
      },
      highWaterMark: 65_536,
    });
    for await (const _ of blocks(source, live())) {
      await sleep(20);
      break;
    }
    assert.ok(given < 2 * MIB, `${given} bytes were read ahead`);
    source.destroy();
  }
});

reading('a source is left paused, not destroyed', async () => {
  const source = new PassThrough();
  source.write(Buffer.alloc(MIB));
  for await (const _ of blocks(source, live())) break;
  assert.not.ok(source.destroyed);
  assert.ok(source.isPaused());
  assert.is(source.listenerCount('data'), 0);
});

reading.run();

const sizes = suite('parts');

/** How many parts a stream of this length is cut into, and how large the largest is. */
function cut(length: number, sizeAfter: PartSizes): { parts: number; largest: number } {
  let [sent, parts, largest] = [0, 0, 0];
  for (; sent < length; parts++) {
    const size = sizeAfter(sent);
    largest = Math.max(largest, size);
    sent += size;
  }
  return { parts, largest };
}

sizes('the largest object that S3 holds fits into the parts that it takes', () => {
  for (const [length, lengths] of [
    [5120 * GIB, {}],
    [5120 * GIB, { expectedBytes: 5120 * GIB }],
    [5120 * GIB, { mostBytes: 5120 * GIB }],
    [5120 * GIB, { mostBytes: 1_000_000 * GIB }],
    // Announced too short, and too long.
    [200 * GIB, { expectedBytes: 100 * GIB }],
    [100 * GIB, { expectedBytes: 200 * GIB }],
  ] as const) {
    const { parts } = cut(length, partSizes(lengths));
    assert.ok(parts <= MOST_PARTS, `${parts} parts`);
  }
});

sizes('whatever the limit, what may come fits, in parts that are no larger than without one', () => {
  for (let limit = GIB; limit <= 5120 * GIB; limit = Math.ceil(limit * 1.07)) {
    const { parts, largest } = cut(limit, partSizes({ mostBytes: limit }));
    assert.ok(parts <= MOST_PARTS, `${parts} parts of ${limit / GIB} GiB`);
    assert.ok(largest <= cut(limit, partSizes({})).largest);
    // Of a smaller version as well.
    assert.ok(cut(limit / 3, partSizes({ mostBytes: limit })).parts <= MOST_PARTS);
  }
});

sizes('parts are as small as S3 allows up to 6 GiB, and no larger than they must later', () => {
  const unlimited = partSizes({});
  for (const sent of [0, GIB, 6 * GIB]) assert.is(unlimited(sent), SMALLEST_PART);
  assert.ok(unlimited(100 * GIB) <= 83 * MIB);
  assert.is(partSizes({ expectedBytes: 10 * GIB })(0), SMALLEST_PART);
  const known = partSizes({ expectedBytes: 100 * GIB, mostBytes: 1000 * GIB });
  assert.is(known(0), 12 * MIB);
  assert.is(known(90 * GIB), 12 * MIB);
  // It was longer than announced.
  assert.ok(known(200 * GIB) > 100 * MIB);
  const limited = partSizes({ mostBytes: 100 * GIB });
  assert.is(limited(0), SMALLEST_PART);
  assert.is(limited(99 * GIB), 11 * MIB);
  assert.is(partSizes({ mostBytes: 48 * GIB })(47 * GIB), SMALLEST_PART);
});

sizes('docs/deploy.md says what memory versions of each size take', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/deploy.md'), 'utf8');
  const rows = [...guide.matchAll(/^\| (\d+)([GT]) \| (\d+) MiB \| (\d+) MiB \|$/gm)];
  assert.ok(rows.length >= 5, `${rows.length} rows`);
  for (const [row, number, unit, limited, known] of rows) {
    const length = Number(number) * (unit === 'T' ? 1024 : 1) * GIB;
    const largest = [{ mostBytes: length }, { expectedBytes: length }].map(
      (lengths) => cut(length, partSizes(lengths)).largest / MIB,
    );
    assert.equal(largest, [Number(limited), Number(known)], row);
  }
});

sizes('every upload has a buffer, and all share two more', () => {
  const shared = new SharedMemory();
  const uploads = Array.from({ length: 8 }, () => new PartBuffers(shared));
  const taken = uploads.map((upload) => {
    const buffers: Buffer[] = [];
    for (let buffer = upload.take(SMALLEST_PART); buffer; buffer = upload.take(SMALLEST_PART))
      buffers.push(buffer);
    return buffers;
  });
  assert.equal(
    taken.map(({ length }) => length),
    [3, 1, 1, 1, 1, 1, 1, 1],
  );
  for (const buffer of taken[0] ?? []) uploads[0]?.giveBack(buffer);
  assert.ok(uploads[1]?.take(SMALLEST_PART));
  for (const buffer of taken[2] ?? []) uploads[2]?.giveBack(buffer);
  assert.ok(taken.flat().includes(uploads[2]?.take(SMALLEST_PART) as Buffer), 'memory is used again');
});

sizes('parts that are larger than what is shared are sent one by one', () => {
  const buffers = new PartBuffers(new SharedMemory());
  const large = buffers.take(30 * MIB) as Buffer;
  assert.is(buffers.take(30 * MIB), undefined);
  buffers.giveBack(large);
  const larger = buffers.take(31 * MIB) as Buffer;
  assert.is(larger.length, 31 * MIB);
  buffers.giveBack(larger);
  assert.is(buffers.take(31 * MIB), larger, 'memory is used again, rather than as much once more');
});

sizes.run();

const urls = suite('URLs of S3');

urls('the original’s form is understood', () => {
  assert.equal(
    parseS3Url('s3://Backups_1?endpoint=host:9000&disableSSL=true&s3ForcePathStyle=true&region=eu-central-1'),
    {
      ...{
        bucket: 'Backups_1',
        prefix: '',
        endpoint: 'http://host:9000',
        region: 'eu-central-1',
        pathStyle: true,
      },
      ...{ accelerate: false, dualStack: false, fips: false },
    },
  );
  const { endpoint, prefix, pathStyle } = parseS3Url(
    's3://b?endpoint=https://r2.example.com&prefix=/a/b&use_path_style=1',
  );
  assert.equal([endpoint, prefix, pathStyle], ['https://r2.example.com', 'a/b/', true]);
  assert.is(parseS3Url('s3://b?endpoint=minio:9000').endpoint, 'https://minio:9000');
  assert.is(parseS3Url('s3://b').endpoint, undefined);
  assert.is(parseS3Url('s3://b/some/folder').prefix, 'some/folder/');
});

urls('what cannot work is refused, and no secret repeated', () => {
  for (const [url, expected] of [
    ['s3://', /names no bucket/],
    ['s3://?endpoint=host', /names no bucket/],
    ['s3://key:hunter2@bucket', /AWS_ACCESS_KEY_ID/],
    ['s3://bucket?endpoint=http://key:hunter2@host', /credentials do not belong/],
    ['s3://bucket?endpoint=http://', /endpoint/],
    ['s3://bucket?disableSsl=true', /did you mean "disableSSL"/],
    ['s3://bucket?disableSSL=yes', /true or false/],
  ] as const) {
    try {
      parseS3Url(url);
      assert.unreachable(url);
    } catch (error) {
      assert.instance(error, UserError, url);
      assert.match((error as Error).message, expected);
      assert.not.match((error as Error).message, /hunter2/);
    }
  }
});

urls.run();
