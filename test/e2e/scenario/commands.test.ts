/** The data's own tools while they run: they get what they need, and nothing of the client's. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, PATIENCE_MS } from '../../eventually.ts';
import type { ContainerProcess, RunningContainer } from '../containers/podman.ts';
import { DATABASE_PASSWORD, type Data } from './data/data.ts';
import { Deployment } from './deployment.ts';
import { accessPassword, keepingLogs, useWorld, type World } from './world.ts';

const NAME = 'commands';
const test = suite('the tools of the data');
const useIt = useWorld(test);

/** Waits until a program runs in the container. */
function running(container: RunningContainer, program: RegExp): Promise<ContainerProcess> {
  const look = async () =>
    (await container.processes()).find(({ arguments: [first = ''] }) => program.test(first));
  return eventually(`${program} runs`, look, 10, 2 * PATIENCE_MS);
}

function check({ arguments: words, environment }: ContainerProcess, world: World): void {
  assert.is(environment.PGPASSWORD, DATABASE_PASSWORD);
  const all = [...words, ...Object.values(environment)].join('\0');
  for (const secret of [accessPassword(NAME), ...world.keys.secrets])
    assert.not.ok(all.includes(secret), words[0]);
  assert.not.ok(words.join('\0').includes(DATABASE_PASSWORD), words[0]);
  assert.equal(
    Object.keys(environment).filter((name) =>
      /^(BM_(ACCESS_KEY_PASSWORD|AUTH_TOKEN|PASSPHRASE)|LD_)/.test(name),
    ),
    [],
  );
}

test('neither pg_dump nor psql could log in at the server or read a backup', () =>
  keepingLogs(NAME, async () => {
    const world = await useIt();
    const row = {
      name: NAME,
      data: 'postgres',
      procedure: 'postgres',
      encryption: 'openpgp',
      image: 'postgres:15',
      with: 'kustomize',
    } as const;
    const data: Data = await world.data(row);
    const app = new Deployment(world, row, data);
    await app.render();
    const lookAt = (program: RegExp, seen: string[]) => async (container: RunningContainer) => {
      if (container.name === 'client') return;
      const found = await running(container, program);
      check(found, world);
      seen.push(found.arguments[0] ?? '');
    };
    const seen: string[] = [];
    // The table is locked, so the tools wait until somebody has looked at them.
    const blocked = async (job: typeof app.cronJob, program: RegExp) => {
      let ended: Promise<unknown> = Promise.resolve();
      const looked = Promise.withResolvers<void>();
      await data.blockWhile?.(async () => {
        const look = lookAt(program, seen);
        ended = app.run(job, {
          whileRunning: async (container) => {
            await look(container);
            if (container.name !== 'client') looked.resolve();
          },
        });
        await Promise.race([looked.promise, ended]);
      });
      await ended;
    };
    await blocked(app.cronJob, /(^|\/)pg_dump$/);
    await blocked(await app.request('back', { action: 'restore' }), /(^|\/)psql$/);
    assert.is(seen.length, 2);
  }));

test.run();
