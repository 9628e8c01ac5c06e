/** Pins, unpins and deletes versions, several at the same instant. */
import type { ErrorCode } from '../../src/wire/error-codes.ts';
import { pathOf } from '../../src/wire/routes.ts';
import { mayPin } from '../collections.ts';
import type { Seen } from '../model.ts';
import type { Manage } from '../operations.ts';
import { excuse } from './excuse.ts';
import { ask, codeOf, outcomeOf } from './requests.ts';
import type { Stage } from './stage.ts';

export async function manage(stage: Stage, operation: Manage): Promise<void> {
  const { collection } = operation;
  const { model, token } = stage.world;
  if (operation.do === 'pin' && !mayPin(collection)) return;
  // At the same instant, so that each is decided on while the other is.
  await Promise.all(
    targets(stage, operation).map(async (version) => {
      const { number } = version;
      const what = `${operation.do} ${collection} ${number}`;
      const path = pathOf(operation.do === 'delete' ? 'deleteVersion' : 'pin', {
        collectionId: collection,
        version: number,
      });
      const target = { url: stage.url(operation), token };
      const answer = await ask(target, operation.do === 'pin' ? 'PUT' : 'DELETE', path);
      const outcome = answer ? (answer.status >= 500 ? 'unknown' : outcomeOf(answer)) : 'unknown';
      stage.note(`${what}: ${answer ? `${answer.status} ${codeOf(answer)}` : 'broken'}`);
      if (operation.do === 'delete') model.removing(collection, number, outcome);
      else model.pinning(collection, number, operation.do === 'pin', outcome);
      if (answer && answer.status !== 200) excuse(stage, answer, refusalsOf(stage, operation, version), what);
    }),
  );
}

/** Which of the versions that were there before the round it is about. */
function targets(stage: Stage, { collection, which, count }: Manage): Seen[] {
  const live = stage.world.model.live(collection);
  const first = Math.floor(which * live.length);
  return live.slice(first, first + count);
}

/** The codes that pinning, unpinning or deleting a version may be refused with, by what else the round does to its collection. */
function refusalsOf(stage: Stage, operation: Manage, { pinned }: Seen): ErrorCode[] {
  const { collection } = operation;
  const gone = stage.mayBeGone(collection, operation);
  if (operation.do !== 'delete') return gone ? ['version-not-found'] : [];
  const pins = mayPin(collection) && stage.does(collection, ['pin']);
  // Rotation leaves the new version besides, so only deletions can make it the last one.
  const alone =
    targets(stage, operation).length === stage.world.model.live(collection).length ||
    stage.does(collection, ['delete'], operation);
  return [
    // What is pinned between being found and being deleted counts as not found, too.
    ...(gone || pins ? (['version-not-found'] as const) : []),
    ...(pinned || pins ? (['version-pinned'] as const) : []),
    ...(alone ? (['last-version'] as const) : []),
  ];
}
