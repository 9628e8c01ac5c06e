/** Uploads: the order of the checks and every message of the original, rotation, and clients that break off. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../eventually.ts';
import { armoured, refused, type World } from './world.ts';

const STREAM = 'cannot upload version. cannot upload file, cannot copy stream, error: ';
/** Opens once a year, for a minute, on a day half a year away. */
const CLOSED = [{ from: `0 0 1 ${((new Date().getMonth() + 6) % 12) + 1} *`, duration: '1m' }];

export function uploadTests(test: Test, world: World): void {
  const plainly = world.collection('plainly');
  const closed = world.collection('closed', {
    windows: CLOSED,
    accessControl: [
      { userName: 'uploader', roles: ['backupUploader'] },
      { userName: 'downloader', roles: ['uploadsAnytime'] },
    ],
  });
  const keyed = world.collection('keyed');
  const busy = world.collection('busy');
  const small = world.collection('small', {
    maxBackupsCount: 2,
    maxOneVersionSize: '1K',
    maxCollectionSize: '2K',
    allowUnencrypted: true,
  });
  const stretching = world.collection('stretching', {
    maxBackupsCount: 2,
    maxOneVersionSize: '1K',
    maxCollectionSize: '3K',
    allowUnencrypted: true,
  });
  const three = world.collection('three', { maxBackupsCount: 3 });
  const full = world.collection('full', {
    maxBackupsCount: 1,
    maxOneVersionSize: '100B',
    maxCollectionSize: '100B',
    allowUnencrypted: true,
  });
  const nameless = world.collection('nameless', { filenameTemplate: 'same name.gpg' });
  const broken = world.collection('broken');
  const late = world.collection('late', { allowUnencrypted: true });
  const silent = world.collection('silent');

  test('upload: a version with everything that the original told, and more', async () => {
    const version = await world.stored(plainly);
    assert.is(version.versionNumber, 1);
    assert.is(version.collectionId, plainly);
    assert.is(version.filename, 'backup-1.gpg');
    assert.is(version.filesize, armoured().length);
    assert.is(version.user, 'admin');
    assert.is(version.format, 'openpgp-armor');
    assert.is(version.DeletedAt, null);
    assert.is((await world.stored(plainly)).versionNumber, 2);
    assert.equal(
      (await world.versions(plainly)).map(({ versionNumber }) => versionNumber),
      [1, 2],
    );
  });

  test('1. and 2.: first the collection, then the right', async () => {
    refused(
      await world.upload('nowhere', 'x', { as: 'stranger' }),
      404,
      'cannot find specified collection',
      'collection-not-found',
    );
    for (const as of ['stranger', 'downloader']) {
      refused(
        await world.upload(plainly, 'x', { as }),
        403,
        'not authorized to upload versions to this collection',
      );
    }
    assert.is((await world.upload(plainly, armoured(), { as: 'uploader' })).status, 200);
    assert.is((await world.upload(keyed, armoured(), { as: 'machine$key' })).status, 200);
    assert.is((await world.upload(plainly, armoured(), { as: 'machine$key' })).status, 403);
  });

  test('3.: then the window, unless one may upload at any time', async () => {
    refused(
      await world.upload(closed, 'x', { as: 'uploader' }),
      403,
      "backup window does not allow you to send a backup at this time. You need a token that has a special permission 'uploadsAnytime'",
    );
    assert.is((await world.upload(closed, armoured(), { as: 'downloader' })).status, 200);
  });

  test('4.: one upload at a time; the next may follow at once', async () => {
    const content = Buffer.from(armoured('x'.repeat(100_000)));
    const first = await world.underWay(busy, { headers: { 'content-length': String(content.length) } });
    // Little by little, because a client that is silent is given up.
    let sent = 0;
    const talking = setInterval(() => {
      first.outgoing.write(content.subarray(sent, sent + 10));
      sent += 10;
    }, 50);
    try {
      const second = await world.upload(busy);
      refused(second, 500, 'cannot upload to same collection in parallel', 'parallel-upload');
    } finally {
      clearInterval(talking);
    }
    first.outgoing.end(content.subarray(sent));
    assert.is((await first.promise).status, 200);
    for (let count = 0; count < 3; count++) assert.is((await world.upload(busy)).status, 200);
  });

  test('7.: forms: the field "file", or none', async () => {
    const multipart = (name: string) => ({
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: `--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n${armoured()}\r\n--b--\r\n`,
    });
    const good = multipart('file');
    assert.is((await world.stored(plainly, good.body, good)).filesize, armoured().length);
    const bad = multipart('other');
    const answer = await world.upload(plainly, bad.body, bad);
    refused(answer, 500, 'cannot read file from multipart/urlencoded form: there is no field "file"');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `a=b&file=${encodeURIComponent(armoured()).replaceAll('%20', '+')}&c=d`;
    assert.is((await world.stored(plainly, body, { headers })).filesize, armoured().length);
    refused(
      await world.upload(plainly, 'a=b', { headers }),
      500,
      'cannot read file from multipart/urlencoded form: there is no field "file"',
    );
    assert.is(
      (await world.stored(plainly, armoured(), { headers })).format,
      'openpgp-armor',
      'as curl --data-binary sends it',
    );
  });

  test('9.: too large, empty, no header, no footer', async () => {
    const most = 1024;
    refused(
      await world.upload(small, Buffer.alloc(most + 1)),
      500,
      `${STREAM}filesize reached allowed limit. Uploaded ${most + 1} bytes, allowed to upload only ${most} bytes`,
      'too-large',
    );
    assert.match(
      ((await world.upload(small, [Buffer.alloc(most), Buffer.alloc(1)])).json as { error: string }).error,
      /filesize reached allowed limit. Uploaded 1025 bytes, allowed to upload only 1024 bytes$/,
    );
    refused(await world.upload(plainly, ''), 500, `${STREAM}sent empty data`, 'empty');
    refused(await world.upload(plainly, ['']), 500, `${STREAM}sent empty data`);
    refused(
      await world.upload(plainly, 'plain text'),
      500,
      `${STREAM}first chunk of uploaded data does not contain a valid GPG header`,
      'not-encrypted',
    );
    refused(
      await world.upload(plainly, armoured().slice(0, -10)),
      500,
      `${STREAM}end of stream does not contain a valid GPG footer, suspecting a data corruption`,
      'truncated',
    );
    assert.equal(await world.versions(small), []);
  });

  test('sizes: what the collection has more than its versions need may be used once', async () => {
    await world.stored(stretching, Buffer.alloc(1500));
    refused(
      await world.upload(stretching, Buffer.alloc(1600)),
      500,
      `${STREAM}filesize reached allowed limit. Uploaded 1600 bytes, allowed to upload only 1572 bytes`,
    );
    await world.stored(stretching, Buffer.alloc(1572));
  });

  test('6.: declined if what may not be removed fills the collection', async () => {
    const { versionNumber } = await world.stored(full, Buffer.alloc(100));
    await world.stored(full, Buffer.alloc(100));
    await world.ask('pin', { collectionId: full, version: versionNumber + 1 }, { as: 'admin' });
    const answer = await world.upload(full, Buffer.alloc(10));
    assert.is(answer.status, 403);
    assert.match(
      (answer.json as { error: string }).error,
      /^backup collection strategy declined a possibility to upload, /,
    );
  });

  test('rotation: the oldest go once the new one is stored; numbers are never used again', async () => {
    for (let count = 0; count < 5; count++) await world.stored(three);
    assert.equal(
      (await world.versions(three)).map(({ versionNumber }) => versionNumber),
      [3, 4, 5],
    );
    const rejected = await world.upload(three, 'plain text');
    assert.is(rejected.status, 500);
    assert.equal(
      (await world.versions(three)).map(({ versionNumber }) => versionNumber),
      [3, 4, 5],
    );
    const { storage } = world.target;
    if (!storage) return;
    await eventually(
      'the removal of the objects of rotated versions',
      async () => (await keysOf(world, three)).length <= 3,
    );
    assert.is((await keysOf(world, three)).length, 3);
  });

  test('names: two versions of one name are two objects', async () => {
    await world.stored(nameless, armoured('one'));
    await world.stored(nameless, armoured('two'));
    const bodies = await Promise.all(
      [1, 2].map(async (version) =>
        (await world.ask('download', { collectionId: nameless, version }, { as: 'admin' })).bytes.toString(),
      ),
    );
    assert.equal(bodies, [armoured('one'), armoured('two')]);
  });

  test('a client that hangs up in the middle leaves nothing, and frees the collection', async () => {
    const { outgoing, promise } = await world.underWay(broken);
    outgoing.write(armoured('x'.repeat(100_000)).slice(0, 90_000));
    await sleep(200);
    outgoing.destroy();
    await promise.catch(() => {});
    await eventually('the next upload', async () => (await world.upload(broken)).status === 200);
    assert.equal(
      (await world.versions(broken)).map(({ versionNumber }) => versionNumber),
      [1],
    );
    if (world.target.storage) assert.is((await keysOf(world, broken)).length, 1);
  });

  test('10.: a client that hangs up right behind its last byte did not mean it', async () => {
    const { outgoing, promise } = await world.begin(late, { headers: { 'transfer-encoding': 'chunked' } });
    outgoing.end('a dump that failed');
    // As the original's client: the last chunk is out before it knows that the command failed.
    await once(outgoing, 'finish');
    await sleep(50);
    outgoing.destroy();
    await promise.catch(() => {});
    await eventually(
      'the next upload',
      async () => (await world.upload(late, 'a dump that worked')).status === 200,
    );
    const versions = await world.versions(late);
    assert.equal(
      versions.map(({ filesize }) => filesize),
      ['a dump that worked'.length],
    );
  });

  test('a client that goes silent is given up', async () => {
    const { outgoing, promise } = await world.begin(silent);
    outgoing.write(armoured().slice(0, 20));
    refused(await promise, 408, 'Request took too long', 'idle');
    outgoing.destroy();
    await eventually('the next upload', async () => (await world.upload(silent)).status === 200);
  });
}

async function keysOf(world: World, collectionId: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of world.target.storage?.list() ?? [])
    if (key.startsWith(`${collectionId}/`)) keys.push(key);
  return keys;
}
