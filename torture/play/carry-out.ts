/** Carries one operation out and tells the model, or says what cannot be. */

import type { ErrorCode } from '../../src/wire/error-codes.ts';
import { pathOf } from '../../src/wire/routes.ts';
import { Random } from '../../test/fuzz/random.ts';
import type { Seen } from '../model.ts';
import type { Look, Operation, Upload } from '../operations.ts';
import { contentOf, sha256 } from './content.ts';
import { excuse } from './excuse.ts';
import { manage } from './manage.ts';
import { check, make, restore, save } from './programs.ts';
import { ask, codeOf, numberIn, outcomeOf, send, versionsIn, wrongDownload } from './requests.ts';
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

/** The code that an upload which is not in order must be refused with; undefined for one that is. */
function refusalOf({ collection, how }: Upload): ErrorCode | undefined {
  if (how === 'breaks off') return 'cancelled';
  if (how === 'too large') return 'too-large';
  // Found while it comes, and the digest at its end.
  if (collection === 'sealed') return 'not-encrypted';
  return how === 'wrong digest' ? 'digest-mismatch' : undefined;
}

async function upload(stage: Stage, operation: Upload, index: number): Promise<void> {
  const { collection, how, bytes, outside } = operation;
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
  const refusal = refusalOf(operation);
  if (refusal) entry.outcome = 'no';
  // Nothing protects the others on a line that flips bits.
  const target = { url: stage.url({ outside: outside && how === 'digest' }), token: world.token };
  const { answer, ended } = await send(target, collection, { how, content });
  const what = `an upload (${how}) to ${collection}`;
  stage.note(
    `${what} of ${content.length} bytes: ${answer ? `${answer.status} ${codeOf(answer)}` : 'broken'}`,
  );
  const busy: readonly ErrorCode[] = stage.hasRivals(operation) ? ['parallel-upload'] : [];
  if (refusal) {
    if (answer?.status === 200) stage.fault(`${what} that must fail was acknowledged`);
    else if (answer) excuse(stage, answer, [refusal, ...busy], what);
    return;
  }
  if (answer?.status === 200) {
    entry.outcome = 'yes';
    entry.number = numberIn(answer);
    tools.counts.acknowledged++;
  } else if (answer) {
    entry.outcome = outcomeOf(answer);
    excuse(stage, answer, busy, what);
  } else if (!ended) {
    entry.outcome = 'no';
  }
  if (entry.outcome === 'no') tools.counts.refused++;
}

async function look(stage: Stage, operation: Look): Promise<void> {
  const { collection, which } = operation;
  const { world, tools } = stage;
  const target = { url: stage.url(operation), token: world.token };
  const mayShow = world.model.mayShow(collection);
  const answer = await ask(target, 'GET', pathOf('versions', { collectionId: collection }));
  if (!answer) return;
  if (answer.status !== 200) return excuse(stage, answer, [], `the list of ${collection}`);
  const versions = versionsIn(answer);
  for (const { versionNumber } of versions)
    if (!mayShow(versionNumber))
      stage.fault(`the list of ${collection} shows version ${versionNumber}, which is gone`);
  const version = versions[Math.floor(which * versions.length)];
  if (operation.do !== 'download' || !version) return;
  const path = pathOf('download', { collectionId: collection, version: version.versionNumber });
  const download = await ask(target, 'GET', path);
  if (!download) return;
  const what = `a download of ${collection} ${version.versionNumber}`;
  stage.note(`${what}: ${download.status} ${codeOf(download)}`);
  if (download.status !== 200)
    return excuse(stage, download, stage.mayBeGone(collection) ? ['version-not-found'] : [], what);
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
