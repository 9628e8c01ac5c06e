/** Collections as servers list them. */
import type { CollectionMessage } from '../../wire/messages.ts';
import { failure } from '../failure.ts';

/** `null` is an empty list, as Go writes it. @throws {UserError} `usage` if it was not a backup repository that answered. */
export function readCollections(value: unknown): CollectionMessage[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw notACollection();
  return value.map(readCollection);
}

function readCollection(value: unknown): CollectionMessage {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { id, description, newestAt } = fields;
  if (typeof id !== 'string' || id === '') throw notACollection();
  const number = (name: string) => {
    const value = fields[name];
    if (typeof value !== 'number') throw notACollection();
    return value;
  };
  return {
    id,
    description: typeof description === 'string' ? description : '',
    versions: number('versions'),
    bytes: number('bytes'),
    newestAt: typeof newestAt === 'string' ? newestAt : null,
    maxBackupsCount: number('maxBackupsCount'),
    maxOneVersionSize: number('maxOneVersionSize'),
    maxCollectionSize: number('maxCollectionSize'),
  };
}

function notACollection() {
  return failure(
    'usage',
    'what the server answers is not what a backup repository says about collections',
    'check --url',
  );
}
