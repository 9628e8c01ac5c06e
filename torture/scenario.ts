/**
 * What happens in a round, drawn from its seed alone: who does what, and what gets in the way. Instants are drawn as well; what the
 * programs are doing at them depends on the machine.
 */
import { Random } from '../test/fuzz/random.ts';
import { drawDisturbances } from './disturbances.ts';
import { drawOperation, type Operation } from './operations.ts';

export type WorldName = 'single' | 'small' | 'replicas';

export interface Kind {
  name: string;
  world: WorldName;
  /** Rounds out of a hundred. */
  share: number;
  /** For people. */
  what: string;
}

export const KINDS = [
  {
    name: 'calm',
    world: 'single',
    share: 9,
    what: 'nothing gets in the way: the store does exactly what the model does',
  },
  {
    name: 'line',
    world: 'single',
    share: 18,
    what: 'connections are cut, slowed, left half open, or have a bit flipped',
  },
  { name: 'client', world: 'single', share: 14, what: 'the client gets SIGKILL, SIGTERM or SIGINT' },
  { name: 'kill', world: 'single', share: 15, what: 'the server gets SIGKILL, at work or while it starts' },
  { name: 'stop', world: 'single', share: 4, what: 'the server is asked to stop in the middle' },
  {
    name: 'clock',
    world: 'single',
    share: 8,
    what: "the server's clock jumps, by a second or by years, and back",
  },
  {
    name: 'disk',
    world: 'small',
    share: 12,
    what: 'the disk of the versions, or of the database, is full for a while',
  },
  { name: 'fight', world: 'replicas', share: 6, what: 'two replicas, everything at once' },
  {
    name: 'replica',
    world: 'replicas',
    share: 7,
    what: 'one of two replicas is killed, or sleeps longer than its lease',
  },
  {
    name: 'engine',
    world: 'replicas',
    share: 7,
    what: 'PostgreSQL or S3 is cut off, or says nothing for a while',
  },
] as const satisfies readonly Kind[];

export type KindName = (typeof KINDS)[number]['name'];

export interface Round {
  number: number;
  seed: number;
  kind: KindName;
  world: WorldName;
  operations: readonly Operation[];
  disturbances: ReturnType<typeof drawDisturbances>;
}

/** A round's own seed, so that one can be played alone. */
export function seedOf(master: number, round: number): number {
  return (Math.imul(master, 0x9e3779b1) + Math.imul(round, 0x85ebca6b)) >>> 0;
}

/** @param kinds those that this machine can play; what is left out of them changes which round is of which kind. */
export function drawRound(master: number, number: number, kinds: readonly KindName[]): Round {
  const seed = seedOf(master, number);
  const random = new Random(seed);
  const { name: kind, world } = drawKind(random, kinds);
  const count = 2 + random.below(4);
  const operations = Array.from({ length: count }, (_, index) => drawOperation(random, { kind, index }));
  return { number, seed, kind, world, operations, disturbances: drawDisturbances(random, kind, operations) };
}

function drawKind(random: Random, names: readonly KindName[]): { name: KindName; world: WorldName } {
  const kinds = KINDS.filter(({ name }) => names.includes(name));
  let at = random.next() * kinds.reduce((sum, { share }) => sum + share, 0);
  for (const kind of kinds) {
    at -= kind.share;
    if (at < 0) return kind;
  }
  throw new Error('there is no kind of round to play');
}
