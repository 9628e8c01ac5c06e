/** Every row of the matrix: from a package in Git to a restored database, on real parts only. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PodRequest } from '../containers/pod.ts';
import { Api, sha256 } from './api.ts';
import { DATABASE_PASSWORD, type Data } from './data/data.ts';
import { ownersOf } from './data/files.ts';
import { Deployment } from './deployment.ts';
import { heldAt } from './held.ts';
import { inspect, watchArguments } from './look.ts';
import { matrix, type Row } from './matrix.ts';
import { accessPassword, keepingLogs, useWorld, type World } from './world.ts';

/** Some of them only, when looking for a mistake: `ROWS=etcd node test/run.ts e2e/scenario/rows`. */
const rows = matrix.rows.filter(({ name }) => name.includes(process.env.ROWS ?? ''));
/** As many as CI has processors. */
const AT_ONCE = 2;

const test = suite('the whole loop');
const world = useWorld(test);

/** Rows run beside each other, as backups do in a cluster; each test waits for its own. */
const runs = new Map<string, Promise<void>>();
let watched: ReturnType<typeof watchArguments> | undefined;
test.before(async () => {
  const started = await world().catch(() => undefined);
  if (!started) return;
  watched = watchArguments(secretsOf(started));
  const lanes = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  for (const [index, row] of rows.entries()) {
    const run = (lanes[index % AT_ONCE] as Promise<void>).then(() =>
      keepingLogs(row.name, () => wholeLoop(started, row)),
    );
    runs.set(row.name, run);
    lanes[index % AT_ONCE] = run.catch(() => undefined);
  }
});

async function wholeLoop(world: World, row: Row): Promise<void> {
  const began = performance.now();
  const data = await world.data(row);
  assert.ok((await data.version()).startsWith(row.version ?? ''), `${row.name} has ${await data.version()}`);
  const app = new Deployment(world, row, data);
  await app.render();
  for (const map of app.objects.filter(({ kind }) => kind === 'ConfigMap'))
    assert.not.ok(
      secretsOf(world).some((secret) => JSON.stringify(map).includes(secret)),
      map.metadata.name,
    );

  const first = await data.state();
  await leavesVolumes(data, () => app.run(app.cronJob));
  assert.is(await data.state(), first, `${row.name}: a backup changes nothing`);
  await checkVersions(world, row, 1);
  await data.change('second');
  const second = await data.state();
  assert.is.not(second, first);
  await leavesVolumes(data, () => app.run(app.cronJob, lookedAt(world, row, 'backup')));
  assert.is(await data.state(), second, `${row.name}: nor does the next one`);
  await checkVersions(world, row, 2);
  await data.change('third');
  assert.is.not(await data.state(), second);

  const restore = async (name: string, targetVersion?: string, options?: Partial<PodRequest>) => {
    const job = await app.request(name, { action: 'restore', ...(targetVersion && { targetVersion }) });
    await data.beforeRestore?.();
    await app.run(job, options);
    await data.afterRestore?.();
  };
  await restore('back-to-monday', 'v1', lookedAt(world, row, 'restore'));
  assert.is(await data.state(), first, `${row.name} is as it was when version 1 was made`);
  await restore('newest');
  assert.is(await data.state(), second, `${row.name} is as it was when the newest version was made`);
  await data.stop?.();
  console.log(`${row.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** The work leaves users, groups and modes on the volumes of the application as they are. */
async function leavesVolumes({ claims = {} }: Data, work: () => Promise<unknown>): Promise<void> {
  const before = Object.values(claims).map((folder) => [folder, ownersOf(folder)] as const);
  await work();
  for (const [folder, owners] of before) {
    const after = ownersOf(folder);
    // What the application itself has removed meanwhile is gone.
    for (const [name, owner] of owners) assert.is(after.get(name) ?? owner, owner, join(folder, name));
  }
}

/** What must not be in arguments or ConfigMaps. */
function secretsOf({ keys }: World): string[] {
  return [...keys.secrets, DATABASE_PASSWORD, ...matrix.rows.map(({ name }) => accessPassword(name))];
}

/** The pod is looked at while its upload, or the end of its restore, waits; and its token is tried on what it is not for. */
function lookedAt(world: World, row: Row, operation: 'backup' | 'restore'): Partial<PodRequest> {
  const collection = `/repository/collection/${row.name}`;
  const end = operation === 'backup' ? `${collection}/version` : `${collection}/action/finish`;
  const builtIn = row.procedure !== 'own';
  return heldAt(
    world.ingress,
    ({ method, path }) => method === 'POST' && path.endsWith(end),
    async (container, { token }) => {
      await inspect(container, {
        name: `${row.name}, ${operation}`,
        operation,
        readOnlyRoot: builtIn,
        builtIn,
        privateKeys: world.keys.secrets,
        secrets: [...secretsOf(world), token],
        accessPassword: accessPassword(row.name),
      });
      const pod = new Api(world.api.url, token);
      const other = matrix.rows.find(({ name }) => name !== row.name)?.name ?? '';
      const mine = operation === 'backup' ? await pod.download(row.name, 1) : await pod.upload(row.name);
      assert.is(mine.status, 403, `${row.name}: the token of a ${operation} is good for nothing else`);
      for (const answer of [await pod.upload(other), await pod.download(other, 1)])
        assert.is(answer.status, 403, `${row.name}: the token is good for no other collection`);
    },
  );
}

/** So many versions are stored, each as the list says, in the row's format. */
async function checkVersions({ api }: World, { name, encryption }: Row, count: number): Promise<void> {
  const versions = await api.versions(name);
  assert.equal(
    versions.map(({ versionNumber }) => versionNumber),
    Array.from({ length: count }, (_, index) => index + 1),
  );
  const newest = versions.at(-1);
  assert.is(newest?.format, encryption);
  assert.is(newest?.contentEncoding, 'zstd');
  const stored = new Uint8Array(await (await api.download(name, count)).arrayBuffer());
  assert.is(stored.length, newest?.filesize);
  assert.is(sha256(stored), newest?.sha256);
}

for (const row of rows) {
  test(`${row.name}: ${row.procedure === 'own' ? "a user's own template" : `procedure ${row.procedure}`}, ${row.encryption}, ${row.with}`, async () => {
    await world();
    await runs.get(row.name);
  });
}

test('no process of any container had a secret in its arguments', () => {
  assert.equal(watched?.stop(), []);
});

test.run();
