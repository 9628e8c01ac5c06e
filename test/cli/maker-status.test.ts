/** `status` of many collections, on servers that limit how often they are asked, or of which a part does not work. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { envelope, success, web, withServer } from '../client/http/world.ts';
import { failedWith, maker } from './maker-world.ts';

const test = suite('backup-maker: status');

const NAMES = Array.from({ length: 14 }, (_, index) => `c${index + 1}`);

const NUMBERS = { versions: 0, bytes: 0, maxBackupsCount: 1, maxOneVersionSize: 1, maxCollectionSize: 1 };

/** A repository of such collections. `refuse`: answers in its place. */
function repository(refuse: (id: string, request: IncomingMessage, response: ServerResponse) => boolean) {
  return web((request, response) => {
    const [, id = ''] = /\/collection\/([^/]+)\//.exec(request.url ?? '') ?? [];
    if (id !== '' && refuse(id, request, response)) return;
    if (request.url?.endsWith('/health')) return void response.end(success({ health: [] }));
    if (request.url?.endsWith('/version')) return void response.end(success({ versions: [] }));
    response.end(success({ collections: NAMES.map((id) => ({ id, ...NUMBERS })) }));
  });
}

const env = (url: string) => ({ BM_URL: url, BM_AUTH_TOKEN: 'canary-status-token' });

test('more collections than the server lets anybody ask about in a minute', async () => {
  let left = 10;
  const waits: number[] = [];
  const sleep = async (ms: number) => {
    waits.push(ms);
    left = 10;
  };
  const server = repository((_id, request, response) => {
    if (!request.url?.endsWith('/health') || left-- > 0) return false;
    response.writeHead(429, { 'retry-after': '60', 'x-backup-error': 'rate-limited' });
    response.end(envelope('too many requests, try again later'));
    return true;
  });
  await withServer(server, async ({ url }) => {
    const ran = await maker(['status'], { env: env(url), waits: { sleep, random: () => 0.5 } });
    assert.is(ran.code, 0, ran.err);
    assert.equal(waits, [67_500]);
    assert.match(ran.err, /level=warning msg=".*too many requests, try again later; trying again"/);
    const rows = ran.out.trimEnd().split('\n').slice(1);
    assert.equal(
      rows.map((row) => row.split(/ +/).slice(0, 2)),
      NAMES.map((name) => [name, 'well']),
    );
  });
});

test('a collection that cannot be asked is a row with the reason, and the others are told as they are', async () => {
  const server = repository((id, request, response) => {
    const isHealth = request.url?.endsWith('/health');
    if (id === 'c2' && !isHealth)
      response.writeHead(403).end(envelope('not authorized to list versions of this collection'));
    else if (id === 'c4' && isHealth) response.writeHead(500).end(envelope('internal error'));
    else return false;
    return true;
  });
  await withServer(server, async ({ url }) => {
    const ran = await maker(['status'], { env: env(url) });
    failedWith(ran, 13, /^not known: c2, c4$/);
    const rows = ran.out.trimEnd().split('\n');
    assert.is(rows.length, 15);
    assert.match(rows[2] ?? '', /^c2 +NOT KNOWN +cannot list the versions of .*"c2".*not authorized to list/);
    assert.match(rows[3] ?? '', /^c3 +well +0 +0 B +never$/);
    assert.match(rows[4] ?? '', /^c4 +NOT KNOWN +0 +0 B +never +cannot check the health of .*internal error/);
    const { collections } = (await maker(['status', '--json'], { env: env(url) })).json() as {
      collections: Record<string, unknown>[];
    };
    assert.equal(collections.map(({ failed }) => failed).slice(0, 5), [
      undefined,
      'not-authorized',
      undefined,
      'unreachable',
      undefined,
    ]);
    // If it is all that was asked about, the exit status says why.
    failedWith(
      await maker(['status', 'c2'], { env: env(url) }),
      8,
      /not authorized to list/,
      /backupUploader/,
    );
    failedWith(await maker(['status', 'c4'], { env: env(url) }), 75, /internal error/);
    failedWith(await maker(['status', 'c2', 'c4'], { env: env(url) }), 13, /^not known: c2, c4$/);
  });
});

test('a server that goes away is not waited for again and again', async () => {
  const asked: string[] = [];
  const server = repository((id, request) => {
    if (NAMES.indexOf(id) < 2) return false;
    asked.push(id);
    request.socket.destroy();
    return true;
  });
  await withServer(server, async ({ url }) => {
    const ran = await maker(['status'], { env: env(url) });
    failedWith(ran, 13, /^not known: c3, c4, .*, c14$/);
    assert.equal([...new Set(asked)], ['c3', 'c4', 'c5']);
    const rows = ran.out.trimEnd().split('\n');
    assert.match(rows[5] ?? '', /^c5 +NOT KNOWN +.*the connection broke$/);
    assert.match(
      rows[14] ?? '',
      /^c14 +NOT KNOWN +not asked, since the server did not answer for those before/,
    );
    failedWith(
      await maker(['status', 'c5', 'c6'], { env: env(url) }),
      75,
      /^none of 2 collections could be asked, see above$/,
    );
  });
});

test('who asks is no matter of one collection', async () => {
  const server = repository((_id, _request, response) => {
    const body = { status: false, code: 401, message: 'Token is expired', data: {} };
    response.writeHead(401).end(JSON.stringify(body));
    return true;
  });
  await withServer(server, async ({ url }) => {
    const ran = await maker(['status'], { env: env(url) });
    failedWith(ran, 7, /token is not accepted/);
    assert.is(ran.out, '');
  });
});

test('0 is no limit for silence', async () => {
  const server = repository((_id, _request, response) => {
    setTimeout(() => response.end(success({ versions: [], health: [] })), 100);
    return true;
  });
  await withServer(server, async ({ url }) => {
    for (const [args, more] of [
      [['--idle-timeout', '0'], {}],
      [[], { BM_IDLE_TIMEOUT: '0' }],
    ] as const) {
      const ran = await maker(['status', 'c1', ...args], { env: { ...env(url), ...more } });
      assert.is(ran.code, 0, ran.err);
      assert.is(ran.err, '');
    }
    failedWith(
      await maker(['list', '-i', 'c1', '--idle-timeout', '0.02'], { env: env(url) }),
      75,
      /silent for 20 ms/,
    );
  });
});

test.run();
