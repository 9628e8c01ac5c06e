/** Brings everything to rest after a round, and looks whether all that must hold does. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionMessage } from '../../src/wire/messages.ts';
import { pathOf } from '../../src/wire/routes.ts';
import { Random } from '../../test/fuzz/random.ts';
import type { Seen } from '../model.ts';
import type { World } from '../worlds/world.ts';
import { contentOf, sha256 } from './content.ts';
import { OUTLIVES_MS, withMark } from './program.ts';
import { ask, codeOf, numberIn, outcomeOf, send, versionsIn, wrongDownload } from './requests.ts';
import type { Stage } from './stage.ts';

/** How long anything may take that should be done at once; the machine may have other work. */
const PROMPT_MS = 15_000;
const BARRIER_BYTES = 600;
/** Versions that were compared before are compared again, some of them each time. */
const AGAIN = 4;
const MOST_MEMORY_MIB = 400;
const MOST_FILES = 60;
/** Nothing disturbs these, so the store does exactly what the model does. */
const EXACT = ['calm', 'fight'];
/** What may leave the objects of what was being stored. */
const LEAVING = ['kill', 'stop', 'disk', 'replica', 'engine'];

/** Objects without a row that each world had at the end of its last round. */
const orphans = new WeakMap<World, number>();

export async function settle(stage: Stage): Promise<void> {
  const { world, round } = stage;
  stage.line?.close();
  for (const fault of await world.recover()) stage.fault(fault);
  for (const left of await emptied(() => withMark(stage.mark), OUTLIVES_MS))
    stage.fault(`left behind: ${left}`);
  for (const file of await emptied(() => readdirSync(join(stage.folder, 'tmp'))))
    stage.fault(`left behind: temporary file ${file}`);
  const collections = [...new Set(round.operations.map(({ collection }) => collection))];
  const latest = Math.max(...world.servers.map((server) => server.latest()));
  await Promise.all(collections.map((collection) => settleCollection(stage, collection, latest)));
  if (EXACT.includes(round.kind) && stage.faults.length === 0)
    await compareExactly(stage, collections[0] ?? '');
  await checkStorage(stage);
  await checkServers(stage);
}

/** @param latest time that a server's clock has shown */
async function settleCollection(stage: Stage, collection: string, latest: number): Promise<void> {
  const { world } = stage;
  const barrier = await storeBarrier(stage, collection, 'barrier');
  if (barrier === undefined) return;
  const seen = await see(stage, collection);
  for (const { outcome } of world.model.uploads(collection))
    if (outcome === 'unknown') stage.tools.counts.unknown++;
  const quiet = { barrier, latest: Math.max(latest, Date.now()) };
  for (const fault of world.model.settle(collection, seen, quiet)) stage.fault(fault);
}

/**
 * An upload that works as soon as the collection is free. Whatever was under way before it cannot be stored any more: it had the
 * collection's lease then, or lost it.
 */
async function storeBarrier(stage: Stage, collection: string, name: string): Promise<number | undefined> {
  const { world, tools } = stage;
  const began = performance.now();
  const allowedMs = PROMPT_MS + world.lockedMs;
  for (let turn = 0; ; turn++) {
    const mark = `${stage.id}/${name}-${turn};`;
    const content = contentOf(mark, BARRIER_BYTES, 'random', collection === 'sealed');
    tools.reader.knows(sha256(content));
    const upload = world.model.begin(collection, sha256(content));
    const target = { url: stage.url({ outside: false }), token: world.token };
    const { answer } = await send(target, collection, { how: 'digest', content });
    if (answer?.status === 200) {
      upload.outcome = 'yes';
      upload.number = numberIn(answer);
      return upload.number;
    }
    if (answer) upload.outcome = outcomeOf(answer);
    const said = answer ? `${answer.status} ${codeOf(answer)}` : 'nothing';
    if (performance.now() - began > allowedMs) {
      stage.fault(
        `${collection} takes no upload ${Math.round(performance.now() - began)} ms after everything was over: ${said}`,
      );
      return undefined;
    }
    await sleep(40);
  }
}

/** All versions that are listed; content of new ones, and of some others, is read. */
async function see(stage: Stage, collection: string): Promise<Seen[]> {
  const { world, round } = stage;
  const random = new Random(round.seed);
  const target = { url: stage.url({ outside: false }), token: world.token };
  const list = await ask(target, 'GET', pathOf('versions', { collectionId: collection }));
  if (list?.status !== 200) {
    stage.fault(`${collection} cannot be listed: ${list?.status} ${list?.bytes}`);
    return [];
  }
  const versions = versionsIn(list);
  const known = new Map(world.model.live(collection).map((version) => [version.number, version]));
  const chance = AGAIN / Math.max(1, known.size);
  const seen = versions.map(async (version): Promise<Seen> => {
    const { versionNumber: number, sha256: digest, pinned, CreatedAt } = version;
    const before = known.get(number);
    const content = before && !random.chance(chance) ? before.content : await read(stage, version);
    return { number, sha256: digest, pinned, createdAt: Date.parse(CreatedAt), content };
  });
  return Promise.all(seen).then((all) => all.sort((a, b) => a.number - b.number));
}

/** @returns the SHA-256 of what is inside; empty if it is not whole */
async function read(stage: Stage, version: VersionMessage): Promise<string> {
  const { collectionId, versionNumber, filesize, sha256: digest } = version;
  const target = { url: stage.url({ outside: false }), token: stage.world.token };
  const answer = await ask(target, 'GET', pathOf('download', { collectionId, version: versionNumber }));
  const what = `${collectionId}: version ${versionNumber}`;
  if (answer?.status !== 200) {
    stage.fault(`${what} cannot be downloaded: ${answer?.status} ${answer?.bytes}`);
    return '';
  }
  stage.tools.counts.compared++;
  if (wrongDownload(answer) !== '' || answer.bytes.length !== filesize || sha256(answer.bytes) !== digest) {
    stage.fault(`${what} is not what the list says`);
    return '';
  }
  return stage.tools.reader.content(version, answer.bytes);
}

/** One more upload, and the store has exactly the versions that the model has then. */
async function compareExactly(stage: Stage, collection: string): Promise<void> {
  const { model } = stage.world;
  const number = await storeBarrier(stage, collection, 'exact');
  if (number === undefined) return;
  const seen = await see(stage, collection);
  const added = seen.find((version) => version.number === number);
  const expected = added ? model.afterUpload(collection, added) : [];
  const shown = seen.map((version) => version.number);
  if (expected.join() !== shown.join())
    stage.fault(`${collection} has the versions ${shown}, the model has ${expected}`);
  for (const fault of model.settle(collection, seen, { barrier: number, latest: Date.now() }))
    stage.fault(fault);
}

async function checkStorage(stage: Stage): Promise<void> {
  const { world, round } = stage;
  const leaves = LEAVING.includes(round.kind);
  // A dead replica's parts are swept when they are older than any upload.
  if (world.name !== 'replicas' || !leaves)
    for (const name of await emptied(() => newParts(world))) stage.fault(`left behind by an upload: ${name}`);
  const rows = await countVersions(stage);
  const most = (orphans.get(world) ?? 0) + (leaves ? round.operations.length + 2 : 0);
  let count = 0;
  for (const end = performance.now() + PROMPT_MS; performance.now() < end; await sleep(50)) {
    count = (await world.objects()) - rows;
    if (count <= most) break;
  }
  if (count > most)
    stage.fault(`${count} objects belong to no version, there were ${orphans.get(world) ?? 0} before`);
  if (count < 0) stage.fault(`${-count} versions have no object`);
  orphans.set(world, count);
  if (world.name === 'replicas') leftParts.set(world, await world.temporary());
}

/** Parts that a dead replica has left before this round. */
const leftParts = new WeakMap<World, readonly string[]>();

async function newParts(world: World): Promise<string[]> {
  const before = leftParts.get(world) ?? [];
  return (await world.temporary()).filter((name) => !before.includes(name));
}

async function countVersions(stage: Stage): Promise<number> {
  const target = { url: stage.url({ outside: false }), token: stage.world.token };
  const answer = await ask(target, 'GET', pathOf('collections'));
  if (answer?.status !== 200) throw new Error(`the collections cannot be listed: ${answer?.status}`);
  const { collections } = (answer.json as { data: { collections: { versions: number }[] } }).data;
  return collections.reduce((sum, { versions }) => sum + versions, 0);
}

async function checkServers(stage: Stage): Promise<void> {
  for (const server of stage.world.servers) {
    if (!server.alive) stage.fault(`the server has ended:\n${server.output.slice(-3000)}`);
    for (const end = performance.now() + PROMPT_MS; performance.now() < end; await sleep(50))
      if (server.held().files <= MOST_FILES) break;
    const { files, memoryMiB } = server.held();
    if (files > MOST_FILES) stage.fault(`the server holds ${files} files and sockets`);
    if (memoryMiB > MOST_MEMORY_MIB) stage.fault(`the server takes ${memoryMiB} MiB`);
  }
}

/** What is still there after a while. */
async function emptied(
  look: () => readonly string[] | Promise<readonly string[]>,
  withinMs = PROMPT_MS,
): Promise<readonly string[]> {
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(30))
    if ((await look()).length === 0) return [];
  return look();
}
