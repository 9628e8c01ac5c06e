/** What goes wrong between us and the server: each with its exit status, one sentence, and what to do. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { web, withServer } from '../client/http/world.ts';
import { freePort } from '../free-port.ts';
import { failedWith, IN_COMMAND, keepSecret, MakerWorld, maker } from './maker-world.ts';

const test = suite('backup-maker: errors');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

/** A command that says its password, which must not be repeated by us. */
const COMMAND = `printf x # -p${IN_COMMAND}`;
const make = (...args: string[]) => ['make', '-c', COMMAND, '-k', world.keys.agePublic, ...args];

test('nobody says what, where or who', async () => {
  failedWith(await maker(['list', '-i', 'app']), 2, /--url is missing/, /^export BM_URL=/);
  failedWith(
    await maker(['list', '-u', world.url]),
    2,
    /--collection-id is missing/,
    /^export BM_COLLECTION_ID=/,
  );
  failedWith(
    await maker(['list', '-u', world.url, '-i', 'app']),
    2,
    /nothing says who is asking/,
    /BM_AUTH_TOKEN/,
  );
  failedWith(
    await maker(['list', '-u', world.url, '-i', 'app', '--auth-token-file', world.path('none')]),
    2,
    /--auth-token-file: cannot read .*none: there is no such file/,
  );
  failedWith(
    await maker(['list', '-u', world.url, '-i', 'app', '--auth-token-file', world.write('blank', '\n')]),
    2,
    /blank is empty/,
  );
  const ca = ['--ca-file', world.write('ca.pem', 'no certificate')];
  failedWith(await world.run(['list', ...ca]), 2, /certificate/, /BEGIN CERTIFICATE/);
  failedWith(
    await world.run(['list'], { env: { BM_CA_FILE: world.path('none.pem') } }),
    2,
    /--ca-file: cannot read/,
  );
});

test('a URL that cannot be right', async () => {
  failedWith(
    await world.run(['list'], { env: { BM_URL: '127.0.0.1:8080' } }),
    2,
    /must begin with https/,
    /^https:/,
  );
  const withPassword = `http://admin:${keepSecret('canary-in-url')}@127.0.0.1:8080`;
  failedWith(
    await world.run(['list'], { env: { BM_URL: withPassword } }),
    2,
    /must not hold a user name or a password/,
  );
});

test('a server that is not there, not ready, or something else', async () => {
  const port = await freePort();
  for (const args of [['list'], make(), ['restore', '-c', 'cat'], ['status', 'app'], ['check']]) {
    const ran = await world.run(args, { env: { BM_URL: `http://127.0.0.1:${port}` } });
    failedWith(ran, 75, /nothing listens on port \d+/, /check --url, and whether the server is running/);
    assert.match(ran.err, /level=warning msg=".*; trying again"/);
  }
  await withServer(
    web((_request, response) => response.writeHead(503).end('busy')),
    async ({ url }) => {
      failedWith(await world.run(['list'], { env: { BM_URL: url } }), 75, /does not answer the proxy/);
    },
  );
  await withServer(
    web((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello')),
    async ({ url }) => {
      failedWith(await world.run(['list'], { env: { BM_URL: url } }), 2, /not a backup repository/, /--url/);
    },
  );
  await withServer(
    web((_request, response) => response.destroy()),
    async ({ url }) => {
      failedWith(await world.run(['list'], { env: { BM_URL: url } }), 75, /the connection broke/);
    },
  );
  await withServer(
    web(() => {}),
    async ({ url }) => {
      for (const [args, env] of [
        [['--idle-timeout', '0.2'], {}],
        [[], { BM_IDLE_TIMEOUT: '0.2' }],
      ] as const)
        failedWith(
          await world.run(['list', ...args], { env: { BM_URL: url, ...env } }),
          75,
          /silent for 200 ms/,
        );
    },
  );
});

test('a token that is expired, of nobody, or no token', async () => {
  const expired = await world.run(make(), { env: { BM_AUTH_TOKEN: world.expiredToken() } });
  failedWith(expired, 7, /the token expired \d+ hours ago/, /set BM_AUTH_TOKEN to a new token/);
  failedWith(
    await world.run(['list'], { env: { BM_AUTH_TOKEN: keepSecret('canary.not.a-token') } }),
    7,
    /the token is not accepted/,
    /get a new one/,
  );
  failedWith(
    await world.run(['list'], { env: { BM_AUTH_TOKEN: keepSecret('canary token\nof two lines') } }),
    2,
    /the token holds white space/,
    /the token alone/,
  );
});

test('what the account may not do', async () => {
  const as = async (name: string) => ({ env: { BM_AUTH_TOKEN: await world.token(name) } });
  failedWith(await world.run(make(), await as('stranger')), 8, /not authorized to upload/, /backupUploader/);
  await world.made('x');
  failedWith(
    await world.run(['restore', '-c', 'cat'], await as('uploader')),
    8,
    /not authorized to download/,
    /backupDownloader/,
  );
  failedWith(await world.run(['list'], await as('stranger')), 8, /not authorized to list/, /role/);
  failedWith(
    await world.run(make('-i', 'closed'), await as('uploader')),
    8,
    /backup window does not allow/,
    /uploadsAnytime/,
  );
});

test('what is not there', async () => {
  for (const args of [
    ['list'],
    make(),
    ['restore', '-c', 'cat'],
    ['check'],
    ['download', '--save-path', '-'],
  ])
    failedWith(
      await world.run([...args, '-i', 'nowhere']),
      9,
      /cannot find specified collection/,
      /--collection-id/,
    );
  for (const args of [['restore', '-c', 'cat'], ['check'], ['download', '--save-path', world.path('x')]]) {
    failedWith(await world.run([...args, '-s', '4711']), 9, /version/, /backup-maker list/);
    failedWith(await world.run([...args, '-i', 'never']), 9, /version/, /backup-maker list/);
  }
});

test('content that the server does not take', async () => {
  const big = world.write('big', Buffer.alloc(3000, 'x'));
  const small = ['-i', 'small', '--no-encryption', '--compress', 'none'];
  failedWith(
    await world.run(['make', '-c', `cat ${big}`, ...small]),
    10,
    /reached allowed limit/,
    /maxOneVersionSize/,
  );
  failedWith(
    await world.run(['make', '-c', 'echo x', '--no-encryption']),
    10,
    /GPG header/,
    /allowUnencrypted/,
  );
  assert.equal(await world.versions('small'), []);
});

test('everything that is a failure is one JSON line where JSON was asked for', async () => {
  for (const [args, env] of [
    [['--json'], {}],
    [['--log-format', 'json'], {}],
    [['--log-format=json'], {}],
    [[], { BM_LOG_FORMAT: 'json' }],
  ] as const) {
    const ran = await world.run(['list', '-i', 'nowhere', ...args], { env });
    const line = JSON.parse(ran.err) as Record<string, unknown>;
    assert.equal([line.level, line.code, line.exitStatus], ['error', 'unknown-version', 9]);
    assert.match(String(line.try), /--collection-id/);
  }
  const people = await world.run(['list', '-i', 'nowhere'], { terminal: true });
  assert.match(people.err, /^backup-maker: error: cannot list .*\n {2}try: check --collection-id.*\n$/);
});

test.run();
