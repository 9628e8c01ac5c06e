/** What gets in the way in a round, as data: drawn here, done in play/. */
import type { Random } from '../test/fuzz/random.ts';
import { type Operation, PROGRAMS } from './operations.ts';
import type { KindName } from './scenario.ts';

/** What a line does to one connection. Bytes are counted behind the head of the first request, or of the first answer. */
export interface LineFault {
  what: 'none' | 'cut' | 'stall' | 'slow' | 'flip' | 'late';
  /** Towards the server, or back. */
  towards: 'server' | 'client';
  /** At which byte. */
  byte: number;
  bit: number;
}

export type Disturbance =
  | { what: 'line'; faults: readonly LineFault[] }
  | { what: 'signal'; operation: number; signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'; at: number }
  /** @property again the next start is interrupted as well, after so many milliseconds. */
  | { what: 'kill'; at: number; again: number | undefined }
  | { what: 'stop'; at: number }
  | { what: 'clock'; at: number; byMs: number; forMs: number }
  | { what: 'full'; disk: 'objects' | 'database'; at: number; forMs: number }
  | { what: 'kill replica'; at: number; replica: number }
  | { what: 'freeze replica'; at: number; replica: number; forMs: number }
  | {
      what: 'engine';
      engine: 'database' | 'storage';
      how: 'cut once' | 'away' | 'silent';
      at: number;
      forMs: number;
    };

export const FAULTS = ['cut', 'cut', 'stall', 'slow', 'flip', 'flip', 'late'] as const;
const SECOND = 1000;
const DAY = 86_400 * SECOND;
/** Forwards and back; a battery that was empty, a time server that came late. */
const JUMPS = [SECOND, 61 * SECOND, 3_700 * SECOND, DAY + SECOND, 8 * DAY, 400 * DAY, 20_000 * DAY];
/** Of a replica whose lease is two seconds; see worlds/replicas.ts. */
const SLEEPS_MS = [300, 2300, 3200];

export function drawDisturbances(
  random: Random,
  kind: KindName,
  operations: readonly Operation[],
): Disturbance[] {
  const at = Math.round(random.next() ** 1.5 * 900);
  const forMs = 50 + random.below(500);
  switch (kind) {
    case 'calm':
    case 'fight':
      return [];
    case 'line':
      return [
        { what: 'line', faults: drawFaults(random) },
        ...sometimes(random, 0.1, () => drawSignal(random, operations)),
      ];
    case 'client':
      return [
        drawSignal(random, operations),
        ...sometimes(random, 0.3, () => drawSignal(random, operations)),
      ];
    case 'kill': {
      const again = random.chance(0.2) ? random.below(900) : undefined;
      return [{ what: 'kill', at, again }, ...sometimes(random, 0.1, () => drawSignal(random, operations))];
    }
    case 'stop':
      return [{ what: 'stop', at }];
    case 'clock': {
      const byMs = random.pick(JUMPS) * (random.chance(0.5) ? 1 : -1);
      return [{ what: 'clock', at: Math.round(at / 3), byMs, forMs: forMs * 2 }];
    }
    case 'disk':
      return [
        {
          what: 'full',
          disk: random.pick(['objects', 'objects', 'database'] as const),
          at: Math.round(at / 2),
          forMs,
        },
      ];
    case 'replica': {
      const replica = random.below(2);
      return random.chance(0.4)
        ? [{ what: 'kill replica', at, replica }]
        : [{ what: 'freeze replica', at: Math.round(at / 2), replica, forMs: random.pick(SLEEPS_MS) }];
    }
    case 'engine': {
      const engine = random.pick(['database', 'storage'] as const);
      const how = random.pick(['cut once', 'cut once', 'away', 'silent'] as const);
      return [{ what: 'engine', engine, how, at: Math.round(at / 2), forMs }];
    }
  }
}

function sometimes<T>(random: Random, chance: number, draw: () => T): T[] {
  return random.chance(chance) ? [draw()] : [];
}

/** To one of the client's programs, if there are any. */
function drawSignal(random: Random, operations: readonly Operation[]): Disturbance {
  const programs = operations.flatMap((operation, index) => (PROGRAMS.includes(operation.do) ? [index] : []));
  return {
    what: 'signal',
    operation: programs.length > 0 ? random.pick(programs) : 0,
    signal: random.pick(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'] as const),
    at: Math.round(random.next() ** 1.5 * 1100),
  };
}

function drawFaults(random: Random): LineFault[] {
  return Array.from({ length: 6 }, () => ({
    what: random.chance(0.65) ? random.pick(FAULTS) : 'none',
    towards: random.pick(['server', 'client'] as const),
    byte: random.chance(0.2) ? random.below(300) : Math.round(2 ** (random.next() * 20)),
    bit: random.below(8),
  }));
}
