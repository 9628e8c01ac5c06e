/** What a backup does to the volume of a running application: nothing, unless it is told to. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPLICATION_USER, type Data } from './data/data.ts';
import { ownersOf } from './data/files.ts';
import { Deployment } from './deployment.ts';
import { keepingLogs, useWorld, type World } from './world.ts';

const NAME = 'volumes';
const row = { name: NAME, data: 'files', procedure: 'files', encryption: 'age', with: 'kustomize' } as const;
const test = suite('volumes of applications');
const useIt = useWorld(test);

/** A backup of the files of an application, and the owners of these before and after it. */
async function backUp(world: World, securityContext?: Record<string, unknown>) {
  const data = await world.data(row);
  const { podTemplate: _, ...defaults } = data;
  const own: Data = securityContext ? { ...data, podTemplate: { securityContext } } : defaults;
  const folder = data.claims?.['app-data'] ?? '';
  const app = new Deployment(world, row, own);
  await app.render();
  const before = ownersOf(folder);
  const result = await app.tryRun(app.cronJob);
  return { before, after: ownersOf(folder), result };
}

test('a backup with the defaults changes neither owner nor mode of any file, whether it may read them or not', () =>
  keepingLogs(NAME, async () => {
    const { before, after, result } = await backUp(await useIt());
    assert.is.not(result.exitCode, 0);
    assert.match(result.logs, /Permission denied[\s\S]*set podTemplate\.securityContext/);
    assert.equal(after, before);
  }));

test('neither does one as the application’s user, or in its group', () =>
  keepingLogs(NAME, async () => {
    const world = await useIt();
    const user = await backUp(world, { runAsUser: APPLICATION_USER, runAsGroup: APPLICATION_USER });
    assert.is(user.result.exitCode, 0, user.result.logs);
    assert.equal(user.after, user.before);
    // One file is for the user alone.
    const group = await backUp(world, { supplementalGroups: [APPLICATION_USER] });
    assert.match(group.result.logs, /photo 0: Cannot open: Permission denied/);
    assert.not.match(group.result.logs, /photo 1: Cannot open/);
    assert.equal(group.after, group.before);
  }));

test('an fsGroup that the user asks for is given', () =>
  keepingLogs(NAME, async () => {
    const { before, after, result } = await backUp(await useIt(), { fsGroup: 2000 });
    assert.is(result.exitCode, 0, result.logs);
    assert.is(before.get('uploads/photo 0'), `${APPLICATION_USER}:${APPLICATION_USER} 600`);
    assert.is(after.get('uploads/photo 0'), `${APPLICATION_USER}:2000 660`);
  }));

test.run();
