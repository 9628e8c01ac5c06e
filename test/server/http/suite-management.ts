/** Listing, deleting and pinning; collections and their health. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CollectionMessage, HealthCheck } from '../../../src/wire/messages.ts';
import { HEALTH_CODE } from './documents.ts';
import { dataOf, refused, type World } from './world.ts';

export function managementTests(test: Test, world: World): void {
  const listed = world.collection('listed', { description: 'to be listed' });
  const managed = world.collection('managed', { maxBackupsCount: 2 });
  const well = world.collection('well', { healthSecretRef: { name: 'codes', entry: 'health' } });
  const never = world.collection('never');
  const mayBeEmpty = world.collection('may-be-empty', { mayBeEmpty: true });

  test('versions: listed to those who may upload or download, oldest first', async () => {
    await world.stored(listed);
    await world.stored(listed);
    for (const as of ['uploader', 'downloader', 'admin']) {
      const { versions } = dataOf<{ versions: { versionNumber: number }[] }>(
        await world.ask('versions', { collectionId: listed }, { as }),
      );
      assert.equal(
        versions.map(({ versionNumber }) => versionNumber),
        [1, 2],
      );
    }
    refused(
      await world.ask('versions', { collectionId: listed }, { as: 'stranger' }),
      403,
      'not authorized to list versions',
    );
    refused(
      await world.ask('versions', { collectionId: 'nowhere' }, { as: 'stranger' }),
      404,
      'cannot find specified collection',
    );
  });

  test('collections: those that one may see, with what they hold', async () => {
    const seen = async (as: string) =>
      dataOf<{ collections: CollectionMessage[] }>(await world.ask('collections', {}, { as })).collections;
    const own = (await seen('uploader')).find(({ id }) => id === listed);
    assert.is(own?.description, 'to be listed');
    assert.is(own?.maxOneVersionSize, 1024 ** 2);
    assert.equal(await seen('stranger'), []);
  });

  test('deleting and pinning: by managers, never what is pinned, the last one only by force', async () => {
    for (let count = 0; count < 2; count++) await world.stored(managed);
    const at = (version: number) => ({ collectionId: managed, version });
    for (const route of ['deleteVersion', 'pin', 'unpin'] as const) {
      for (const as of ['uploader', 'downloader', 'stranger']) {
        refused(
          await world.ask(route, at(1), { as }),
          403,
          'not authorized to manage versions of this collection',
        );
      }
      refused(await world.ask(route, at(9), { as: 'manager' }), 404, 'cannot find specified version');
    }
    assert.is((await world.ask('pin', at(1), { as: 'manager' })).status, 200);
    for (let count = 0; count < 3; count++) await world.stored(managed);
    assert.equal(
      (await world.versions(managed)).map(({ versionNumber }) => versionNumber),
      [1, 4, 5],
    );
    refused(
      await world.ask('deleteVersion', at(1), { as: 'manager' }),
      409,
      'version 1 is pinned: unpin it first',
      'version-pinned',
    );
    assert.is((await world.ask('unpin', at(1), { as: 'manager' })).status, 200);
    for (const version of [1, 4])
      assert.is((await world.ask('deleteVersion', at(version), { as: 'manager' })).status, 200);
    assert.is((await world.ask('deleteVersion', at(5), { as: 'manager' })).status, 409);
    assert.is((await world.ask('deleteVersion', at(5), { as: 'manager', query: '?force=true' })).status, 200);
    assert.equal(await world.versions(managed), []);
    assert.is((await world.stored(managed)).versionNumber, 6);
  });

  test('health of a collection: with its code, in the original shape', async () => {
    await world.stored(well);
    const wrong = "not authorized - invalid value of 'code' parameter in query string";
    refused(await world.ask('collectionHealth', { collectionId: well }), 403, wrong);
    refused(
      await world.ask(
        'collectionHealth',
        { collectionId: well },
        { query: '?code=no', headers: { authorization: HEALTH_CODE } },
      ),
      403,
      wrong,
    );
    const good = await world.ask(
      'collectionHealth',
      { collectionId: well },
      { query: `?code=${HEALTH_CODE}` },
    );
    const { health } = dataOf<{ health: HealthCheck[] }>(good);
    assert.equal(
      health.slice(0, 3).map(({ name }) => name),
      ['BackupWindowValidator', 'VersionsSizeValidator', 'SumOfVersionsValidator'],
    );
    assert.equal(health[0], {
      name: 'BackupWindowValidator',
      statusText: 'BackupWindowValidator=true',
      status: true,
      message: 'OK',
    });
    assert.is(
      (
        await world.ask(
          'collectionHealth',
          { collectionId: well },
          { headers: { authorization: HEALTH_CODE } },
        )
      ).status,
      200,
    );
    refused(
      await world.ask('collectionHealth', { collectionId: 'nowhere' }),
      404,
      'cannot find specified collection',
    );
  });

  test('health of a collection: never filled is not well, unless it says so', async () => {
    const answer = await world.ask('collectionHealth', { collectionId: never });
    assert.is(answer.status, 500);
    const { error, data } = answer.json as { error: string; data: { health: HealthCheck[] } };
    assert.is(error, 'one of checks failed');
    assert.equal(
      data.health.filter(({ status }) => !status).map(({ statusText }) => statusText),
      ['VersionsExistValidator=false'],
    );
    assert.is((await world.ask('collectionHealth', { collectionId: mayBeEmpty })).status, 200);
  });
}
