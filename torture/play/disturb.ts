/** Does what gets in the way, at its time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cut, silent } from '../../test/e2e/server/engines/bad-line.ts';
import type { Disturbance } from '../disturbances.ts';
import type { Replicas } from '../worlds/replicas.ts';
import type { Single } from '../worlds/single.ts';
import { Line } from './line.ts';
import type { Server } from './server.ts';
import type { Stage } from './stage.ts';

/** What has to be there before the first operation. */
export async function prepare(stage: Stage): Promise<void> {
  for (const each of stage.round.disturbances)
    if (each.what === 'line')
      stage.line = await Line.to(stage.world.servers[0]?.url ?? '', each.faults, (what) => {
        stage.count('disturbances', `the line: ${what}`);
        stage.note(`-> the line: ${what}`);
      });
}

export async function disturb(stage: Stage, disturbance: Disturbance): Promise<void> {
  if (disturbance.what === 'line') return;
  await sleep(disturbance.at);
  const { world } = stage;
  const hit = (what: string) => {
    stage.count('disturbances', what);
    stage.note(`-> ${what}`);
  };
  if (disturbance.what === 'signal') {
    const { operation, signal } = disturbance;
    const running = stage.programs
      .get(operation)
      ?.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    if (running?.length) hit(`${signal} to the client`);
    for (const { child } of running ?? []) child.kill(signal);
  } else if (world.name !== 'replicas') {
    await disturbSingle(world as Single, disturbance, stage, hit);
  } else {
    await disturbReplicas(world as Replicas, disturbance, stage, hit);
  }
}

async function disturbSingle(
  world: Single,
  disturbance: Disturbance,
  stage: Stage,
  hit: (what: string) => void,
): Promise<void> {
  const { server, disks } = world;
  switch (disturbance.what) {
    case 'kill':
      hit('SIGKILL to the server');
      await kill(server, stage);
      if (disturbance.again !== undefined) {
        server.spawn();
        await sleep(disturbance.again);
        hit('SIGKILL to a server that starts');
        await kill(server, stage);
      }
      return server.start();
    case 'stop': {
      hit('SIGTERM to the server');
      const status = await server.end('SIGTERM');
      if (status !== 0) stage.fault(`asked to stop, the server ended with ${status}`);
      return server.start();
    }
    case 'clock':
      hit(`the clock jumps by ${Math.round(disturbance.byMs / 1000)} s`);
      server.turnClock(disturbance.byMs);
      await sleep(disturbance.forMs);
      return server.turnClock(0);
    case 'full': {
      const disk = disks?.[disturbance.disk];
      hit(`the disk of the ${disturbance.disk} is full`);
      disk?.fill();
      await sleep(disturbance.forMs);
      return disk?.free();
    }
  }
}

async function disturbReplicas(
  world: Replicas,
  disturbance: Disturbance,
  stage: Stage,
  hit: (what: string) => void,
): Promise<void> {
  switch (disturbance.what) {
    case 'kill replica': {
      const server = world.servers[disturbance.replica];
      if (!server) return;
      hit('SIGKILL to a replica');
      await kill(server, stage);
      return server.start();
    }
    case 'freeze replica':
      hit('a replica sleeps');
      world.servers[disturbance.replica]?.signal('SIGSTOP');
      await sleep(disturbance.forMs);
      return world.servers[disturbance.replica]?.signal('SIGCONT');
    case 'engine': {
      const line = world.lines[disturbance.engine];
      hit(`the ${disturbance.engine}: ${disturbance.how}`);
      if (disturbance.how === 'cut once') return line.cutAll();
      line.behaviour = disturbance.how === 'away' ? cut : silent;
      if (disturbance.how === 'away') line.cutAll();
      await sleep(disturbance.forMs);
      line.behaviour = {};
      return line.cutAll();
    }
  }
}

/** What has ended before it is killed has ended by itself, even while it starts. */
async function kill(server: Server, stage: Stage): Promise<void> {
  const status = await server.end('SIGKILL');
  if (status !== 'SIGKILL')
    stage.fault(`the server had ended by itself with ${status}:\n${server.output.slice(-3000)}`);
}
