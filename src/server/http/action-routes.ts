/** The ledger of actions that must not happen twice. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ClaimData, ClaimRequest, FinishRequest, RenewRequest } from '../../wire/messages.ts';
import * as schemas from '../../wire/schemas.ts';
import type { Action as Right } from '../access/roles.ts';
import type { Collection } from '../configuration/configuration.ts';
import type { Action } from '../metadata/metadata.ts';
import { Refused } from '../versions/refusals.ts';
import type { App } from './app.ts';
import { collectionFor, collectionParams } from './collection-access.ts';
import { actionMessage, success } from './envelope.ts';
import { type Handling, register } from './register.ts';

/** What an operation does with a collection, and so the right that it needs there. */
const RIGHTS: Readonly<Record<string, Right>> = { backup: 'file.upload', restore: 'file.download' };

export async function actionRoutes(server: FastifyInstance, app: App): Promise<void> {
  const common: Omit<Handling, 'handler' | 'summary' | 'data'> = {
    tag: 'actions',
    rateLimit: 'default',
    token: true,
    params: collectionParams,
    errors: ['collection-not-found', 'action-not-authorized'],
  };

  register(server, app, 'claimAction', {
    ...common,
    summary: 'Claim an action before doing it',
    description:
      'Only `claimed` means: go on. Anything else, an unreachable server included, means: do nothing.',
    body: schemas.claimRequest,
    data: schemas.claimData,
    handler: async (request) => {
      const { leaseSeconds, retry = false, ...action } = request.body as ClaimRequest;
      const collection = collectionToAct(request, app, action.operation);
      const known = await app.metadata.actions.find(
        collection.id,
        action.namespace,
        action.name,
        action.runId,
      );
      if (known) checkSame(known, action.operation);
      const result = await app.metadata.actions.claim(
        { ...action, collectionId: collection.id },
        leaseSeconds * 1000,
        app.clock(),
        retry,
      );
      checkSame(result.action, action.operation);
      request.log.info(
        { collection: collection.id, action: `${action.namespace}/${action.name}`, outcome: result.outcome },
        'action claimed',
      );
      // The holder is what renewing and finishing ask for: whoever does not hold the action must not learn it.
      const holder = result.outcome === 'claimed' ? result.action.holder : '';
      return success<ClaimData>({
        outcome: result.outcome,
        action: actionMessage({ ...result.action, holder }),
      });
    },
  });

  const ofRunning = {
    ...common,
    errors: [...(common.errors ?? []), 'action-lost' as const],
    data: schemas.actionData,
  };

  register(server, app, 'renewAction', {
    ...ofRunning,
    summary: 'Extend the claim of an action that goes on',
    body: schemas.renewRequest,
    handler: async (request) => {
      const { leaseSeconds, ...key } = request.body as RenewRequest;
      const { collectionId } = await findToAct(request, app, key);
      if (!(await app.metadata.actions.renew({ ...key, collectionId }, leaseSeconds * 1000, app.clock())))
        throw lost();
      return success({ action: actionMessage(await findToAct(request, app, key)) });
    },
  });

  register(server, app, 'finishAction', {
    ...ofRunning,
    summary: 'Note how an action ended',
    body: schemas.finishRequest,
    handler: async (request) => {
      const { state, versionNumber = null, ...key } = request.body as FinishRequest;
      const { collectionId } = await findToAct(request, app, key);
      if (!(await app.metadata.actions.finish({ ...key, collectionId }, state, versionNumber, app.clock())))
        throw lost();
      return success({ action: actionMessage(await findToAct(request, app, key)) });
    },
  });
}

function collectionToAct(request: FastifyRequest, app: App, operation: string): Collection {
  const right = RIGHTS[operation];
  return collectionFor(request, app, right ? [right] : [], {
    code: 'action-not-authorized',
    message: `not authorized to ${operation} with this collection`,
  });
}

/** The action, if the token may carry it out. One that belongs elsewhere is as good as not there. @throws {Refused} */
async function findToAct(
  request: FastifyRequest,
  app: App,
  { namespace, name, runId }: Pick<Action, 'namespace' | 'name' | 'runId'>,
): Promise<Action> {
  const collection = collectionFor(request, app, Object.values(RIGHTS), {
    code: 'action-not-authorized',
    message: 'not authorized to act on this collection',
  });
  const action = await app.metadata.actions.find(collection.id, namespace, name, runId);
  if (!action) throw lost();
  collectionToAct(request, app, action.operation);
  return action;
}

/** Whoever may only back up must not occupy what is a restore, nor the reverse. */
function checkSame(known: Action, operation: string): void {
  if (known.operation !== operation) {
    throw new Refused('action-not-authorized', 'an action of this name and run belongs to something else');
  }
}

function lost(): Refused {
  return new Refused('action-lost', 'the action is not running under this holder');
}
