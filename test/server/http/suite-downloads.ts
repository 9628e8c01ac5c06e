/** Downloads: names of versions, ranges, conditions, and stored bytes that are not what they were. */
import { Readable } from 'node:stream';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { armoured, refused, type World } from './world.ts';

const LONGER = 'the stored object is longer than it was';

export function downloadTests(test: Test, world: World): void {
  const kept = world.collection('kept', { filenameTemplate: 'böse "${version}".gpg' });
  const empty = world.collection('empty');
  const damaged = world.collection('damaged', { allowUnencrypted: true });

  test('download: latest, 3 and v3, with the original headers', async () => {
    for (const text of ['one', 'two', 'three']) await world.stored(kept, armoured(text));
    for (const [version, text] of [
      ['latest', 'three'],
      ['2', 'two'],
      ['v1', 'one'],
    ] as const) {
      const answer = await world.ask('download', { collectionId: kept, version }, { as: 'downloader' });
      assert.is(answer.status, 200);
      assert.is(answer.bytes.toString(), armoured(text));
      assert.is(answer.headers['content-type'], 'application/octet-stream');
      assert.is(answer.headers['content-length'], String(armoured(text).length));
      assert.match(
        answer.headers['content-disposition'] ?? '',
        /^attachment; filename="b_se _\d_\.gpg"; filename\*=UTF-8''b%C3%B6se/,
      );
    }
  });

  test('download: what there is not, and who may not', async () => {
    refused(
      await world.ask('download', { collectionId: 'nowhere', version: 1 }, { as: 'stranger' }),
      404,
      'cannot find specified collection',
    );
    for (const as of ['stranger', 'uploader']) {
      refused(
        await world.ask('download', { collectionId: kept, version: 99 }, { as }),
        403,
        'not authorized to download versions from this collection',
      );
    }
    for (const version of ['99', 'v0', 'newest', '-1', '1e3']) {
      refused(
        await world.ask('download', { collectionId: kept, version }, { as: 'admin' }),
        404,
        'cannot find specified version',
        'version-not-found',
      );
    }
    refused(
      await world.ask('download', { collectionId: empty, version: 'latest' }, { as: 'admin' }),
      404,
      'cannot find specified version',
    );
  });

  test('HEAD tells what GET would', async () => {
    const get = await world.ask('download', { collectionId: kept, version: 2 }, { as: 'admin' });
    const head = await world.ask(
      'download',
      { collectionId: kept, version: 2 },
      { as: 'admin', method: 'HEAD' },
    );
    assert.is(head.status, 200);
    assert.is(head.bytes.length, 0);
    for (const name of ['content-length', 'etag', 'content-disposition', 'accept-ranges'])
      assert.is(head.headers[name], get.headers[name], name);
    assert.is(
      (await world.ask('download', { collectionId: kept, version: 99 }, { as: 'admin', method: 'HEAD' }))
        .status,
      404,
    );
  });

  test('ranges and conditions', async () => {
    const whole = Buffer.from(armoured('two'));
    const get = (headers: Record<string, string>) =>
      world.ask('download', { collectionId: kept, version: 2 }, { as: 'admin', headers });
    const etag = (await get({})).headers.etag ?? '';
    const ranges: [string, number, number][] = [
      ['bytes=0-9', 0, 9],
      ['bytes=10-', 10, whole.length - 1],
      ['bytes=-5', whole.length - 5, whole.length - 1],
      ['bytes=5-9999', 5, whole.length - 1],
      ['bytes=-9999', 0, whole.length - 1],
    ];
    for (const [range, start, end] of ranges) {
      const answer = await get({ range });
      assert.is(answer.status, 206, range);
      assert.is(answer.headers['content-range'], `bytes ${start}-${end}/${whole.length}`);
      assert.is(answer.bytes.toString(), whole.subarray(start, end + 1).toString());
    }
    for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=9-1', 'bytes=-'])
      assert.is((await get({ range })).status, 200, range);
    for (const range of [`bytes=${whole.length}-`, 'bytes=-0']) {
      const answer = await get({ range });
      assert.is(answer.status, 416);
      assert.is(answer.headers['content-range'], `bytes */${whole.length}`);
    }
    assert.is((await get({ range: 'bytes=0-1', 'if-range': etag })).status, 206);
    assert.is((await get({ range: 'bytes=0-1', 'if-range': '"other"' })).status, 200);
    for (const tag of [etag, `W/${etag}`, '*', `"x", ${etag}`])
      assert.is((await get({ 'if-none-match': tag })).status, 304);
    assert.is((await get({ 'if-none-match': '"x"' })).status, 200);
  });

  test('a damaged version never arrives as if it were whole', async () => {
    const { storage, metadata } = world.target;
    if (!storage || !metadata) return;
    const content = Buffer.alloc(300_000, 'a');
    await world.stored(damaged, content);
    const [version] = await metadata.versions.list(damaged);
    assert.ok(version);
    await storage.remove(version.objectKey);
    refused(
      await world.ask('download', { collectionId: damaged, version: 1 }, { as: 'admin' }),
      500,
      'cannot read from storage: the object cannot be read. Check server logs',
      'cannot-read',
    );
    for (const bad of [
      Buffer.concat([content.subarray(1), Buffer.from('b')]),
      content.subarray(1),
      Buffer.concat([content, Buffer.from('c')]),
    ]) {
      await storage.remove(version.objectKey);
      await storage.put(version.objectKey, Readable.from([bad]), { signal: new AbortController().signal });
      let arrived = true;
      try {
        const answer = await world.ask('download', { collectionId: damaged, version: 1 }, { as: 'admin' });
        // Found before anything was sent.
        if (answer.status !== 200)
          refused(answer, 500, `cannot copy stream to download a version: ${LONGER}`);
        arrived = answer.status === 200;
      } catch {
        arrived = false;
      }
      assert.is(arrived, false);
    }
  });
}
