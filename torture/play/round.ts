/** Plays one round: operations and what gets in their way at the same time, then the look at what is left. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Round } from '../scenario.ts';
import type { World } from '../worlds/world.ts';
import { carryOut } from './carry-out.ts';
import { disturb, prepare } from './disturb.ts';
import { settle } from './settle.ts';
import { Stage, type Tools } from './stage.ts';

export interface Played {
  round: Round;
  ms: number;
  faults: readonly string[];
  /** Where everything about it is kept, if something was wrong. */
  kept?: string;
}

/** @param sabotage does something to the world that the look afterwards has to find. */
export async function playRound(
  round: Round,
  world: World,
  tools: Tools,
  under: string,
  sabotage?: (world: World) => void,
): Promise<Played> {
  const began = performance.now();
  const folder = mkdtempSync(join(under, `round-${round.number}-`));
  const stage = new Stage(round, world, tools, folder);
  try {
    await prepare(stage);
    const operations = round.operations.map(async (operation, index) => {
      await sleep(operation.at);
      await carryOut(stage, operation, index);
    });
    const disturbances = round.disturbances.map((each) => disturb(stage, each));
    for (const outcome of await Promise.allSettled([...operations, ...disturbances]))
      if (outcome.status === 'rejected')
        stage.fault(`the torture itself failed: ${(outcome.reason as Error).stack}`);
    sabotage?.(world);
    await settle(stage);
  } catch (error) {
    stage.fault(`the torture itself failed: ${(error as Error).stack}`);
  }
  const played = { round, ms: performance.now() - began, faults: stage.faults };
  if (stage.faults.length === 0) {
    rmSync(folder, { recursive: true, force: true });
    return played;
  }
  const log = world.servers.flatMap((server, index) => [`--- server ${index + 1}`, ...server.log]);
  writeFileSync(join(folder, 'round.json'), JSON.stringify(round, null, 2));
  writeFileSync(join(folder, 'diary.txt'), `${stage.diary.join('\n')}\n`);
  writeFileSync(join(folder, 'servers.log'), log.join('\n'));
  return { ...played, kept: folder };
}
