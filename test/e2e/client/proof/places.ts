/** Where a stored version is cut or changed, and how: by chance, but the same for the same seed. */
import type { Random } from '../../../fuzz/random.ts';
import { allHeaders, type Stored, type Tampering, withOwnDigest, withoutDigest } from './stored.ts';

export interface Case {
  /** For people. */
  name: string;
  tampering: Tampering;
}

/** The very last bytes: tags and codes stand there. The very first are special too. */
const LAST = [1, 2, 16, 17, 22, 23, 38, 64, 100];
const FIRST = [0, 1, 60];

/** Places in the bytes: a quarter of them at the ends, as far as there are such, the others anywhere. */
function places(random: Random, size: number, count: number): number[] {
  const special = [...LAST.map((back) => size - back), ...FIRST];
  const chosen = special.sort(() => random.next() - 0.5).slice(0, Math.ceil(count / 4));
  // A tag or code at the end is what a cut would most like to miss.
  if (!chosen.includes(size - 1)) chosen[0] = size - 1;
  while (chosen.length < count) chosen.push(random.below(size));
  return chosen;
}

type Kind = (stored: Stored, bytes: Buffer) => Omit<Tampering, 'bytes'>;

const CUTS: Readonly<Record<string, Kind>> = {
  'the connection breaks, and nobody is there any more': (stored) => ({
    headers: allHeaders(stored),
    framing: 'whole-length',
    end: 'reset',
    rest: 'reset',
  }),
  'the connection breaks, and again before each further byte': (stored) => ({
    headers: allHeaders(stored),
    framing: 'whole-length',
    end: 'reset',
    rest: 'nothing',
  }),
  'the connection breaks, and the server cannot go on': (stored) => ({
    headers: withoutDigest(stored),
    framing: 'whole-length',
    end: 'reset',
    rest: 'never',
  }),
  'chunks that break off': () => ({ framing: 'chunked', end: 'reset', rest: 'never' }),
  'an end in chunks that looks right': () => ({ framing: 'chunked', end: 'clean', rest: 'never' }),
  'a shorter length': () => ({ framing: 'own-length', end: 'clean', rest: 'never' }),
  'a shorter length with the digest of the whole': (stored) => ({
    headers: allHeaders(stored),
    framing: 'own-length',
    end: 'clean',
    rest: 'never',
  }),
  'a shorter length with a digest that is right for it': (stored, bytes) => ({
    headers: withOwnDigest(stored, bytes),
    framing: 'own-length',
    end: 'clean',
    rest: 'never',
  }),
};

const FLIPS: Readonly<Record<string, Kind>> = {
  'with the digest': (stored) => ({
    headers: allHeaders(stored),
    framing: 'own-length',
    end: 'clean',
    rest: 'never',
  }),
  'without a digest': () => ({ framing: 'own-length', end: 'clean', rest: 'never' }),
  'in chunks, without anything': () => ({ framing: 'chunked', end: 'clean', rest: 'never' }),
  'with a digest that is right for it': (stored, bytes) => ({
    headers: withOwnDigest(stored, bytes),
    framing: 'own-length',
    end: 'clean',
    rest: 'never',
  }),
};

/** The version without what follows a place. @param first the kind that the first of them is, so that all have their turn. */
export function cuts(random: Random, stored: Stored, count: number, first = 0): Case[] {
  return cases(random, stored, { count, first }, CUTS, (at) => stored.bytes.subarray(0, at));
}

/** The version with one bit changed. */
export function flips(random: Random, stored: Stored, count: number, first = 0): Case[] {
  return cases(random, stored, { count, first }, FLIPS, (at) => {
    const bytes = Buffer.from(stored.bytes);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  });
}

function cases(
  random: Random,
  stored: Stored,
  { count, first }: { count: number; first: number },
  kinds: Readonly<Record<string, Kind>>,
  change: (at: number) => Buffer,
): Case[] {
  const names = Object.keys(kinds);
  return places(random, stored.bytes.length, count).map((at, index) => {
    const kind = names[(first + index) % names.length] ?? '';
    const bytes = change(at);
    const tampering = { bytes, ...(kinds[kind] as Kind)(stored, bytes) };
    return { name: `byte ${at} of ${stored.bytes.length}: ${kind}`, tampering };
  });
}
