/** What is accepted as content, and digests that clients send along. */
import { createHash } from 'node:crypto';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatDigest, HEADERS } from '../../../src/wire/headers.ts';
import { armoured, refused, type World } from './world.ts';

const STREAM = 'cannot upload version. cannot upload file, cannot copy stream, error: ';

export function contentTests(test: Test, world: World): void {
  const formats = world.collection('formats', { maxBackupsCount: 50 });
  const open = world.collection('open', { allowUnencrypted: true });
  const proven = world.collection('proven', { maxBackupsCount: 50 });

  test('formats: OpenPGP and age, binary and armoured; anything where it is allowed', async () => {
    const session = Buffer.concat([
      Buffer.from([0x85, 0x00, 0x03, 3, 1, 2]),
      Buffer.from([0xd2, 0x20]),
      Buffer.alloc(32, 7),
    ]);
    const cases: [string, string | Buffer][] = [
      ['openpgp', session],
      ['openpgp-armor', `\n${armoured()}`],
      ['age', 'age-encryption.org/v1\n-> X25519 abc\nabc\n--- mac\nxyz'],
      ['age-armor', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n'],
    ];
    for (const [format, body] of cases) assert.is((await world.stored(formats, body)).format, format);
    const halves = [
      '-----BEGIN AGE ENCRYPTED FILE-----\n',
      'age-encryption.org/v2\n',
      Buffer.from([0x1f, 0x8b, 8, 0]),
      Buffer.from([0x85, 0, 3, 9]),
    ];
    for (const body of halves) assert.is((await world.upload(formats, body)).status, 500);
    assert.is((await world.stored(open, 'plain text')).format, 'plain');
    assert.is((await world.stored(open, armoured())).format, 'openpgp-armor');
  });

  test('formats: recognised even if the bytes come one by one', async () => {
    assert.is((await world.stored(formats, [...armoured()])).filesize, armoured().length);
  });

  test('digest: the answer has it, and so has every download', async () => {
    const version = await world.stored(proven, armoured(), {
      headers: { [HEADERS.contentEncoding]: 'ZSTD' },
    });
    const sha256 = createHash('sha256').update(armoured()).digest('hex');
    assert.is(version.sha256, sha256);
    assert.is(version.contentEncoding, 'zstd');
    const download = await world.ask(
      'download',
      { collectionId: proven, version: 'latest' },
      { as: 'admin' },
    );
    assert.is(download.headers[HEADERS.digest], formatDigest(sha256));
    assert.is(download.headers.etag, `"${sha256}"`);
    assert.is(download.headers[HEADERS.contentEncoding], 'zstd');
    assert.is(download.headers[HEADERS.format], 'openpgp-armor');
    assert.is(download.headers[HEADERS.version], String(version.versionNumber));
  });

  test('digest: as header or trailer; one that differs stores nothing', async () => {
    const right = formatDigest(createHash('sha256').update(armoured()).digest('hex'));
    const wrong = formatDigest(createHash('sha256').update('other').digest('hex'));
    const before = (await world.versions(proven)).length;
    assert.is(
      (await world.upload(proven, armoured(), { headers: { [HEADERS.digest]: `md5=:x:, ${right}` } })).status,
      200,
    );
    assert.is((await world.upload(proven, [armoured()], { trailers: { 'Repr-Digest': right } })).status, 200);
    for (const options of [
      { headers: { [HEADERS.digest]: wrong } },
      { trailers: { 'Repr-Digest': wrong } },
    ]) {
      const answer = await world.upload(proven, armoured(), options);
      assert.is(answer.status, 422);
      assert.ok(
        (answer.json as { error: string }).error.startsWith(`${STREAM}the SHA-256 of the received data is`),
      );
    }
    const headers = { trailer: 'Repr-Digest', 'transfer-encoding': 'chunked' };
    refused(
      await world.upload(proven, [armoured()], { headers }),
      400,
      'the trailer Repr-Digest was announced and did not come',
      'bad-digest',
    );
    const unreadable = await world.upload(proven, armoured(), {
      headers: { [HEADERS.digest]: 'sha-256=:x:' },
    });
    assert.is(unreadable.status, 400);
    assert.is((await world.versions(proven)).length, before + 2);
  });

  test('a client that asks first sends nothing that would be refused', async () => {
    const refusedUpload = await world.begin('nowhere', {
      headers: { expect: '100-continue', 'content-length': '1000000' },
    });
    let asked = false;
    refusedUpload.outgoing.on('continue', () => {
      asked = true;
    });
    refusedUpload.outgoing.flushHeaders();
    assert.is((await refusedUpload.promise).status, 404);
    assert.is(asked, false);
    refusedUpload.outgoing.destroy();

    const headers = { expect: '100-continue', 'content-length': String(armoured().length) };
    const accepted = await world.begin(proven, { headers });
    accepted.outgoing.on('continue', () => accepted.outgoing.end(armoured()));
    accepted.outgoing.flushHeaders();
    assert.is((await accepted.promise).status, 200);
  });
}
