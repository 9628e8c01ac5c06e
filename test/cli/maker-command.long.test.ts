/** The command that make runs: how it may fail or be stopped, what it is kept from, and what is shown meanwhile. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../eventually.ts';
import { complaintOf, exists, failedWith, MakerWorld, PASSPHRASE, TEXT } from './maker-world.ts';

const test = suite('backup-maker: command');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

test('a wrong command leaves no version', async () => {
  const before = (await world.versions()).length;
  const key = ['-k', world.keys.agePublic];
  const bare = { env: { PATH: world.barePath() } };
  const make = (command: string, ...args: string[]) =>
    world.run(['make', '-c', command, ...key, ...args], bare);
  failedWith(await make('echo some; exit 7'), 3, /failed with exit code 7/);
  failedWith(await make('echo some; kill -9 $$'), 3, /killed by SIGKILL/, /OOMKilled/);
  failedWith(
    await make('echo some; sleep 30', '--timeout', '0.3'),
    4,
    /did not end within 0.3 seconds/,
    /--timeout/,
  );
  failedWith(await make('true'), 5, /wrote nothing/);
  const variable = { env: { PATH: world.barePath(), BM_TIMEOUT: '0.3' } };
  failedWith(
    await world.run(['make', '--timeout', '60', '-c', 'sleep 30', ...key], variable),
    4,
    /0.3 seconds/,
  );
  failedWith(await world.run(['make', ...key]), 2, /--cmd is missing/, /BM_CMD/);
  assert.is((await world.versions()).length, before);
});

test('a command that thinks before its first byte keeps no upload open, and one that fails by then begins none', async () => {
  const { leases } = world.metadata;
  const { acquire } = leases;
  let uploads = 0;
  leases.acquire = (...args) => {
    uploads++;
    return acquire(...args);
  };
  try {
    for (const args of [
      ['-k', world.keys.agePublic],
      ['-k', world.keys.pgpPublic],
      ['-k', world.keys.pgpPublic, '--compress', 'none'],
      ['-i', 'open', '--no-encryption'],
    ]) {
      const make = (command: string, ...more: string[]) =>
        world.run(['make', '-c', command, ...args, ...more]);
      failedWith(await make('exit 7'), 3, /failed with exit code 7/);
      failedWith(await make('true'), 5, /wrote nothing/);
      failedWith(await make('sleep 30', '--timeout', '0.3'), 4, /did not end within 0.3 seconds/);
      assert.is(uploads, 0, args.join(' '));
      const started = world.path(`thinks-${args.join().length}`);
      const going = make(`echo >'${started}'; while [ -e '${started}' ]; do sleep 0.05; done; echo text`);
      await eventually('the command', () => exists(started));
      await sleep(300);
      assert.is(uploads, 0, args.join(' '));
      rmSync(started);
      const made = await going;
      assert.is(made.code, 0, made.err);
      assert.is(uploads, 1);
      uploads = 0;
    }
  } finally {
    leases.acquire = acquire;
  }
});

test('a wrong password ends a command that still thinks', async () => {
  const began = performance.now();
  const ran = await world.run(['make', '-c', 'sleep 30; echo text', '-k', world.keys.agePublic], {
    env: { BM_AUTH_TOKEN: '', BM_ACCESS_KEY_USERNAME: 'machine$writer', BM_ACCESS_KEY_PASSWORD: 'wrong' },
  });
  failedWith(ran, 7, /cannot log in as "machine\$writer"/);
  assert.ok(performance.now() - began < 10_000);
});

test('a proxy that lets nothing but uploads pass is good enough, also for a command that thinks', async () => {
  const refused: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming;
    if (!url.endsWith('/version')) {
      refused.push(url);
      outgoing.writeHead(403).end('not here');
      return;
    }
    const through = request(`${world.url}${url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.on('data', (piece) => through.write(piece));
    incoming.on('end', () => {
      through.addTrailers(incoming.trailers as Record<string, string>);
      through.end();
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  try {
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const ran = await world.run(['make', '-c', 'sleep 1.5; echo text', '-k', world.keys.agePublic], {
      env: { BM_URL: url },
    });
    assert.is(ran.code, 0, ran.err);
    assert.equal(refused, ['/api/stable/auth/whoami']);
  } finally {
    proxy.close();
  }
});

test('a signal: nothing is stored, and the exit status is the signal’s', async () => {
  const before = (await world.versions()).length;
  for (const [signal, status, first] of [
    ['SIGTERM', 143, 'echo some'],
    ['SIGINT', 130, 'echo some'],
    ['SIGHUP', 129, 'echo some'],
    ['SIGTERM', 143, ':'],
  ] as const) {
    const started = world.path(`started-${signal}-${first.length}`);
    const ran = await world.run(
      ['make', '-c', `${first}; echo > ${started}; sleep 30`, '-k', world.keys.agePublic],
      {
        env: { PATH: world.barePath() },
        stop: (send) => {
          const timer = setInterval(() => {
            if (!exists(started)) return;
            clearInterval(timer);
            send(signal);
          }, 10);
        },
      },
    );
    failedWith(ran, status, new RegExp(`^stopped by ${signal}: `));
  }
  assert.is((await world.versions()).length, before);
});

test('our secrets are kept from the command, and everything else gets there', async () => {
  const file = world.write('secret', PASSPHRASE);
  const env = {
    BM_PASSPHRASE: PASSPHRASE,
    BM_PASSPHRASE_FILE: file,
    BM_AUTH_TOKEN_FILE: world.write('token', world.env.BM_AUTH_TOKEN ?? ''),
    PGPASSWORD: 'goes there',
  };
  const made = await world.run(['make', '-c', 'env', '-k', world.keys.agePublic], { env });
  assert.is(made.code, 0, made.err);
  const { out } = await world.run(['download', '--save-path', '-', '-p', world.keys.agePrivate]);
  assert.match(out, 'PGPASSWORD=goes there');
  assert.not.match(out, /BM_(AUTH_TOKEN|PASSPHRASE|ACCESS_KEY_PASSWORD)/);
});

test('progress on a terminal is a line that is gone at the end', async () => {
  const ran = await world.run(
    ['make', '-c', `cat ${world.write('some', TEXT)}`, '-k', world.keys.agePublic],
    {
      terminal: true,
    },
  );
  assert.is(ran.code, 0);
  assert.match(ran.err, /\ruploading \d/);
  assert.ok(ran.err.includes('\r\u001b[KVersion uploaded (collection app, version '), ran.err);
  const never = { env: { BM_PROGRESS: 'never' }, terminal: true };
  const silent = await world.run(
    ['make', '-c', 'echo', '-k', world.keys.agePublic, '--progress', 'always'],
    never,
  );
  assert.not.match(silent.err, /\r/);
  const always = await world.run(['make', '-c', 'echo', '-k', world.keys.agePublic, '--progress', 'always']);
  assert.match(always.err, /\ruploading/);
  const quiet = await world.run(['make', '-c', 'echo', '-k', world.keys.agePublic, '--log-level', 'panic']);
  assert.is(quiet.err, '');
  const failed = await world.run(['make', '-c', 'exit 9', '-k', world.keys.agePublic], { terminal: true });
  assert.ok(failed.err.includes('backup-maker: error: the dump command failed with exit code 9'), failed.err);
  assert.is(complaintOf(await world.run(['make', '-c', 'exit 9', '-k', world.keys.agePublic])).status, 3);
});

test.run();
