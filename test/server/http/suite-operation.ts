/** Pages for operators. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HealthCheck } from '../../../src/wire/messages.ts';
import { ROUTES } from '../../../src/wire/routes.ts';
import { call } from './client.ts';
import { dataOf, refused, type World } from './world.ts';

export function operationTests(test: Test, world: World): void {
  const measured = world.collection('measured', { mayBeEmpty: true });

  test('/health answers whatever else is the matter', async () => {
    assert.equal(dataOf(await world.ask('health')), {
      msg: 'The server is up and running. Dependent services are not shown there. Take a look at /ready endpoint',
    });
  });

  test('/ready: with the code, the original checks by their names', async () => {
    const message =
      "health code invalid. Should be provided withing 'Authorization' header or 'code' query string. Must match --health-check-code commandline switch value";
    refused(await world.ask('ready'), 403, message);
    refused(await world.ask('ready', {}, { query: '?code=x' }), 403, message);
    for (const options of [{ query: '?code=ready-code' }, { headers: { authorization: 'ready-code' } }]) {
      const { health } = dataOf<{ health: HealthCheck[] }>(await world.ask('ready', {}, options));
      assert.equal(
        health.map(({ statusText }) => statusText),
        ['DbValidator=true', 'StorageAvailabilityValidator=true', 'ConfigurationProviderValidator=true'],
      );
    }
  });

  test('/metrics: figures of every collection, with the code', async () => {
    assert.is((await world.ask('metrics')).status, 403);
    const scrape = async () =>
      (await world.ask('metrics', {}, { query: '?code=ready-code' })).bytes.toString();
    assert.match(
      await scrape(),
      new RegExp(`backup_repository_collection_versions\\{collection="${measured}"\\} 0\n`),
    );
    const { filesize } = await world.stored(measured);
    await world.upload(measured, 'plain');
    const text = (await Promise.all(world.target.urls.map(scrape))).join('\n');
    for (const line of [
      `collection_versions{collection="${measured}"} 1`,
      `collection_bytes{collection="${measured}"} ${filesize}`,
      `collection_newest_version_bytes{collection="${measured}"} ${filesize}`,
      `collection_quota_bytes{collection="${measured}"} ${20 * 1024 ** 2}`,
      `collection_overdue{collection="${measured}"} 0`,
      `uploads_total{collection="${measured}"} 1`,
      `upload_failures_total{collection="${measured}",reason="not-encrypted"} 1`,
      `uploads_in_flight{collection="${measured}"} 0`,
    ]) {
      assert.ok(text.includes(`backup_repository_${line}\n`), line);
    }
    assert.match(text, new RegExp(`collection_newest_version_age_seconds\\{collection="${measured}"\\} \\d`));
  });

  test('/openapi.json has every route', async () => {
    const { paths } = (await world.ask('openapi')).json as { paths: Record<string, Record<string, unknown>> };
    for (const [name, { method, path }] of Object.entries(ROUTES)) {
      assert.ok(paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()], name);
    }
  });

  test('requests: ids, unknown pages and methods', async () => {
    const known = await world.ask('health', {}, { headers: { 'x-request-id': 'job-17' } });
    assert.is(known.headers['x-request-id'], 'job-17');
    const odd = await world.ask('health', {}, { headers: { 'x-request-id': 'a b\tc' } });
    assert.match(odd.headers['x-request-id'] as string, /^[0-9a-f-]{36}$/);
    refused(await call('GET', world.url('/nothing')), 404, 'there is no such page', 'not-found');
    const patched = await call('PATCH', world.url('/health'));
    assert.is(patched.status, 405);
    assert.is(patched.headers.allow, 'GET');
    assert.is((await call('GET', world.url(`/health?${'x'.repeat(11_000)}`))).status, 414);
    assert.is(
      (await call('GET', world.url('/health'), { headers: { 'x-long': 'x'.repeat(20_000) } })).status,
      431,
    );
    assert.is((await call('GET', world.url('/%zz'))).status, 400);
  });

  test('the other spelling of paths works too', async () => {
    const token = await world.token();
    const { upload, versions, download } = ROUTES;
    assert.is(
      (await call('GET', world.url(versions.aliases[0].replace(':collectionId', measured)), { token }))
        .status,
      200,
    );
    assert.is(
      (
        await call('POST', world.url(upload.aliases[0].replace(':collectionId', measured)), {
          token,
          body: 'x',
        })
      ).status,
      500,
    );
    const path = download.aliases[0].replace(':collectionId', measured).replace(':version', 'latest');
    assert.is((await call('GET', world.url(path), { token })).status, 200);
  });
}
