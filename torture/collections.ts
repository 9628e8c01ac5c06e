/** The collections that every world has: each with a rule of rotation of its own, as the server's documents and as the model's policy. */
import { collection, type Document } from '../test/server/http/documents.ts';
import { COLLECTIONS, TIGHT_BYTES } from './operations.ts';
import type { Policy } from './rotation.ts';

export type CollectionName = (typeof COLLECTIONS)[number];

const HOUR_MS = 3_600_000;

export const POLICIES: Readonly<Record<CollectionName, Policy>> = {
  one: { newest: 1 },
  three: { newest: 3 },
  young: { newest: 2, minAgeMs: 60_000 },
  older: { newest: 1, older: { copies: 2, ageMs: HOUR_MS } },
  daily: { newest: 2, days: 3 },
  sealed: { newest: 2 },
  tight: { newest: 2 },
};

const ROOMY = { allowUnencrypted: true, maxOneVersionSize: '8M', maxCollectionSize: '4G' };

const SPECS: Readonly<Record<CollectionName, object>> = {
  one: { maxBackupsCount: 1 },
  three: { maxBackupsCount: 3 },
  young: { maxBackupsCount: 2, strategySpec: { minAge: '1m' } },
  older: {
    maxBackupsCount: 1,
    strategyName: 'fifo-plus-older',
    strategySpec: { keepLastOlderNotMoreThan: '1h', maxOlderCopies: 2 },
  },
  daily: { maxBackupsCount: 2, strategyName: 'keep', strategySpec: { keepLast: 2, keepDaily: 3 } },
  sealed: { maxBackupsCount: 2, allowUnencrypted: false },
  // No space beyond what two of the largest take, so nothing larger may be stored.
  tight: {
    maxBackupsCount: 2,
    maxOneVersionSize: `${TIGHT_BYTES}B`,
    maxCollectionSize: `${2 * TIGHT_BYTES}B`,
  },
};

export function documents(): Document[] {
  return COLLECTIONS.map((name) => collection(name, { ...ROOMY, ...SPECS[name] }));
}

/** Pinned versions would fill it, and then nothing could be stored. */
export function mayPin(name: string): boolean {
  return name !== 'tight';
}
