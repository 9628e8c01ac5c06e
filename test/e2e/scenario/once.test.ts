/** A restore happens once, however often its Job is created, and whatever is lost on the way. Counted by the database's own log. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PodResult } from '../containers/pod.ts';
import type { Manifest } from '../sandbox.ts';
import type { Data } from './data/data.ts';
import { Deployment } from './deployment.ts';
import type { Lose, Seen } from './ingress.ts';
import { keepingLogs, useWorld, type World } from './world.ts';

const test = suite('a restore happens once');
const useIt = useWorld(test);
let world: World;
let app: Deployment;
let data: Data;
/** As version 1 has it. */
let first: string;

test.before(async () => {
  try {
    world = await useIt();
    const row = {
      name: 'once',
      data: 'postgres',
      procedure: 'postgres',
      encryption: 'age',
      image: 'postgres:15',
      with: 'kustomize',
    } as const;
    data = await world.data(row);
    app = new Deployment(world, row, data);
    await app.render();
    first = await data.state();
    await app.run(app.cronJob);
  } catch (error) {
    console.error(error);
    throw error;
  }
});

let changes = 0;

/** Changes the data; resolves to the state after that. */
async function change(): Promise<string> {
  await data.change(`change ${++changes}`);
  return data.state();
}

const restore = (name: string, more: Manifest = {}) =>
  app.request(name, { action: 'restore', targetVersion: 'v1', ...more });

async function loads(): Promise<number> {
  return (await data.loads?.()) ?? Number.NaN;
}

/** Runs the pod, and says how often the database was loaded meanwhile. */
async function counted(job: Manifest): Promise<PodResult & { loaded: number }> {
  const before = await loads();
  const result = await app.tryRun(job);
  return { ...result, loaded: (await loads()) - before };
}

/** Loses answers to requests of this sort, so many of them, while the work goes on; resolves to how many were lost. */
async function losing(route: string, most: number, work: () => Promise<void>): Promise<number> {
  let lost = 0;
  const lose: Lose = ({ path }) => path.endsWith(`/action/${route}`) && lost < most && ++lost > 0;
  world.ingress.loses.add(lose);
  try {
    await work();
  } finally {
    world.ingress.loses.delete(lose);
  }
  return lost;
}

test('run five times, it restores the first time, and ends well each time', () =>
  keepingLogs('once', async () => {
    const job = await restore('monday');
    await change();
    const done = await counted(job);
    assert.is(done.exitCode, 0, done.logs);
    assert.is(done.loaded, 1);
    assert.is(await data.state(), first);
    const changed = await change();
    for (let time = 2; time <= 5; time++) {
      const again = await counted(job);
      assert.is(again.exitCode, 0, again.logs);
      assert.is(again.loaded, 0);
      assert.match(again.logs, /this action was done before: nothing to do/);
    }
    assert.is(await data.state(), changed, 'what was written since is not touched');
  }));

test('twice at once, one of the two restores and the other one says so', () =>
  keepingLogs('once', async () => {
    const job = await restore('tuesday');
    await change();
    const before = await loads();
    let both: Promise<PodResult>[] = [];
    // None of them can end before the other one has begun.
    await data.blockWhile?.(async () => {
      both = [app.tryRun(job), app.tryRun(job)];
      const refused = await Promise.race(both);
      assert.is(refused.exitCode, 12, refused.logs);
      assert.match(refused.logs, /another run of the action once\/tuesday is under way, at least until 2/);
    });
    const ends = (await Promise.all(both)).map(({ exitCode }) => exitCode).sort((a, b) => a - b);
    assert.equal(ends, [0, 12]);
    assert.is((await loads()) - before, 1);
    assert.is(await data.state(), first);
    const again = await counted(job);
    assert.is(again.exitCode, 0, again.logs);
    assert.is(again.loaded, 0);
  }));

test('with the answer to the claim lost, it asks again as the same holder, and restores once', () =>
  keepingLogs('once', async () => {
    const job = await restore('wednesday');
    await change();
    let result: Awaited<ReturnType<typeof counted>> | undefined;
    const lost = await losing('claim', 1, async () => {
      result = await counted(job);
    });
    assert.is(lost, 1);
    assert.is(result?.exitCode, 0, result?.logs);
    assert.is(result?.loaded, 1);
    assert.match(result?.logs ?? '', /trying again/);
    assert.is(await data.state(), first);
  }));

test('with every answer to the claim lost, nothing is restored, and a new run id is the way out', () =>
  keepingLogs('once', async () => {
    const job = await restore('thursday');
    const changed = await change();
    const lost = await losing('claim', 99, async () => {
      const result = await counted(job);
      assert.is(result.exitCode, 75, result.logs);
      assert.is(result.loaded, 0);
    });
    assert.ok(lost > 1);
    const refused = await counted(job);
    assert.is(refused.exitCode, 12, refused.logs);
    assert.is(refused.loaded, 0);
    assert.match(refused.logs, /another run of the action once\/thursday is under way, at least until 2/);
    assert.is(await data.state(), changed);

    const anew = await counted(await restore('thursday', { runId: 'second' }));
    assert.is(anew.exitCode, 0, anew.logs);
    assert.is(anew.loaded, 1);
    assert.is(await data.state(), first);
  }));

test('with the answer to its end lost, it is done all the same', () =>
  keepingLogs('once', async () => {
    const job = await restore('friday');
    await change();
    await losing('finish', 1, async () => {
      const result = await counted(job);
      assert.is(result.exitCode, 0, result.logs);
      assert.is(result.loaded, 1);
    });
    const again = await counted(job);
    assert.is(again.exitCode, 0, again.logs);
    assert.is(again.loaded, 0);
  }));

test('one that failed is not done again by itself, but with retry', () =>
  keepingLogs('once', async () => {
    const changed = await change();
    let job: Manifest = {};
    let runId = '';
    // It has its claim when it asks for what it restores.
    let atWork = false;
    const watch = ({ path }: Seen) => {
      if (path.includes('/version/')) atWork = true;
    };
    world.ingress.watches.add(watch);
    await data
      .blockWhile?.(async () => {
        // With as much time as the machine needs to bring one to its work.
        for (let deadlineSeconds = 4; !atWork && deadlineSeconds < 300; deadlineSeconds *= 2) {
          runId = `stopped-after-${deadlineSeconds}`;
          job = await restore('saturday', { runId });
          const late = await app.tryRun(job, { deadlineSeconds });
          assert.is(late.deadlineExceeded, true, late.logs);
        }
      })
      .finally(() => world.ingress.watches.delete(watch));
    assert.ok(atWork);
    assert.is(await data.state(), changed, 'what did not end was rolled back');
    const refused = await counted(job);
    assert.is(refused.exitCode, 12, refused.logs);
    assert.is(refused.loaded, 0);
    assert.match(refused.logs, /failed or went silent before .*nothing is done by itself/s);
    const retried = await counted(await restore('saturday', { runId, retry: true }));
    assert.is(retried.exitCode, 0, retried.logs);
    assert.is(retried.loaded, 1);
    assert.is(await data.state(), first);
  }));

test.run();
