/** Jobs of the ledger through the program, against a real ledger. */
import { readFileSync, rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { web, withServer } from '../client/http/world.ts';
import { failedWith, MakerWorld, type Ran } from './maker-world.ts';

const test = suite('backup-maker: actions');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

const action = (name: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  BM_ACTION_NAME: name,
  BM_ACTION_NAMESPACE: 'shop',
  BM_ACTION_RUN_ID: '1',
  ...more,
});

/** Restores, and says how often the command has run until now. */
async function restore(
  command: string,
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<Ran & { runs: number }> {
  const file = world.path('runs');
  const ran = await world.run(
    ['restore', '-c', `echo run >>'${file}'; ${command}`, '-p', world.keys.agePrivate, ...args],
    { env },
  );
  let runs = 0;
  try {
    runs = readFileSync(file, 'utf8').split('\n').length - 1;
  } catch {}
  return { ...ran, runs };
}

test.before.each(() => rmSync(world.path('runs'), { force: true }));

test('a restore happens once, and again only under another run id', async () => {
  const version = await world.made('data');
  const first = await restore('cat >/dev/null', action('once'));
  assert.equal([first.code, first.runs], [0, 1]);
  const again = await restore('cat >/dev/null', action('once'), '--json');
  assert.equal([again.code, again.runs], [0, 1]);
  assert.equal(again.json(), { collectionId: 'app', doneBefore: true });
  assert.match(again.err, `"this action was done before: nothing to do","action":"shop/once","run":"1"`);
  assert.match(again.err, `"version":${version}`);
  const another = await restore('cat >/dev/null', action('once', { BM_ACTION_RUN_ID: '2' }));
  assert.equal([another.code, another.runs], [0, 2]);
});

test('a failed one is not done again by itself', async () => {
  await world.made('data');
  failedWith(await restore('exit 5', action('fails')), 3, /exit code 5/);
  const again = await restore('cat >/dev/null', action('fails'));
  failedWith(again, 12, /shop\/fails failed or went silent/, /BM_ACTION_RETRY=true/);
  assert.is(again.runs, 1);
  const told = await restore('cat >/dev/null', action('fails', { BM_ACTION_RETRY: 'true' }));
  assert.equal([told.code, told.runs], [0, 2]);
});

test('of two at the same time one does it', async () => {
  await world.made('data');
  // The one that does it is at it until the other one has been told so.
  const refusal = world.path('refusal');
  const command = `cat >/dev/null; while [ ! -e '${refusal}' ]; do sleep 0.05; done`;
  const running = [1, 2].map(() => restore(command, action('both'), '--timeout', '120'));
  await Promise.race(running).finally(() => world.write('refusal', ''));
  const both = await Promise.all(running);
  assert.equal(both.map(({ code }) => code).sort(), [0, 12]);
  const refused = both.find(({ code }) => code === 12);
  failedWith(refused as Ran, 12, /another run of the action shop\/both is under way/);
  assert.is((await restore('true', action('both'))).runs, 1);
});

test('backups too', async () => {
  const make = ['make', '-c', 'echo x', '-k', world.keys.agePublic];
  const before = (await world.versions()).length;
  for (let time = 0; time < 2; time++) assert.is((await world.run(make, { env: action('backup') })).code, 0);
  assert.is((await world.versions()).length, before + 1);
});

test('half an action, or a server without a ledger: nothing is done', async () => {
  failedWith(
    await restore('cat', { BM_ACTION_NAME: 'half' }),
    2,
    /the namespace of the action is missing/,
    /BM_ACTION_NAMESPACE/,
  );
  const original = web((_request, response) =>
    response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found'),
  );
  await withServer(original, async ({ url }) => {
    const ran = await restore('cat', action('no-ledger', { BM_URL: url }));
    failedWith(ran, 12, /no ledger of actions/, /--url/);
    assert.is(ran.runs, 0);
  });
  const away = await restore('cat', action('away', { BM_URL: 'http://127.0.0.1:1' }));
  failedWith(away, 75, /nothing listens/);
  assert.is(away.runs, 0);
});

test.run();
