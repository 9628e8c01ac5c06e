/** What a person reads when a server, or something that is none, says no. */
import type { IncomingHttpHeaders } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusOf } from '../../../src/client/status.ts';
import {
  bytes,
  content,
  envelope,
  failureOf,
  repositoryAt,
  type Said,
  SECRET,
  saying,
  success,
  web,
  withServer,
} from './world.ts';

const test = suite('answers of servers');
const KEY = { namespace: 'ns', name: 'n', runId: 'r', holder: 'h' };

function jwt(exp: number): string {
  return `e30.${Buffer.from(JSON.stringify({ exp, very: 'secret' })).toString('base64url')}.very-secret`;
}

test("the original's refusals of an upload, without codes in headers", async () => {
  const stream = 'cannot upload version. cannot upload file, cannot copy stream, error: ';
  const cases: [number, string, string, RegExp][] = [
    [404, 'cannot find specified collection', 'unknown-version', /--collection-id/],
    [403, 'not authorized to upload versions to this collection', 'not-authorized', /backupUploader/],
    [
      403,
      "backup window does not allow you to send a backup at this time. You need a token that has a special permission 'uploadsAnytime'",
      'not-authorized',
      /at this time.*windows of the collection/,
    ],
    [500, 'cannot upload to same collection in parallel', 'refused', /other upload/],
    [500, 'cannot increment version. oops', 'unreachable', /oops/],
    [403, 'backup collection strategy declined a possibility to upload, no', 'refused', /maxCollectionSize/],
    [
      500,
      `${stream}filesize reached allowed limit. Uploaded 7 bytes, allowed to upload only 5 bytes`,
      'refused',
      /Uploaded 7 bytes.*only 5/,
    ],
    [500, `${stream}first chunk of uploaded data does not contain a valid GPG header`, 'refused', /--armor/],
    [
      500,
      `${stream}end of stream does not contain a valid GPG footer, suspecting a data corruption`,
      'refused',
      /--armor/,
    ],
    [408, 'Request took too long', 'unreachable', /too long.*took longer than --http-upload-timeout/],
    [500, 'something new', 'unreachable', /something new/],
  ];
  for (const [status, sentence, code, words] of cases) {
    await withServer(saying({ status, body: envelope(sentence) }), async ({ url }) => {
      const repository = repositoryAt(url);
      const failure = await failureOf(repository.upload('c', content(bytes(10)), { contentEncoding: '' }));
      assert.is(failure.code, code, sentence);
      assert.match(failure.message, `cannot upload to the collection "c" at ${url}: `);
      assert.match(`${failure.message} ${failure.hint}`, words);
      await repository.close();
    });
  }
});

test('a server that has waited for the command for long enough names its limit', async () => {
  const headers = { 'x-backup-error': 'idle' };
  await withServer(
    saying({ status: 408, body: envelope('Request took too long'), headers }),
    async ({ url }) => {
      const repository = repositoryAt(url);
      const failure = await failureOf(repository.upload('c', content(bytes(10)), { contentEncoding: '' }));
      assert.is(failure.code, 'unreachable');
      assert.match(failure.message, /Request took too long$/);
      assert.match(failure.hint, /command paused.*--upload-idle-timeout \(BR_UPLOAD_IDLE_TIMEOUT\)/);
      await repository.close();
    },
  );
});

test("the original's lists are sorted, and what it does not say is empty", async () => {
  const versions = [
    { versionNumber: 10, filesize: 1, filename: 'b' },
    { versionNumber: 2, filesize: 5, filename: 'a', DeletedAt: null },
  ];
  await withServer(saying({ status: 200, body: success({ versions }) }), async ({ url }) => {
    const repository = repositoryAt(url);
    const listed = await repository.versions('c');
    assert.equal(
      listed.map(({ versionNumber, sha256, pinned }) => [versionNumber, sha256, pinned]),
      [
        [2, '', false],
        [10, '', false],
      ],
    );
    await repository.close();
  });
  // Go writes an empty list so.
  await withServer(saying({ status: 200, body: success({ versions: null }) }), async ({ url }) => {
    const repository = repositoryAt(url);
    assert.equal(await repository.versions('c'), []);
    await repository.close();
  });
});

test('tokens: expired, with since when; not accepted; never shown', async () => {
  const body = JSON.stringify({ status: false, code: 401, message: 'Token is expired', data: {} });
  const now = Math.floor(Date.now() / 1000);
  const cases: [string, RegExp][] = [
    [jwt(now - 3 * 3600 - 60), /the token expired 3 hours ago/],
    [jwt(now - 60), /the token expired 1 minute ago/],
    [jwt(now - 86_400 * 40), /the token expired 40 days ago/],
    [jwt(now + 60), /the token is not accepted: Token is expired/],
    [SECRET, /the token is not accepted/],
  ];
  for (const [token, words] of cases) {
    await withServer(saying({ status: 401, body }), async ({ url, connections }) => {
      const repository = repositoryAt(url, { credentials: { kind: 'token', token } });
      const failure = await failureOf(repository.whoami());
      assert.is(failure.code, 'not-authenticated');
      assert.match(failure.message, words);
      assert.is(connections(), 1);
      await repository.close();
    });
  }
});

test('a server that repeats secrets does not get them into our sentences', async () => {
  const body = envelope(`no such token: ${SECRET}\n\u001b[31mred`);
  await withServer(saying({ status: 403, body }), async ({ url }) => {
    const repository = repositoryAt(url);
    const failure = await failureOf(repository.whoami());
    assert.match(failure.message, /no such token: \*\*\* \[31mred$/);
    await repository.close();
  });
});

test('things that are no backup repository', async () => {
  const html = { 'content-type': 'text/html' };
  const cases: [Said, string, RegExp][] = [
    [
      { status: 200, body: '<!doctype html><h1>Welcome', headers: html },
      'usage',
      /not a backup repository.*web page/,
    ],
    [{ status: 404, body: '<html>Not Found', headers: html }, 'usage', /not a backup repository/],
    [{ status: 404, body: '404 page not found' }, 'usage', /no such address.*\/api\/stable\//],
    [{ status: 200, body: '{"ok":true}' }, 'usage', /not a backup repository/],
    [
      { status: 200, body: '{"status":true,"data":{"versions":[{"versionNumber":"x"}]}}' },
      'usage',
      /versions/,
    ],
    [
      { status: 301, headers: { location: 'https://new.example.org/b/api/stable/x?token=very-secret' } },
      'usage',
      /redirects to https:\/\/new\.example\.org\/b\/api\/stable\/x .*--url https:\/\/new\.example\.org\/b$/,
    ],
    [
      { status: 302, headers: { location: '/login' } },
      'usage',
      /redirects to http:\/\/127\.0\.0\.1:\d+\/login/,
    ],
    [{ status: 413, body: '<html>', headers: html }, 'refused', /client_max_body_size/],
    [{ status: 502, body: '<html>', headers: html }, 'unreachable', /proxy/],
    [{ status: 408, body: '<html>', headers: html }, 'unreachable', /proxy on the way.*client_body_timeout/],
    [{ status: 408 }, 'unreachable', /proxy on the way.*client_body_timeout/],
    [{ status: 503 }, 'unreachable', /503/],
    [{ status: 504, body: '<html>' }, 'unreachable', /504/],
    [{ status: 429, headers: { 'retry-after': '3600' } }, 'unreachable', /try again in 3600 s/],
    [
      { status: 400, body: 'Client sent an HTTP request to an HTTPS server.' },
      'usage',
      /--url https:\/\/127/,
    ],
    [
      { status: 400, body: '<html>The plain HTTP request was sent to HTTPS port', headers: html },
      'usage',
      /--url https/,
    ],
    [{ status: 401, body: 'who are you' }, 'not-authenticated', /401: who are you/],
  ];
  for (const [said, code, words] of cases) {
    await withServer(saying(said), async ({ url }) => {
      const repository = repositoryAt(url);
      const failure = await failureOf(repository.versions('c'));
      assert.is(failure.code, code, `${said.status}: ${failure.message}`);
      assert.match(`${failure.message} ${failure.hint}`, words);
      await repository.close();
    });
  }
});

test('what passes is tried again, three times, and no longer than the server asks for', async () => {
  let turn = 0;
  const recovering = web((request, response) => {
    turn++;
    if (turn === 1) return void request.socket.destroy();
    if (turn === 2) return void response.writeHead(502).end();
    if (turn === 3) return void response.writeHead(429, { 'retry-after': new Date().toUTCString() }).end();
    response.end(success({ versions: [] }));
  });
  await withServer(recovering, async ({ url }) => {
    const repository = repositoryAt(url);
    assert.equal(await repository.versions('c'), []);
    assert.is(turn, 4);
    await repository.close();
  });
  const seen: IncomingHttpHeaders[] = [];
  await withServer(saying({ status: 503 }, seen), async ({ url }) => {
    const repository = repositoryAt(url);
    await failureOf(repository.versions('c'));
    assert.is(seen.length, 4);
    await repository.close();
  });
  const never: IncomingHttpHeaders[] = [];
  await withServer(
    saying({ status: 500, body: envelope('cannot list versions') }, never),
    async ({ url }) => {
      const repository = repositoryAt(url);
      await failureOf(repository.versions('c'));
      assert.is(never.length, 1);
      await repository.close();
    },
  );
});

test("logging in: the original's too short interval passes; logging out is ours only, and bounded", async () => {
  const calls: string[] = [];
  const server = web((request, response) => {
    calls.push(`${request.method} ${request.url?.split('/').at(-1)}`);
    if (calls.length === 1)
      return void response.writeHead(500).end(envelope('too short interval between login attempts'));
    if (request.url?.endsWith('login'))
      response.end(success({ token: 'abc', expire: '2030-01-01T00:00:00Z' }));
    else if (request.url?.endsWith('whoami')) response.end(success({ email: 'e' }));
    // Nothing answers the logout.
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, {
      credentials: { kind: 'password', username: 'u', password: 'admin-password' },
      idleTimeoutMs: 1500,
    });
    await Promise.all([repository.whoami(), repository.whoami()]);
    await repository.close();
    assert.equal(calls, ['POST login', 'POST login', 'GET whoami', 'GET whoami', 'DELETE logout']);
  });
});

test('claiming where there is no ledger, or no clear answer, does nothing', async () => {
  const claim = { operation: 'restore', leaseSeconds: 30 } as const;
  const cases: [Said, string, RegExp][] = [
    [{ status: 404, body: '404 page not found' }, 'action-refused', /no ledger.*nothing was done/],
    [{ status: 404, body: envelope('cannot find specified collection') }, 'unknown-version', /collection/],
    [{ status: 200, body: success({ outcome: 'maybe' }) }, 'action-refused', /nothing was done/],
    [{ status: 200, body: '<html>' }, 'usage', /not a backup repository/],
    [
      { status: 409, body: envelope('lost'), headers: { 'x-backup-error': 'action-lost' } },
      'action-refused',
      /lost/,
    ],
  ];
  for (const [said, code, words] of cases) {
    await withServer(saying(said), async ({ url }) => {
      const repository = repositoryAt(url);
      const failure = await failureOf(repository.claim('c', KEY, claim));
      assert.is(failure.code, code, failure.message);
      assert.match(failure.message, words);
      await repository.close();
    });
  }
});

test('health: checks come with 200 and with 500; the code goes in a header', async () => {
  const check = { name: 'X', statusText: 'X=false', status: false, message: 'no' };
  const seen: IncomingHttpHeaders[] = [];
  const sick = saying({ status: 500, body: envelope('one of checks failed', { health: [check] }) }, seen);
  await withServer(sick, async ({ url }) => {
    const repository = repositoryAt(url);
    assert.equal(await repository.health('c', 'code'), { healthy: false, checks: [check] });
    assert.is(seen[0]?.authorization, 'code');
    await repository.close();
  });
  await withServer(saying({ status: 500, body: envelope('oops') }), async ({ url }) => {
    const repository = repositoryAt(url);
    assert.is((await failureOf(repository.health('c'))).code, 'unreachable');
    await repository.close();
  });
});

test('health: a server that repeats the code or the token does not get them shown', async () => {
  const check = { name: 'X', statusText: 'X=false', status: false };
  const checks = [
    { ...check, message: `code health-very-secret\u001b[31m, token ${SECRET}` },
    { ...check, message: '', name: `named ${SECRET}` },
  ];
  const server = web((request, response) => {
    if (!request.url?.endsWith('/health')) return void response.end(success({ versions: [] }));
    response.writeHead(500).end(envelope('one of checks failed', { health: checks }));
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const { reason } = await statusOf(repository, 'c', 'health-very-secret');
    assert.is(reason, 'code *** [31m, token ***; named ***');
    await repository.close();
  });
});

test('lists with elements that are none get a sentence', async () => {
  for (const element of [null, 7, {}, { id: 3, name: 3, status: 'yes' }]) {
    const body = success({ health: [element], collections: [element] });
    await withServer(saying({ status: 200, body }), async ({ url }) => {
      const repository = repositoryAt(url);
      const health = await failureOf(repository.health('c'));
      assert.is(health.code, 'usage');
      assert.match(health.message, /not a backup repository/);
      const collections = await failureOf(repository.collections());
      assert.is(collections.code, 'usage');
      assert.match(collections.message, /not what a backup repository says about collections/);
      await repository.close();
    });
  }
});

test('a redirect to an address with secrets in it does not show them', async () => {
  const password = 'very-secret Ünd/so';
  const named = `http://new.example.org/${SECRET}/${encodeURIComponent(password)}/api/stable/x`;
  const server = web((request, response) => {
    if (request.url?.endsWith('login')) return void response.end(success({ token: SECRET, expire: '' }));
    response.writeHead(307, { location: named }).end();
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, { credentials: { kind: 'password', username: 'u', password } });
    const failure = await failureOf(repository.versions('c'));
    assert.match(failure.message, 'redirects to http://new.example.org/***/***/api/stable/x (307)');
    assert.is(failure.hint, '--url http://new.example.org/***/***');
    await repository.close();
  });
});

test.run();
