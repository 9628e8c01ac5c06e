/** What clients do in a round, as data: drawn here, carried out in play/. */
import type { Random } from '../test/fuzz/random.ts';
import type { KindName } from './scenario.ts';

/** How a version is written: plain, or sealed by one of the formats, and compressed or not. */
export interface Sealing {
  format: 'plain' | 'age' | 'openpgp';
  compress: 'none' | 'zstd' | 'zstd:6';
}

interface Common {
  /** Milliseconds after the round's begin. */
  at: number;
  collection: string;
  /** Goes through the bad line, if the round has one. */
  outside: boolean;
}

/** The client's program backs up what a command writes. */
export interface Make extends Common {
  do: 'make';
  sealing: Sealing;
  bytes: number;
  content: 'text' | 'random';
  /** What the command does besides: only the first two end well. */
  command: 'writes' | 'pauses' | 'fails' | 'hangs' | 'is empty' | 'dies';
}

/** A request of our own, as another program would send it. */
export interface Upload extends Common {
  do: 'upload';
  bytes: number;
  /** `bare`: in chunks, with nothing that says how much there is; the last three must be refused. */
  how: 'length' | 'digest' | 'bare' | 'wrong digest' | 'breaks off' | 'too large';
}

/** The client's program gives a version to a command. */
export interface Restore extends Common {
  do: 'restore';
  /** Which of the known versions, as a share of them. */
  which: number;
  /** So many runs of one action of the ledger at once; 0: no action. */
  twins: number;
}

export interface Look extends Common {
  do: 'download' | 'list' | 'check' | 'save';
  which: number;
}

export interface Manage extends Common {
  do: 'pin' | 'unpin' | 'delete';
  which: number;
  /** How many versions, all at the same instant. */
  count: number;
}

/** A walk through the ledger, step by step beside the model. */
export interface Walk extends Common {
  do: 'walk';
  steps: number;
  seed: number;
}

export type Operation = Make | Upload | Restore | Look | Manage | Walk;

export const COLLECTIONS = ['one', 'three', 'young', 'older', 'daily', 'sealed', 'tight'] as const;
/** Most bytes of a version of `tight`. */
export const TIGHT_BYTES = 64 * 1024;

const KIB = 1024;
const AWKWARD = [
  12,
  13,
  4095,
  4096,
  4097,
  65_535,
  65_536,
  65_537,
  131_072,
  512 * KIB - 1,
  512 * KIB,
  512 * KIB + 1,
];
const MOST_BYTES = 1536 * KIB;
/** Most time between the begin of a round and that of its last operation. */
const SPREAD_MS = 150;
/** Operations that start the client's program. They cost most: at most so many in a round, and the first. */
export const PROGRAMS: readonly Operation['do'][] = ['make', 'restore', 'check', 'save'];
const MOST_PROGRAMS = 2;

interface Where {
  kind: KindName;
  index: number;
}

const WEIGHTS: readonly (readonly [Operation['do'], number])[] = [
  ['make', 22],
  ['upload', 30],
  ['restore', 12],
  ['download', 10],
  ['list', 4],
  ['check', 3],
  ['save', 3],
  ['pin', 4],
  ['unpin', 4],
  ['delete', 6],
  ['walk', 2],
];

/** The first operation of a round is one that the round's kind is about. */
export function drawOperation(random: Random, { kind, index }: Where): Operation {
  // Few, so that they meet.
  const collection = random.pick(COLLECTIONS);
  const common = { at: Math.floor(random.next() * SPREAD_MS), collection, outside: random.chance(0.8) };
  const which = random.next();
  const first =
    kind === 'client' ? (random.chance(0.6) ? 'make' : 'restore') : random.chance(0.5) ? 'make' : 'upload';
  const name = index === 0 ? first : drawName(random, index > MOST_PROGRAMS);
  switch (name) {
    case 'make':
      return drawMake(random, common);
    case 'upload': {
      const how = random.chance(0.75)
        ? random.pick(['length', 'digest', 'bare'] as const)
        : random.pick(['wrong digest', 'breaks off', 'too large'] as const);
      if (how === 'too large')
        return {
          ...common,
          do: 'upload',
          how,
          collection: 'tight',
          bytes: TIGHT_BYTES + 1 + random.below(TIGHT_BYTES),
        };
      return { ...common, do: 'upload', how, bytes: drawBytes(random, common.collection) };
    }
    case 'restore':
      return { ...common, do: 'restore', which, twins: random.chance(0.3) ? 2 : 0 };
    case 'walk':
      return { ...common, do: 'walk', steps: 4 + random.below(6), seed: random.below(2 ** 31) };
    case 'pin':
    case 'unpin':
    case 'delete':
      return { ...common, do: name, which, count: random.chance(0.5) ? 2 : 1 };
    default:
      return { ...common, do: name, which };
  }
}

function drawName(random: Random, cheap: boolean): Operation['do'] {
  const weights = WEIGHTS.filter(([name]) => !cheap || !PROGRAMS.includes(name));
  let at = random.next() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of weights) {
    at -= weight;
    if (at < 0) return name;
  }
  return 'list';
}

function drawMake(random: Random, common: Common): Make {
  const format = random.pick(['plain', 'age', 'age', 'openpgp'] as const);
  const compress = random.pick(['none', 'zstd', 'zstd', 'zstd:6'] as const);
  const command = random.chance(0.8)
    ? random.pick(['writes', 'writes', 'pauses'] as const)
    : random.pick(['fails', 'hangs', 'is empty', 'dies'] as const);
  const content = random.pick(['text', 'random'] as const);
  return {
    ...common,
    do: 'make',
    sealing: { format, compress },
    bytes: drawBytes(random, common.collection),
    content,
    command,
  };
}

function drawBytes(random: Random, collection: string): number {
  const bytes = random.chance(0.4)
    ? random.pick(AWKWARD)
    : Math.round(12 * (MOST_BYTES / 12) ** random.next());
  // With room for what a format adds.
  return collection === 'tight' ? Math.min(bytes, TIGHT_BYTES / 2) : bytes;
}
