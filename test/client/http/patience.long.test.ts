/** How long a server is waited for that asks for it, or that is away at the end. */
import type { IncomingMessage } from 'node:http';
import { mock } from 'node:test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RepositoryOptions } from '../../../src/client/http/repository.ts';
import { eventually } from '../../eventually.ts';
import { bytes, content, failureOf, repositoryAt, success, web, withServer } from './world.ts';

const test = suite('patience with servers');
const KEY = { namespace: 'ns', name: 'n', runId: 'r', holder: 'h' };

/** Waits as long as it is told to, in no time. */
function waiting(more: Partial<RepositoryOptions> = {}) {
  const waits: number[] = [];
  const sleep = async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    waits.push(ms);
  };
  return { waits, options: { sleep, backoffMs: [1000, 3000, 9000], ...more } };
}

/** Says so many times that it is asked too often, and for how long not to ask; then it has no versions. */
function limited(times: number, retryAfter: () => string, status = 429) {
  const asked: string[] = [];
  const server = web((request, response) => {
    asked.push(request.url ?? '');
    if (asked.length <= times)
      return void response.writeHead(status, { 'retry-after': retryAfter() }).end('later');
    response.end(success({ versions: [], token: 'abc', expire: '' }));
  });
  return { server, asked };
}

test('what a server asks for is waited, a window of a minute too, and does not use up the tries', async () => {
  for (const status of [429, 503]) {
    const { server, asked } = limited(5, () => '60', status);
    const { waits, options } = waiting();
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url, options);
      assert.equal(await repository.versions('c'), []);
      assert.equal(waits, [60_000, 60_000, 60_000, 60_000, 60_000]);
      assert.is(asked.length, 6);
      await repository.close();
    });
  }
  const inAMinute = () => new Date(Date.now() + 60_000).toUTCString();
  const { waits, options } = waiting();
  await withServer(limited(1, inAMinute).server, async ({ url }) => {
    const repository = repositoryAt(url, options);
    await repository.versions('c');
    assert.is(waits.length, 1);
    assert.ok((waits[0] ?? 0) > 55_000 && (waits[0] ?? 0) <= 60_000, `${waits}`);
    await repository.close();
  });
});

test('those who were told the same moment come back at different ones, and none of them earlier', async () => {
  const waited: number[] = [];
  for (const random of [0, 0.3, 0.999]) {
    const { waits, options } = waiting({ random: () => random });
    for (const seconds of ['60', '1']) {
      await withServer(limited(1, () => seconds).server, async ({ url }) => {
        const repository = repositoryAt(url, options);
        await repository.versions('c');
        await repository.close();
      });
    }
    waited.push(...waits);
  }
  assert.equal(waited, [60_000, 1000, 64_500, 1300, 74_985, 1999]);
  const { waits, options } = waiting({ random: Math.random });
  for (let machine = 0; machine < 5; machine++)
    await withServer(limited(1, () => '60').server, async ({ url }) => {
      const repository = repositoryAt(url, options);
      await repository.versions('c');
      await repository.close();
    });
  assert.ok(new Set(waits).size > 1, `${waits}`);
});

test('not for ever, not for longer than a minute, and not again and again without a wait', async () => {
  for (const [retryAfter, expected] of [
    ['60', Array.from({ length: 10 }, () => 60_000)],
    ['66', []],
    ['3600', []],
    ['0', [800, 2400, 7200]],
    ['nonsense', [800, 2400, 7200]],
  ] as const) {
    const { server } = limited(100, () => retryAfter);
    const { waits, options } = waiting();
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url, options);
      const failure = await failureOf(repository.versions('c'));
      assert.is(failure.code, 'unreachable');
      assert.match(failure.hint, /^try again/);
      assert.equal(waits, expected, retryAfter);
      await repository.close();
    });
  }
});

test('a login and an upload take their turn too', async () => {
  const seen: string[] = [];
  const server = web(async (request, response) => {
    const route = request.url?.split('/').at(-1) ?? '';
    seen.push(route);
    // Of each kind the first three come too early.
    if (seen.filter((each) => each === route).length <= 3)
      return void response.writeHead(429, { 'retry-after': '60' }).end();
    if (route === 'login') return void response.end(success({ token: 'abc', expire: '' }));
    if (request.method === 'POST') response.writeContinue();
    const got = await lengthOf(request);
    response.end(success({ version: { versionNumber: 1, filename: 'f', filesize: got } }));
  });
  const { waits, options } = waiting({
    credentials: { kind: 'password', username: 'u', password: 'admin-password' },
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, options);
    const sent = await repository.upload('c', content(bytes(10)), { contentEncoding: '' });
    assert.is(sent.bytes, 10);
    assert.is(waits.length, 6);
    await repository.close();
  });
});

async function lengthOf(request: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const piece of request) length += (piece as Buffer).length;
  return length;
}

/** Breaks every connection so many times. */
function away(times: number) {
  const state = { asked: 0 };
  const server = web((request, response) => {
    if (state.asked++ < times) return void request.socket.destroy();
    response.end(success({}));
  });
  return { server, state };
}

test('that an action is done is told to a server that comes back after minutes', async () => {
  const { server } = away(12);
  const { waits, options } = waiting();
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, options);
    await repository.finish('c', KEY, { state: 'done' });
    const minutes = waits.reduce((sum, ms) => sum + ms, 0) / 60_000;
    assert.ok(minutes > 2 && minutes < 6, `${minutes} minutes`);
    await repository.close();
  });
});

test('that it failed is what the server believes of a silent one anyway, so nobody waits for that', async () => {
  const { server, state } = away(12);
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, waiting().options);
    assert.is((await failureOf(repository.finish('c', KEY, { state: 'failed' }))).code, 'unreachable');
    assert.is(state.asked, 4);
    await repository.close();
  });
});

test('after a signal there are 20 seconds left to tell it', async () => {
  const { server, state } = away(1000);
  const stopped = new AbortController();
  const sleep = (_ms: number, signal: AbortSignal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, { signal: stopped.signal, sleep });
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      let over = false;
      const telling = failureOf(repository.finish('c', KEY, { state: 'done' })).finally(() => {
        over = true;
      });
      // Not by a timer of this test.
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      while (state.asked === 0) await turn();
      mock.timers.tick(100_000);
      stopped.abort();
      mock.timers.tick(19_000);
      for (let turns = 0; turns < 20; turns++) await turn();
      assert.not.ok(over);
      mock.timers.tick(1000);
      assert.match((await telling).message, /did not hear of it within 20 s/);
    } finally {
      mock.timers.reset();
      await repository.close();
    }
  });
});

test('a session that waits for its turn to log in does not hold up the end', async () => {
  const { server, asked } = limited(100, () => '60');
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, {
      credentials: { kind: 'password', username: 'u', password: 'admin-password' },
    });
    const lost = new AbortController();
    const reason = new Error('the claim is lost');
    const got = repository.download('c', 'latest', lost.signal).catch((error: unknown) => error);
    await eventually('the login', () => asked.length === 1);
    lost.abort(reason);
    assert.is(await got, reason);
    await repository.close();
    assert.is(asked.length, 1);
  });
});

test.run();
