/** How large the next version of a collection may be. */
import type { CollectionSpec } from '../configuration/configuration.ts';
import { parseSize } from './sizes.ts';

export interface Limits {
  readonly maxBackupsCount: number;
  /** Bytes that a version is meant to have at most. */
  readonly maxOneVersionSize: number;
  /** Bytes that all versions together have at most. */
  readonly maxCollectionSize: number;
}

/** The limits of a collection in bytes. @throws {UserError} if a size cannot be read. */
export function limitsOf(spec: CollectionSpec): Limits {
  return {
    maxBackupsCount: spec.maxBackupsCount,
    maxOneVersionSize: parseSize(spec.maxOneVersionSize),
    maxCollectionSize: parseSize(spec.maxCollectionSize),
  };
}

/**
 * The space that a version may use beyond `maxOneVersionSize`, shared by all versions of the collection: what
 * `maxCollectionSize` has more than `maxBackupsCount` versions of that size need. Negative if it has less.
 */
export function extraSpace({ maxBackupsCount, maxOneVersionSize, maxCollectionSize }: Limits): number {
  return maxCollectionSize - maxBackupsCount * maxOneVersionSize;
}

/**
 * Most bytes of the next version, given the sizes of those that stay when it is stored.
 *
 * One version's size plus what is left of the extra space, but never more than what is left of the collection: pinned
 * and young versions stay beyond `maxBackupsCount`, and without this they would let the collection grow past its
 * limit. Zero or less means that nothing can be stored before versions are removed by hand.
 */
export function mostBytes(limits: Limits, staying: readonly number[]): number {
  const { maxOneVersionSize, maxCollectionSize } = limits;
  const extra = Math.max(0, extraSpace(limits));
  const usedExtra = staying.reduce((sum, size) => sum + Math.max(0, size - maxOneVersionSize), 0);
  const left = maxCollectionSize - staying.reduce((sum, size) => sum + size, 0);
  const soft = extra === 0 ? maxOneVersionSize : extra - usedExtra + maxOneVersionSize;
  return Math.min(soft, left);
}
