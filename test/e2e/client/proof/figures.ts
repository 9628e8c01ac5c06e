/** Cuts and flips of versions for PostgreSQL, as many as wanted, and their figures. */
import { Random } from '../../../fuzz/random.ts';
import type { Format } from './keys.ts';
import { type Loader, type Loads, LoadWorld, type Task } from './loads.ts';
import { cuts, flips } from './places.ts';

export interface Wanted {
  format: Format;
  /** They take turns. */
  loaders: readonly Loader[];
  cuts: number;
  flips: number;
}

/** Tasks in an order in which those that wait long begin first. */
export async function tasksOf(world: LoadWorld, wanted: readonly Wanted[], seed: number): Promise<Task[]> {
  const random = new Random(seed);
  const tasks: Task[] = [];
  const begun = { cuts: 0, flips: 0 };
  for (const { format, loaders, ...counts } of wanted) {
    for (const [index, loader] of loaders.entries()) {
      const stored = await world.stored(format, loader);
      const share = (count: number) => Math.floor((count + index) / loaders.length);
      for (const [name, make] of [
        ['cuts', cuts],
        ['flips', flips],
      ] as const) {
        const count = share(counts[name]);
        if (count === 0) continue;
        const cases = make(random, stored, count, begun[name]);
        tasks.push(...cases.map((one) => ({ ...one, format, loader, stored })));
        begun[name] += count;
      }
    }
  }
  const waits = ({ tampering }: Task) => Number(tampering.rest !== 'never');
  return tasks.sort((a, b) => waits(b) - waits(a));
}

/** Controls, then everything that is wanted. */
export async function prove(
  wanted: readonly Wanted[],
  seed: number,
  progress?: (done: number) => void,
): Promise<Loads> {
  const world = await LoadWorld.start();
  try {
    const faults: string[] = [];
    for (const { format, loaders } of wanted)
      for (const loader of loaders) faults.push(...(await world.control(format, loader)));
    const loads = await world.attempt(await tasksOf(world, wanted, seed), progress);
    return { ...loads, faults: [...faults, ...loads.faults] };
  } finally {
    await world.stop();
  }
}
