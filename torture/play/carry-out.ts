/** Carries one operation out and tells the model, or says what cannot be. */

import { pathOf } from '../../src/wire/routes.ts';
import { Random } from '../../test/fuzz/random.ts';
import { mayPin } from '../collections.ts';
import type { Seen } from '../model.ts';
import type { Look, Manage, Operation, Upload } from '../operations.ts';
import { contentOf, sha256 } from './content.ts';
import { check, make, restore, save } from './programs.ts';
import { ask, codeOf, EXCUSES, numberIn, outcomeOf, send, versionsIn, wrongDownload } from './requests.ts';
import type { Stage } from './stage.ts';
import { walk } from './walk.ts';

export async function carryOut(stage: Stage, operation: Operation, index: number): Promise<void> {
  stage.count('operations', operation.do);
  switch (operation.do) {
    case 'make':
      return make(stage, operation, index);
    case 'restore':
      return restore(stage, operation, index);
    case 'upload':
      return upload(stage, operation, index);
    case 'check':
      return check(stage, operation, index);
    case 'save':
      return save(stage, operation, index);
    case 'walk':
      return walk(stage, operation);
    case 'pin':
    case 'unpin':
    case 'delete':
      return manage(stage, operation);
    default:
      return look(stage, operation);
  }
}

/** Which of the versions that were there before the round; undefined if there were none. */
export function chosen(stage: Stage, collection: string, which: number): Seen | undefined {
  const live = stage.world.model.live(collection);
  return live[Math.floor(which * live.length)];
}

async function upload(
  stage: Stage,
  { collection, how, bytes, outside }: Upload,
  index: number,
): Promise<void> {
  const { world, tools } = stage;
  const name = `${stage.id}/${index};`;
  const content = contentOf(
    name,
    Math.max(bytes, name.length),
    new Random(index + bytes).chance(0.5) ? 'text' : 'random',
  );
  const digest = sha256(content);
  tools.reader.knows(digest);
  const entry = world.model.begin(collection, digest);
  const mustFail = collection === 'sealed' || ['wrong digest', 'breaks off', 'too large'].includes(how);
  if (mustFail) entry.outcome = 'no';
  // Nothing protects the others on a line that flips bits.
  const target = { url: stage.url({ outside: outside && how === 'digest' }), token: world.token };
  const { answer, ended } = await send(target, collection, { how, content });
  stage.note(
    `upload ${how} of ${content.length} to ${collection}: ${answer ? `${answer.status} ${codeOf(answer)}` : 'broken'}`,
  );
  if (mustFail) {
    if (answer?.status === 200)
      stage.fault(`an upload to ${collection} that must fail (${how}) was acknowledged`);
    return;
  }
  if (answer?.status === 200) {
    entry.outcome = 'yes';
    entry.number = numberIn(answer);
    tools.counts.acknowledged++;
  } else if (answer) {
    entry.outcome = outcomeOf(answer);
    excuse(stage, answer, ['parallel-upload'], `an upload (${how}) to ${collection}`);
  } else if (!ended) {
    entry.outcome = 'no';
  }
  if (entry.outcome === 'no') tools.counts.refused++;
}

async function look(stage: Stage, operation: Look): Promise<void> {
  const { collection, which } = operation;
  const { world, tools } = stage;
  const target = { url: stage.url(operation), token: world.token };
  const answer = await ask(target, 'GET', pathOf('versions', { collectionId: collection }));
  if (!answer) return;
  if (answer.status !== 200) return excuse(stage, answer, [], `the list of ${collection}`);
  const versions = versionsIn(answer);
  for (const { versionNumber } of versions)
    if (!world.model.mayShow(collection, versionNumber))
      stage.fault(`the list of ${collection} shows version ${versionNumber}, which is gone`);
  const version = versions[Math.floor(which * versions.length)];
  if (operation.do !== 'download' || !version) return;
  const path = pathOf('download', { collectionId: collection, version: version.versionNumber });
  const download = await ask(target, 'GET', path);
  if (!download) return;
  const what = `a download of ${collection} ${version.versionNumber}`;
  stage.note(`${what}: ${download.status} ${codeOf(download)}`);
  if (download.status !== 200) return excuse(stage, download, ['version-not-found'], what);
  const wrong = wrongDownload(download);
  if (wrong !== '') {
    if (stage.round.kind !== 'line') stage.fault(`${what}: ${wrong}`);
    return;
  }
  tools.counts.compared++;
  const content = await tools.reader.content(version, download.bytes);
  if (!world.model.mayHold(collection, version.versionNumber, content))
    stage.fault(`${what} gave what nobody stored there`);
}

async function manage(stage: Stage, operation: Manage): Promise<void> {
  const { collection, which, count } = operation;
  const { model, token } = stage.world;
  if (operation.do === 'pin' && !mayPin(collection)) return;
  const live = model.live(collection);
  const first = Math.floor(which * live.length);
  const versions = live.slice(first, first + count);
  // At the same instant, so that each is decided on while the other is.
  await Promise.all(
    versions.map(async ({ number }) => {
      const path = pathOf(operation.do === 'delete' ? 'deleteVersion' : 'pin', {
        collectionId: collection,
        version: number,
      });
      const target = { url: stage.url(operation), token };
      const answer = await ask(target, operation.do === 'pin' ? 'PUT' : 'DELETE', path);
      const outcome = answer ? (answer.status >= 500 ? 'unknown' : outcomeOf(answer)) : 'unknown';
      stage.note(
        `${operation.do} ${collection} ${number}: ${answer ? `${answer.status} ${codeOf(answer)}` : 'broken'}`,
      );
      if (operation.do === 'delete') model.removing(collection, number, outcome);
      else model.pinning(collection, number, operation.do === 'pin', outcome);
      if (answer && answer.status !== 200)
        excuse(
          stage,
          answer,
          ['version-not-found', 'version-pinned', 'last-version'],
          `${operation.do} ${collection} ${number}`,
        );
    }),
  );
}

/** A refusal that nothing in this round explains is a fault. */
export function excuse(
  stage: Stage,
  answer: Parameters<typeof codeOf>[0],
  also: readonly string[],
  what: string,
): void {
  const code = codeOf(answer);
  const { kind, disturbances } = stage.round;
  if ([...EXCUSES[kind], ...also].includes(code)) return;
  // A bit that is flipped in the framing makes it no HTTP at all.
  const flips = disturbances.some(({ what: each }) => each === 'line');
  if (flips && code === 'bad-request') return;
  stage.fault(`${what} was refused with ${answer.status} ${code}: ${answer.bytes.toString().slice(0, 300)}`);
}
