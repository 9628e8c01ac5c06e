/** What every engine of the metadata must do, told once: each engine's test file runs all of it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AlreadyExists,
  type Lease,
  LeaseLost,
  type Metadata,
  type NewVersion,
  type Session,
} from '../../../src/server/metadata/metadata.ts';

export interface Engines {
  /** Two replicas: connections of their own to one database. The same one twice where there can be only one. */
  replicas(): readonly [Metadata, Metadata];
  /** Counters are shared by the replicas. */
  sharedCounters: boolean;
}

/** Names are random, because the tests share a database. */
export const unique = (prefix = 'it') => `${prefix}-${randomUUID()}`;

/** Longer than any test takes, also on a disk that takes long for each of hundreds of commits. */
const TTL = 600_000;
/** Long enough to be acquired within, short enough to wait for. */
const SHORT = 40;
const NOW = 1_700_000_000_000;

export function versionOf(
  collectionId: string,
  versionNumber: number,
  more: Partial<NewVersion> = {},
): NewVersion {
  return {
    id: randomUUID(),
    collectionId,
    versionNumber,
    filename: `dump-${versionNumber}.sql.gz`,
    objectKey: `${collectionId}/${randomUUID()}`,
    filesize: 1000 + versionNumber,
    sha256: 'ab'.repeat(32),
    format: 'openpgp',
    contentEncoding: 'zstd',
    user: "o'brien; drop table versions",
    uploadedBySessionId: 'session',
    ...more,
  };
}

export async function leaseOn(metadata: Metadata, name: string, ttlMs = TTL): Promise<Lease> {
  const lease = await metadata.leases.acquire(name, ttlMs);
  assert.ok(lease, `the lease ${name} was not granted`);
  return lease;
}

/** A collection with so many versions. */
async function filled(metadata: Metadata, count: number) {
  const collection = unique('collection');
  const lease = await leaseOn(metadata, collection);
  const versions = [];
  for (let number = 1; number <= count; number++) {
    versions.push(await metadata.versions.register(versionOf(collection, number), lease, NOW + number));
  }
  return { collection, lease, versions };
}

async function rejects(work: Promise<unknown>, kind: new (...args: never[]) => Error): Promise<void> {
  const error = await work.then(
    () => assert.unreachable(`expected ${kind.name}`),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, kind);
}

export function addBehaviour(test: Test, { replicas, sharedCounters }: Engines): void {
  test('migrating again, and from two replicas at once, changes nothing', async () => {
    const [a, b] = replicas();
    const { collection } = await filled(a, 1);
    await Promise.all([a.migrate(), b.migrate(), a.migrate()]);
    assert.is((await b.versions.list(collection)).length, 1);
  });

  test('a version comes back as it was registered, also at the other replica', async () => {
    const [a, b] = replicas();
    const collection = unique();
    const lease = await leaseOn(a, collection);
    const version = versionOf(collection, 1, { filesize: 2 ** 52 + 1, filename: 'ü "\u{1f4be}" \'.sql' });
    const expected = { ...version, pinned: false, createdAt: NOW, updatedAt: NOW, deletedAt: null };
    assert.equal(await a.versions.register(version, lease, NOW), expected);
    assert.equal(await b.versions.find(collection, 1), expected);
    assert.equal(await b.versions.latest(collection), expected);
    assert.equal(await b.versions.list(collection), [expected]);
  });

  test('there is nothing where nothing was registered', async () => {
    const [a] = replicas();
    const collection = unique();
    assert.is(await a.versions.nextNumber(collection), 1);
    assert.is(await a.versions.find(collection, 1), undefined);
    assert.is(await a.versions.find(collection, 1.5), undefined);
    assert.is(await a.versions.find(collection, 1e300), undefined);
    assert.is(await a.versions.latest(collection), undefined);
    assert.equal(await a.versions.list(collection), []);
    assert.is(await a.versions.isReferenced(unique()), false);
  });

  test('numbers count up and are not used again after a deletion', async () => {
    const [a, b] = replicas();
    const { collection, lease, versions } = await filled(a, 3);
    assert.is(await b.versions.nextNumber(collection), 4);
    await a.versions.softDelete(
      versions.map(({ id }) => id),
      NOW,
    );
    for (const { id } of versions) await a.versions.removed(id, NOW);
    assert.is(await b.versions.nextNumber(collection), 4);
    await rejects(a.versions.register(versionOf(collection, 3), lease, NOW), AlreadyExists);
    assert.is(await b.versions.nextNumber(collection), 4);
  });

  test('versions are listed oldest first, and the latest is the highest number', async () => {
    const [a] = replicas();
    const collection = unique();
    const lease = await leaseOn(a, collection);
    for (const number of [2, 10, 9, 1]) await a.versions.register(versionOf(collection, number), lease, NOW);
    assert.equal(
      (await a.versions.list(collection)).map((version) => version.versionNumber),
      [1, 2, 9, 10],
    );
    assert.is((await a.versions.latest(collection))?.versionNumber, 10);
    assert.is(await a.versions.nextNumber(collection), 11);
  });

  test('outlines are of the versions that are listed, in the same order', async () => {
    const [a] = replicas();
    const collection = unique();
    const lease = await leaseOn(a, collection);
    for (const number of [3, 2, 1]) await a.versions.register(versionOf(collection, number), lease, NOW);
    const [first, second] = await a.versions.list(collection);
    await a.versions.softDelete([first?.id ?? ''], NOW);
    await a.versions.setPinned(second?.id ?? '', true, NOW);
    assert.equal(
      await a.versions.outlines(collection),
      (await a.versions.list(collection)).map(({ id, versionNumber, filesize, pinned, createdAt }) => ({
        ...{ id, versionNumber, filesize, pinned, createdAt },
      })),
    );
  });

  test('of two replicas that race for a number, one registers', async () => {
    const [a, b] = replicas();
    const collection = unique();
    // The race should not happen, because the lease keeps one out; here both have one, of different names.
    const [leaseA, leaseB] = [await leaseOn(a, unique()), await leaseOn(b, unique())];
    const outcomes = await Promise.allSettled([
      a.versions.register(versionOf(collection, 1), leaseA, NOW),
      b.versions.register(versionOf(collection, 1), leaseB, NOW),
    ]);
    assert.equal(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const [refused] = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.instance(refused?.reason, AlreadyExists);
    assert.is((await a.versions.list(collection)).length, 1);
    assert.is(await a.versions.nextNumber(collection), 2);
  });

  test('registering the same version again is harmless', async () => {
    const [a, b] = replicas();
    const collection = unique();
    const lease = await leaseOn(a, collection);
    const version = versionOf(collection, 1);
    const first = await a.versions.register(version, lease, NOW);
    assert.equal(await b.versions.register(version, lease, NOW + 5), first);
    await a.leases.release(lease);
    assert.equal(await b.versions.register(version, lease, NOW + 5), first);
    assert.is((await a.versions.list(collection)).length, 1);
  });

  test('without the lease nothing is registered: never had, released, run out, taken over', async () => {
    const [a, b] = replicas();
    const collection = unique();
    const register = (lease: Lease) => a.versions.register(versionOf(collection, 1), lease, NOW);
    await rejects(register({ name: collection, holder: 'nobody' }), LeaseLost);

    const released = await leaseOn(a, collection);
    await a.leases.release(released);
    await rejects(register(released), LeaseLost);

    const short = await leaseOn(a, collection, SHORT);
    await sleep(SHORT * 2);
    await rejects(register(short), LeaseLost);

    const taken = await leaseOn(b, collection);
    await rejects(register(short), LeaseLost);
    assert.equal(await a.versions.list(collection), []);
    assert.is(await a.versions.nextNumber(collection), 1);
    await register(taken);
  });

  test('deleting marks, once, and leaves out what is pinned unless forced', async () => {
    const [a, b] = replicas();
    const { collection, versions } = await filled(a, 3);
    const [first, second, third] = versions.map(({ id }) => id) as [string, string, string];
    await a.versions.setPinned(second, true, NOW + 50);
    assert.is((await b.versions.find(collection, 2))?.pinned, true);
    assert.is((await b.versions.find(collection, 2))?.updatedAt, NOW + 50);

    const marked = await a.versions.softDelete([first, second, unique()], NOW + 60);
    assert.equal(
      marked.map(({ id, deletedAt }) => [id, deletedAt]),
      [[first, NOW + 60]],
    );
    assert.equal(await b.versions.softDelete([first], NOW + 70), []);
    assert.equal(
      (await b.versions.list(collection)).map(({ id }) => id),
      [second, third],
    );
    assert.is(await b.versions.find(collection, 1), undefined);

    const forced = await a.versions.softDelete([second], NOW, { force: true });
    assert.equal(
      forced.map(({ id }) => id),
      [second],
    );
    await a.versions.setPinned(third, true, NOW);
    await a.versions.setPinned(third, false, NOW);
    assert.is((await a.versions.softDelete([third], NOW)).length, 1);
    assert.equal(await a.versions.softDelete([], NOW), []);
  });

  test('two replicas that delete the same versions divide them between them', async () => {
    const [a, b] = replicas();
    const { versions } = await filled(a, 6);
    const ids = versions.map(({ id }) => id);
    const [fromA, fromB] = await Promise.all([
      a.versions.softDelete(ids, NOW),
      b.versions.softDelete(ids, NOW),
    ]);
    assert.equal([...fromA, ...fromB].map(({ id }) => id).sort(), [...ids].sort());
  });

  test('two that delete the last versions of a collection at once, and would spare one, leave one', async () => {
    const [a, b] = replicas();
    for (let round = 0; round < 10; round++) {
      const { collection, versions } = await filled(a, 2);
      const marked = await Promise.all(
        [a, b].map(({ versions: store }, index) =>
          store.softDelete([versions[index]?.id ?? ''], NOW, { sparing: collection }),
        ),
      );
      assert.is(marked.flat().length, 1);
      assert.is((await a.versions.list(collection)).length, 1);
    }
  });

  test('what is gone cannot be pinned, and that is told', async () => {
    const [a] = replicas();
    const { versions } = await filled(a, 2);
    const [gone = '', there = ''] = versions.map(({ id }) => id);
    await a.versions.softDelete([gone], NOW);
    assert.is(await a.versions.setPinned(gone, true, NOW), false);
    assert.is(await a.versions.setPinned(there, true, NOW), true);
    assert.is(await a.versions.setPinned(there, true, NOW), true, 'once more');
  });

  test('more versions than one statement can name are deleted', async () => {
    const [a] = replicas();
    const { versions } = await filled(a, 3);
    const ids = versions.map(({ id }) => id);
    const many = [...Array.from({ length: 1200 }, () => unique()), ...ids];
    assert.equal((await a.versions.softDelete(many, NOW)).map(({ id }) => id).sort(), ids.sort());
  });

  test('an object is referenced until it is removed', async () => {
    const [a, b] = replicas();
    const { versions } = await filled(a, 2);
    const [version, other] = versions as [(typeof versions)[0], (typeof versions)[0]];
    const pending = async () =>
      (await b.versions.pendingRemovals(1000)).filter(({ id }) => id === version.id || id === other.id);
    assert.equal(await pending(), []);
    assert.is(await b.versions.isReferenced(version.objectKey), true);
    await a.versions.softDelete([version.id], NOW);
    assert.is(await b.versions.isReferenced(version.objectKey), true);
    assert.equal(
      (await pending()).map(({ objectKey }) => objectKey),
      [version.objectKey],
    );
    // Not deleted, so it cannot be gone.
    await a.versions.removed(other.id, NOW);
    await a.versions.removed(version.id, NOW);
    assert.is(await b.versions.isReferenced(version.objectKey), false);
    assert.is(await b.versions.isReferenced(other.objectKey), true);
    assert.equal(await pending(), []);
  });

  test('all live versions are read, over several pages', async () => {
    const [a] = replicas();
    const collections = [await filled(a, 300), await filled(a, 301)];
    const gone = collections[0]?.versions[7]?.id as string;
    await a.versions.softDelete([gone], NOW);
    const expected = collections
      .flatMap(({ versions }) => versions.map(({ id }) => id))
      .filter((id) => id !== gone);
    const ours = new Set(collections.map(({ collection }) => collection));
    const found: string[] = [];
    for await (const version of a.versions.all()) if (ours.has(version.collectionId)) found.push(version.id);
    assert.equal(found.sort(), expected.sort());
  });

  test('totals count live versions only, and know the newest', async () => {
    const [a, b] = replicas();
    const { collection, versions, lease } = await filled(a, 3);
    const big = versionOf(collection, 4, { filesize: 2 ** 51 });
    await a.versions.register(big, lease, NOW + 4);
    await a.versions.softDelete([versions[0]?.id as string], NOW);
    const total = async () =>
      (await b.versions.totals()).find(({ collectionId }) => collectionId === collection);
    assert.equal(await total(), {
      collectionId: collection,
      count: 3,
      bytes: 2 ** 51 + 1002 + 1003,
      newestAt: NOW + 4,
      newestSize: 2 ** 51,
    });
    await a.versions.softDelete([big.id, ...versions.map(({ id }) => id)], NOW);
    assert.is(await total(), undefined);
  });

  test('a session is found, revoked, listed newest first, and purged', async () => {
    const [a, b] = replicas();
    const user = unique('user');
    const session = (id: string, createdAt: number): Session => ({
      ...{
        id,
        user,
        accessKeyName: 'ci',
        scope: '{"elements":[]}',
        description: 'a "key"',
        requesterIP: '::1',
      },
      ...{ createdAt, updatedAt: createdAt, expiresAt: createdAt + 1000, deactivated: false },
    });
    const [older, newer] = [session(unique(), 1000), session(unique(), 2000)];
    await a.sessions.create(older);
    await a.sessions.create(newer);
    await rejects(b.sessions.create(older), AlreadyExists);
    assert.equal(await b.sessions.find(older.id), older);
    assert.is(await b.sessions.find(unique()), undefined);
    assert.equal(await b.sessions.listOf(user, 10), [newer, older]);
    assert.equal(await b.sessions.listOf(user, 1), [newer]);

    assert.is(await a.sessions.revoke(older.id, 5000), true);
    assert.is(await a.sessions.revoke(unique(), 5000), false);
    assert.equal(await b.sessions.find(older.id), { ...older, deactivated: true, updatedAt: 5000 });

    // A session that runs out at 2000 has not run out before 2000.
    await a.sessions.purge(2000);
    assert.is((await b.sessions.listOf(user, 10)).length, 2);
    assert.ok((await a.sessions.purge(2001)) >= 1);
    assert.equal(await b.sessions.listOf(user, 10), [newer]);
  });

  test('of many who want a lease, one gets it', async () => {
    const [a, b] = replicas();
    for (let round = 0; round < 5; round++) {
      const name = unique('lease');
      const all = await Promise.all(
        Array.from({ length: 12 }, (_, i) => (i % 2 ? a : b).leases.acquire(name, TTL)),
      );
      assert.is(all.filter(Boolean).length, 1);
    }
  });

  test('a process that starts alone frees the leases of the one that was killed', async () => {
    const [a, b] = replicas();
    const name = unique('lease');
    const lease = await leaseOn(a, name);
    await b.leases.releaseAll();
    assert.is(await a.leases.renew(lease, TTL), false);
    await leaseOn(b, name);
  });

  test('the first version of a collection is remembered after its deletion', async () => {
    const [a, b] = replicas();
    const { collection, versions } = await filled(a, 2);
    const [first] = versions;
    assert.is(await b.versions.firstStoredAt(unique('collection')), undefined);
    await a.versions.softDelete([first?.id ?? ''], NOW);
    await a.versions.removed(first?.id ?? '', NOW);
    assert.is(await b.versions.firstStoredAt(collection), first?.createdAt);
  });

  test('a lease is refused while it is held, and free again after its release', async () => {
    const [a, b] = replicas();
    const name = unique('lease');
    const lease = await leaseOn(a, name);
    assert.is(await b.leases.acquire(name, TTL), undefined);
    await b.leases.release({ name, holder: 'somebody else' });
    assert.is(await b.leases.acquire(name, TTL), undefined);
    assert.is(await a.leases.renew(lease, TTL), true);
    await a.leases.release(lease);
    assert.is(await a.leases.renew(lease, TTL), false);
    const next = await leaseOn(b, name);
    assert.is.not(next.holder, lease.holder);
    // Too late: it is somebody else's by now.
    await a.leases.release(lease);
    assert.is(await a.leases.acquire(name, TTL), undefined);
  });

  test('a lease that has run out is taken over by one of those who want it', async () => {
    const [a, b] = replicas();
    const name = unique('lease');
    const lost = await leaseOn(a, name, SHORT);
    await sleep(SHORT * 2);
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 ? a : b).leases.acquire(name, TTL)),
    );
    assert.is(all.filter(Boolean).length, 1);
    assert.is(await a.leases.renew(lost, TTL), false);
  });

  test('renewing keeps a lease, also one that has run out unnoticed', async () => {
    const [a, b] = replicas();
    const name = unique('lease');
    const lease = await leaseOn(a, name, SHORT);
    assert.is(await a.leases.renew(lease, TTL), true);
    await sleep(SHORT * 2);
    assert.is(await b.leases.acquire(name, TTL), undefined);

    const late = await leaseOn(a, unique('lease'), SHORT);
    await sleep(SHORT * 2);
    assert.is(await a.leases.renew(late, TTL), true);
    assert.is(await b.leases.acquire(late.name, TTL), undefined);
  });

  test('hits are counted within a window, by key, and from all replicas', async () => {
    const [a, b] = replicas();
    const other = sharedCounters ? b : a;
    const key = unique('address');
    const start = 1_700_000_000_000;
    assert.is(await a.counters.hit(key, 1000, start + 1), 1);
    assert.is(await other.counters.hit(key, 1000, start + 999), 2);
    assert.is(await a.counters.hit(unique(), 1000, start), 1);
    assert.is(await a.counters.hit(key, 1000, start + 1000), 1);
    // A replica whose clock is behind does not open the old window again.
    assert.is(await other.counters.hit(key, 1000, start + 998), 2);
    assert.is(await a.counters.hit(key, 1000, start + 1500), 3);
    await a.counters.purge(start + 1999);
    assert.is(await a.counters.hit(key, 1000, start + 1501), 4);
    await a.counters.purge(start + 2000);
    assert.is(await a.counters.hit(key, 1000, start + 1502), 1);
  });

  test('a clock that was turned back does not leave anybody counted in a window that is yet to come', async () => {
    const [a] = replicas();
    const key = unique('address');
    const start = Math.ceil(NOW / 60_000) * 60_000;
    for (let hit = 1; hit < 5; hit++) assert.is(await a.counters.hit(key, 60_000, start + 3_600_000), hit);
    assert.is(await a.counters.hit(key, 60_000, start), 1);
    assert.is(await a.counters.hit(key, 60_000, start + 1), 2);
    assert.is(await a.counters.hit(key, 60_000, start + 60_000), 1);
  });

  test('no hit is lost when many come at once', async () => {
    const [a, b] = replicas();
    const key = unique('address');
    const counts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (sharedCounters && i % 2 ? b : a).counters.hit(key, 60_000, NOW)),
    );
    assert.equal(
      counts.sort((x, y) => x - y),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  addLedger(test, replicas);
}

function addLedger(test: Test, replicas: Engines['replicas']): void {
  const actionOf = (name: string, holder: string) => ({
    ...{ namespace: 'default', name, runId: 'run-1', collectionId: 'iwa-ait', operation: 'restore', holder },
  });

  test('of many who claim an action, one gets it', async () => {
    const [a, b] = replicas();
    const name = unique('action');
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? a : b).actions.claim(actionOf(name, `h${i}`), 1000, NOW, true),
      ),
    );
    assert.is(claims.filter(({ outcome }) => outcome === 'claimed').length, 1);
    assert.is(claims.filter(({ outcome }) => outcome === 'running').length, 9);
    assert.is(new Set(claims.map(({ action }) => action.holder)).size, 1);
  });

  test('an action that is done stays done, whoever asks', async () => {
    const [a, b] = replicas();
    const ours = actionOf(unique('action'), 'ours');
    const claim = (holder: string, retry: boolean, now = NOW) =>
      b.actions.claim({ ...ours, holder }, 1000, now, retry);
    assert.is((await a.actions.claim(ours, 1000, NOW, false)).outcome, 'claimed');
    assert.is((await claim('theirs', true)).outcome, 'running');
    assert.is(await b.actions.finish({ ...ours, holder: 'theirs' }, 'done', 1, NOW), false);
    assert.is(await a.actions.finish(ours, 'done', 7, NOW + 10), true);
    const expected = {
      ...ours,
      state: 'done',
      leaseUntil: NOW + 1000,
      versionNumber: 7,
      createdAt: NOW,
      updatedAt: NOW + 10,
    };
    assert.equal(await claim('theirs', true), { outcome: 'done', action: expected });
    assert.equal(await claim('ours', true, NOW + 5000), { outcome: 'done', action: expected });
    assert.equal(await b.actions.find(ours.collectionId, 'default', ours.name, 'run-1'), expected);
    assert.is(await b.actions.find(ours.collectionId, 'default', ours.name, 'run-2'), undefined);
    assert.is(await a.actions.renew(ours, 1000, NOW), false);
    assert.is(await a.actions.finish(ours, 'failed', null, NOW), false);
    // The same names in another collection are somebody else's action.
    const foreign = { ...ours, collectionId: 'other', holder: 'theirs' };
    assert.is((await b.actions.claim(foreign, 1000, NOW, false)).outcome, 'claimed');
    // Another run of the same action is another action.
    assert.is((await a.actions.claim({ ...ours, runId: 'run-2' }, 1000, NOW, false)).outcome, 'claimed');
  });

  test('a failed action is claimed again only on request', async () => {
    const [a, b] = replicas();
    const ours = actionOf(unique('action'), 'ours');
    await a.actions.claim(ours, 1000, NOW, false);
    assert.is(await a.actions.finish(ours, 'failed', null, NOW), true);
    const theirs = { ...ours, holder: 'theirs' };
    assert.is((await b.actions.claim(theirs, 1000, NOW, false)).outcome, 'failed');
    const { outcome, action } = await b.actions.claim(theirs, 1000, NOW + 5, true);
    assert.is(outcome, 'claimed');
    assert.equal([action.state, action.holder, action.leaseUntil], ['running', 'theirs', NOW + 1005]);
    assert.is(await a.actions.finish(ours, 'done', 1, NOW), false);
  });

  test('an action whose lease has run out is claimed again only on request, and then lost to the first', async () => {
    const [a, b] = replicas();
    const ours = actionOf(unique('action'), 'ours');
    await a.actions.claim(ours, 1000, NOW, false);
    assert.is(await a.actions.renew(ours, 1000, NOW + 900), true);
    const theirs = { ...ours, holder: 'theirs' };
    assert.is((await b.actions.claim(theirs, 1000, NOW + 1800, true)).outcome, 'running');
    assert.is((await b.actions.claim(theirs, 1000, NOW + 1900, false)).outcome, 'failed');
    assert.is((await b.actions.claim(theirs, 1000, NOW + 1900, true)).outcome, 'claimed');
    assert.is(await a.actions.renew(ours, 1000, NOW + 1901), false);
    assert.is(await a.actions.finish(ours, 'done', 1, NOW + 1901), false);
    assert.is(await b.actions.finish(theirs, 'done', 1, NOW + 1902), true);
  });

  test('a holder whose answer was lost may claim and finish again', async () => {
    const [a, b] = replicas();
    const ours = actionOf(unique('action'), 'ours');
    await a.actions.claim(ours, 1000, NOW, false);
    assert.is((await b.actions.claim(ours, 1000, NOW + 5, false)).outcome, 'claimed');
    // Its own lease has run out: somebody may have looked at the data in the meantime.
    assert.is((await b.actions.claim(ours, 1000, NOW + 5000, false)).outcome, 'failed');
    assert.is(await a.actions.finish(ours, 'done', 3, NOW), true);
    assert.is(await b.actions.finish(ours, 'done', 3, NOW), true);
    assert.is(await b.actions.finish(ours, 'done', 4, NOW), false);
  });
}
