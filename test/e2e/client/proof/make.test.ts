/** Backups that go wrong in every way: there is never a version that is not complete, and nothing is left behind. */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, PATIENCE_MS } from '../../../eventually.ts';
import { PASSWORD } from '../../../server/http/documents.ts';
import { loudly } from '../../loudly.ts';
import type { Client } from './client.ts';
import { proofFolder } from './programs.ts';
import { flipAt, withProxy } from './proxy.ts';
import { signalMakes } from './signals.ts';
import { assertNothingStored, roomy, UploadWorld } from './uploads.ts';

const test = suite('e2e/client/proof/make');

const SEED = Number(process.env.PROOF_SEED ?? 1);
const SIGNALS = Number(process.env.PROOF_SIGNALS ?? 30);
const MEBIBYTE = 1024 * 1024;
/** Half a year away. */
const CLOSED = [{ from: `0 0 1 ${((new Date().getMonth() + 6) % 12) + 1} *`, duration: '1m' }];

let last = 0;
const NAMES = Array.from({ length: 40 }, (_, index) => `c${index}`);
const next = () => NAMES[last++] ?? '';
const signalled = Array.from({ length: SIGNALS + 1 }, (_, index) => `s${index}`);
let world: UploadWorld;

test.before(
  loudly(async () => {
    world = await UploadWorld.start([
      ...[...NAMES, ...signalled].map((name) => roomy(name)),
      roomy('closed', { windows: CLOSED }),
      roomy('small', { maxBackupsCount: 1, maxOneVersionSize: '1M', maxCollectionSize: '1M' }),
    ]);
  }),
);
test.after(() => world?.repository.remove());

test('the command exits 1 after a gibibyte', async () => {
  const command = 'for i in $(seq 341); do cat "$DATA"; done; head -c 1M "$DATA"; exit 1';
  const made = await world.make({ collection: next(), command, flags: ['--compress', 'none'] });
  assertNothingStored(made, 3, /exit code 1/);
});

/** Waits until the program dumps, and kills the one of the command's processes that looks like this. */
function killing(pattern: RegExp): (client: Client) => Promise<void> {
  return async (client) => {
    const find = (looks: RegExp) => client.processes().find(({ line }) => looks.test(line));
    await eventually('a program that dumps', () => find(/^yes abc/));
    await sleep(300);
    const found = find(pattern);
    if (!found) throw new Error(`no process looks like ${pattern}`);
    process.kill(found.id, 'SIGKILL');
  };
}

for (const [what, pattern, why, env = {}] of [
  ['program that dumps', /^yes abc/, /killed by SIGKILL|exit code 137/],
  ['shell that runs it', /pipefail/, /killed by SIGKILL|exit code 137/],
  ['guard', /backup-maker .*pipefail/, /killed by SIGKILL|exit code 137|cat ended/],
  // There is one only where no pipe can be made.
  ['copier', /^cat$/, /cat ended|SIGPIPE/, { TMPDIR: '/nowhere' }],
] as const) {
  test(`the ${what} is killed from outside`, async () => {
    const command = 'yes abc; exit 0';
    const made = await world.make({ collection: next(), command, env, during: killing(pattern) });
    assertNothingStored(made, 3, why);
  });
}

test('the command hangs', async () => {
  const command = 'cat "$DATA"; sleep 600';
  const made = await world.make({ collection: next(), command, env: { BM_TIMEOUT: '1.5' } });
  assertNothingStored(made, 4, /did not end within 1.5 seconds/);
  const child = await world.make({
    collection: next(),
    command: 'cat "$DATA"; sleep 600 & exit 0',
    env: { BM_TIMEOUT: '1.5' },
  });
  assertNothingStored(child, 4, /did not end within/);
});

test('the command closes its output and fails later', async () => {
  const made = await world.make({ collection: next(), command: 'cat "$DATA"; exec >&-; sleep 0.5; exit 7' });
  assertNothingStored(made, 3, /exit code 7/);
});

test('the command closes its output, and all went well', async () => {
  const collection = next();
  const made = await world.make({ collection, command: 'cat "$DATA"; exec >&-; sleep 0.3' });
  assert.is(made.status, 0, made.stderr);
  assert.is(await world.compare(collection, 1), '');
});

test('what the command left running in the background is waited for', async () => {
  const collection = next();
  const command = '{ sleep 0.6; tail -c +1000001 "$DATA"; } & head -c 1000000 "$DATA"; exit 0';
  const made = await world.make({ collection, command });
  assert.is(made.status, 0, made.stderr);
  assert.is(await world.compare(collection, 1), '');
});

for (const [command, status, why] of [
  ['yes | false', 3, /exit code 1\b/],
  ['false | cat "$DATA"', 3, /exit code 1\b/],
  ['cat "$DATA" | head -c 100', 3, /SIGPIPE/],
  ['cat "$DATA"; no-such-program', 3, /not found/],
  ['true', 5, /wrote nothing/],
  ['cat "$DATA" >/dev/null', 5, /wrote nothing/],
] as const) {
  test(`the command is \`${command}\``, async () => {
    assertNothingStored(await world.make({ collection: next(), command }), status, why);
  });
}

test('the server refuses at the first byte', async () => {
  const command = 'cat "$DATA"; sleep 600';
  // An administrator may upload at any time.
  const env = { BM_ACCESS_KEY_USERNAME: 'uploader', BM_ACCESS_KEY_PASSWORD: PASSWORD };
  const closed = await world.make({ collection: 'closed', command, env });
  assertNothingStored(closed, 8, /window/);
  const begin = performance.now();
  const unknown = await world.make({ collection: next(), command, env: { BM_COLLECTION_ID: 'no-such' } });
  assertNothingStored(unknown, 9, /cannot find specified collection/);
  assert.ok(performance.now() - begin < PATIENCE_MS, 'the command was waited for');
});

test('the server refuses in the middle', async () => {
  const command = 'cat "$DATA"; sleep 600';
  assertNothingStored(await world.make({ collection: 'small', command }), 10, /limit/);
});

test('the server refuses at the end: not what was sent', async () => {
  for (const place of [5000, 1_000_000, 2_500_000]) {
    const made = await withProxy(world.repository.url, { up: flipAt(place) }, (url) =>
      world.make({ collection: next(), command: 'cat "$DATA"', url }),
    );
    assertNothingStored(made, 11, /digest|SHA-256/i);
  }
});

test('the server is killed in the middle, and comes back', async () => {
  const collection = next();
  const marks = mkdtempSync(join(proofFolder, 'marks-'));
  const made = world.make({
    collection,
    env: { MARKS: marks },
    // What the client has taken of the first half by then is more than it can keep to itself: it sends.
    command:
      'cat "$DATA"; echo >"$MARKS/half"; while [ ! -e "$MARKS/back" ]; do sleep 0.1; done; cat "$DATA"',
    during: async () => {
      await eventually('the first half', () => existsSync(join(marks, 'half')));
      await world.repository.end('SIGKILL');
      await sleep(1000);
      await world.repository.start();
      writeFileSync(join(marks, 'back'), '');
    },
  });
  assertNothingStored(await made, 75, /broke after \d+ bytes .*nothing was stored/);
  const again = await world.make({ collection, command: 'cat "$DATA"' });
  assert.is(again.status, 0, again.stderr);
  assert.is(await world.compare(collection, 1), '');
});

test('the connection breaks in the middle', async () => {
  const cut = { up: (piece: Buffer, at: number) => (at > MEBIBYTE ? 'cut' : piece) } as const;
  const made = await withProxy(world.repository.url, cut, (url) =>
    world.make({ collection: next(), command: 'cat "$DATA"', url }),
  );
  assertNothingStored(made, 75, /broke after \d+ bytes .*nothing was stored/);
});

test('the network stalls for ever, in the middle', async () => {
  const stall = { up: (piece: Buffer, at: number) => (at > MEBIBYTE ? 'stall' : piece) } as const;
  const made = await withProxy(world.repository.url, stall, (url) =>
    world.make({
      collection: next(),
      command: 'cat "$DATA" "$DATA" "$DATA"',
      url,
      flags: ['--idle-timeout', '1.5'],
    }),
  );
  assertNothingStored(made, 75, /silent for/);
});

test('the network stalls just before the end: the list says that nothing was stored', async () => {
  const size = 3 * MEBIBYTE;
  const stall = { up: (piece: Buffer, at: number) => (at + piece.length > size ? 'stall' : piece) } as const;
  const made = await withProxy(world.repository.url, stall, (url) =>
    world.make({ collection: next(), command: 'cat "$DATA"', url, flags: ['--idle-timeout', '3'] }),
  );
  assertNothingStored(made, 75, /does not have them: nothing was stored/);
});

test('only the answer is lost: the version is found, and is complete', async () => {
  const collection = next();
  const deaf = { down: (piece: Buffer) => (piece.includes('100 Continue') ? piece : ('stall' as const)) };
  const made = await withProxy(world.repository.url, deaf, (url) =>
    world.make({ collection, command: 'cat "$DATA"', url, flags: ['--idle-timeout', '3'] }),
  );
  assert.is(made.status, 0, made.stderr);
  assert.match(made.stderr, /version 1 is stored and complete/);
  assert.equal(made.remains, []);
  assert.is(await world.compare(collection, 1), '');
});

test('stopped while the answer is under way: nobody says that nothing was stored', async () => {
  const deaf = { down: (piece: Buffer) => (piece.includes('100 Continue') ? piece : ('stall' as const)) };
  const collection = next();
  const made = await withProxy(world.repository.url, deaf, (url) =>
    world.make({
      collection,
      command: 'cat "$DATA"',
      url,
      during: async (client) => {
        while ((await world.repository.versions(collection)).length === 0) await sleep(30);
        client.child.kill('SIGTERM');
      },
    }),
  );
  assert.is(made.status, 143, made.stderr);
  assert.not.match(made.stderr, /nothing was stored/);
  assert.match(made.stderr, /may be stored/, made.stderr);
  assert.equal(made.remains, []);
  assert.is(await world.compare(collection, 1), '');
});

test(`signals at ${SIGNALS} random moments (seed ${SEED})`, async () => {
  const { faults, ...figures } = await signalMakes(world, signalled, SEED);
  console.log(`  ${JSON.stringify({ seed: SEED, ...figures })}`);
  assert.equal(faults, []);
  // Else all signals would have come too late.
  assert.ok(figures.stored < SIGNALS / 2, `${figures.stored} were stored`);
});

test.run();
