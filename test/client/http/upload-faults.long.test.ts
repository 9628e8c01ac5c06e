/** Uploads to servers that break, refuse, fall silent, or lie. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../eventually.ts';
import {
  bytes,
  content,
  envelope,
  failureOf,
  hostile,
  repositoryAt,
  success,
  web,
  withServer,
} from './world.ts';

const test = suite('uploads to hostile servers');
const PLAIN = { contentEncoding: '' };
const MANY = 400;
const PIECE = bytes(64 * 1024);
const much = () => content(...Array.from({ length: MANY }, () => PIECE));

/** What a server got of an upload. */
async function receive(request: IncomingMessage): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const piece of request) {
    hash.update(piece as Buffer);
    count += (piece as Buffer).length;
  }
  return { bytes: count, sha256: hash.digest('hex') };
}

function stored(response: ServerResponse, fields: object): void {
  response.end(success({ version: { versionNumber: 4, filename: 'f', ...fields } }));
}

test('the request: chunked, asks before it sends, with its digest as a trailer, in large chunks', async () => {
  let seen: IncomingMessage | undefined;
  let raw = Buffer.alloc(0);
  const server = web(async (request, response) => {
    seen = request;
    request.socket.on('data', (piece: Buffer) => {
      raw = Buffer.concat([raw, piece]);
    });
    response.writeContinue();
    const got = await receive(request);
    stored(response, { filesize: got.bytes, sha256: got.sha256 });
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(`${url}/base/path//`);
    const small = Array.from({ length: 1000 }, () => bytes(1000));
    const { sha256 } = await repository.upload('a b/c', content(...small), { contentEncoding: 'zstd' });
    assert.is(seen?.url, '/base/path/api/alpha/repository/collection/a%20b%2Fc/version');
    assert.is(seen?.headers.expect, '100-continue');
    assert.is(seen?.headers['transfer-encoding'], 'chunked');
    assert.is(seen?.headers['x-backup-content-encoding'], 'zstd');
    assert.match(String(seen?.headers['user-agent']), /^backup-maker\/\d/);
    assert.is(seen?.trailers['repr-digest'], `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`);
    await repository.close();
  });
});

test('nothing is opened for content that fails at once, or is empty', async () => {
  await withServer(
    web((_request, response) => response.end()),
    async ({ url, connections }) => {
      const repository = repositoryAt(url);
      const oops = new Error('no such table');
      const work = repository.upload('c', content(oops), PLAIN);
      assert.is(await work.catch((error: unknown) => error), oops);
      assert.is((await failureOf(repository.upload('c', content(), PLAIN))).code, 'empty-dump');
      assert.is(
        (await failureOf(repository.upload('c', content(Buffer.alloc(0)), PLAIN))).code,
        'empty-dump',
      );
      assert.is(connections(), 0);
      await repository.close();
    },
  );
});

test('content that fails with an error of networks is not taken for a broken connection', async () => {
  let uploads = 0;
  const server = web((request, response) => {
    uploads++;
    response.writeContinue();
    request.on('error', () => {}).resume();
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const oops = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    assert.is(
      await repository.upload('c', content(PIECE, oops), PLAIN).catch((error: unknown) => error),
      oops,
    );
    assert.is(uploads, 1);
    await repository.close();
  });
});

test('before the first byte of content it is tried again: refused connections, resets, 503, 429', async () => {
  let turn = 0;
  const server = web(async (request, response) => {
    turn++;
    if (turn === 1) return void request.socket.destroy();
    if (turn === 2) return void response.writeHead(503).end('starting');
    if (turn === 3) return void response.writeHead(429, { 'retry-after': '0' }).end();
    response.writeContinue();
    const got = await receive(request);
    stored(response, { filesize: got.bytes, sha256: got.sha256 });
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const sent = await repository.upload('c', content(PIECE, PIECE), PLAIN);
    assert.is(sent.bytes, 2 * PIECE.length);
    assert.is(turn, 4);
    assert.is(repository.warnings.length, 3);
    await repository.close();
  });
});

test('after content was sent it is never sent again', async () => {
  const server = web((request, response) => {
    response.writeContinue();
    request.once('data', () => request.socket.destroy());
    request.on('error', () => {});
  });
  await withServer(server, async ({ url, connections }) => {
    const repository = repositoryAt(url);
    const pieces = much();
    const failure = await failureOf(repository.upload('c', pieces, PLAIN));
    assert.is(failure.code, 'unreachable');
    assert.match(failure.message, /broke after \d+ bytes had been sent; nothing was stored/);
    assert.ok(pieces.state.stopped);
    assert.is(connections(), 1);
    await repository.close();
  });
});

test('a server that never says 100 Continue gets the content after a second; one that does not like it, without', async () => {
  let refusals = 0;
  const server = web(async (request, response) => {
    if (request.url?.includes('strict') && request.headers.expect) {
      refusals++;
      return void response.writeHead(417, { connection: 'close' }).end();
    }
    const got = await receive(request);
    stored(response, { filesize: got.bytes, sha256: got.sha256 });
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    assert.is((await repository.upload('silent', content(PIECE), PLAIN)).bytes, PIECE.length);
    assert.is((await repository.upload('strict', content(PIECE), PLAIN)).bytes, PIECE.length);
    assert.is(refusals, 1);
    await repository.close();
  });
});

test('an answer in the middle is told, however the server hangs up', async () => {
  const answer = envelope('cannot upload to same collection in parallel');
  const head = `HTTP/1.1 500 Internal Server Error\r\ncontent-length: ${answer.length}\r\n\r\n`;
  for (const hangUp of ['destroy', 'end', 'reset', 'stay', 'half'] as const) {
    const server = hostile((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        socket.once('data', () => {
          socket.pause();
          setTimeout(() => {
            socket.write(head + (hangUp === 'half' ? answer.slice(0, 10) : answer), () => {
              if (hangUp === 'destroy' || hangUp === 'half') socket.destroy();
              if (hangUp === 'end') socket.end();
              if (hangUp === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
            });
          }, 50);
        });
      });
    });
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url);
      const pieces = much();
      const failure = await failureOf(repository.upload('c', pieces, PLAIN));
      if (hangUp === 'half') assert.is(failure.code, 'unreachable', `${hangUp}: ${failure.message}`);
      else assert.match(failure.message, /in parallel/, hangUp);
      assert.ok(pieces.state.stopped, hangUp);
      await repository.close();
    });
  }
});

/** A server in a thread of its own, which goes on while ours is blocked: refuses at the first bytes of content and hangs up. */
const REFUSING = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 100 Continue\\r\\n\\r\\n');
// What it has not read makes the system reset the connection when it hangs up.
      socket.pause();
      setTimeout(() => socket.write(workerData, () => socket.destroy()), 60);
    });
  }).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('an answer that waits unread while we are busy is read before the write that fails is told', async () => {
  const answer = envelope('sent empty data');
  const workerData = `HTTP/1.1 500 No\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`;
  const worker = new Worker(REFUSING, { eval: true, workerData });
  const [port] = await once(worker, 'message');
  const repository = repositoryAt(`http://127.0.0.1:${port}`);
  // While this thread is blocked the answer and the reset arrive; the next thing that happens is a write.
  const block = async () => {
    await sleep(20);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  };
  const pieces = content(PIECE, block, PIECE, PIECE, PIECE);
  const failure = await failureOf(repository.upload('c', pieces, PLAIN));
  assert.match(failure.message, /sent empty data/);
  await repository.close();
  await worker.terminate();
});

test('silence: before the connection says anything, in the middle, and after the end', async () => {
  const silent = { idleTimeoutMs: 1200, backoffMs: [1] };
  await withServer(
    hostile((socket) => {
      socket.once('data', () => socket.pause());
    }),
    async ({ url }) => {
      const repository = repositoryAt(url, silent);
      const failure = await failureOf(repository.upload('c', much(), PLAIN));
      assert.is(failure.code, 'unreachable');
      assert.match(failure.message, /silent for 1 s/);
      await repository.close();
    },
  );
  await withServer(
    web((_request, response) => response.writeContinue()),
    async ({ url }) => {
      const repository = repositoryAt(url, { ...silent, idleTimeoutMs: 900 });
      const failure = await failureOf(repository.upload('c', much(), PLAIN));
      assert.is(failure.code, 'unreachable');
      assert.match(failure.message, /silent for 900 ms after \d+ bytes had been sent; nothing was stored/);
      await repository.close();
    },
  );
  const server = web((request, response) => {
    if (request.method === 'GET') return void response.end(success({ versions: [] }));
    response.writeContinue();
    request.resume();
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, { ...silent, idleTimeoutMs: 900 });
    const failure = await failureOf(repository.upload('c', content(PIECE), PLAIN));
    assert.is(failure.code, 'unreachable');
    assert.match(failure.message, /silent for 900 ms; all 65536 bytes were sent.*nothing was stored/);
    await repository.close();
  });
});

test('an answer that is lost after the end: the list of versions tells what became of it', async () => {
  const sha256 = createHash('sha256').update(PIECE).digest('hex');
  const version = { versionNumber: 9, filesize: PIECE.length };
  type Case = [string, () => object[] | number, RegExp | undefined];
  let lists = 0;
  const cases: Case[] = [
    ['stored', () => [{ ...version, sha256 }], undefined],
    ['stored a little later', () => (lists < 2 ? [] : [{ ...version, sha256 }]), undefined],
    [
      'not stored',
      () => [{ ...version, sha256: 'f'.repeat(64) }],
      /list of versions does not have them: nothing was stored/,
    ],
    ['the original does not say', () => [version], /cannot be found out/],
    ['no list', () => 403, /cannot be found out/],
  ];
  for (const [name, list, words] of cases) {
    for (const loss of ['reset', 'gateway']) {
      lists = 0;
      const server = web((request, response) => {
        if (request.method === 'GET') {
          lists++;
          const answer = list();
          if (typeof answer === 'number')
            response.writeHead(answer).end(envelope('not authorized to list versions'));
          else response.end(success({ versions: answer }));
          return;
        }
        response.writeContinue();
        request.resume().once('end', () => {
          if (loss === 'reset') request.socket.destroy();
          else response.writeHead(504, { 'content-type': 'text/html' }).end('<h1>Gateway Timeout</h1>');
        });
      });
      await withServer(server, async ({ url }) => {
        const repository = repositoryAt(url);
        const work = repository.upload('c', content(PIECE), PLAIN);
        if (words) {
          const failure = await failureOf(work);
          assert.is(failure.code, 'unreachable', name);
          assert.match(failure.message, words, name);
        } else {
          assert.is((await work).version.versionNumber, 9, name);
          assert.match(repository.warnings.join(), /version 9 is stored/, name);
        }
        await repository.close();
      });
    }
  }
});

test('a server that stored something else, or says so before it had everything', async () => {
  const cases: [object, RegExp][] = [
    [{ filesize: 5 }, /5 bytes, and 65536 were sent/],
    [{ filesize: PIECE.length, sha256: 'e'.repeat(64) }, /SHA-256 eeee/],
  ];
  for (const [fields, words] of cases) {
    const server = web((request, response) => {
      response.writeContinue();
      request.resume().once('end', () => stored(response, fields));
    });
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url);
      const failure = await failureOf(repository.upload('c', content(PIECE), PLAIN));
      assert.is(failure.code, 'damaged');
      assert.match(failure.message, words);
      assert.match(failure.hint, /delete it/);
      await repository.close();
    });
  }
  const hasty = web((request, response) => {
    response.writeContinue();
    request.once('data', () => stored(response, { filesize: 1 }));
  });
  await withServer(hasty, async ({ url }) => {
    const repository = repositoryAt(url);
    const failure = await failureOf(repository.upload('c', much(), PLAIN));
    assert.is(failure.code, 'damaged');
    assert.match(failure.message, /before the content had ended/);
    await repository.close();
  });
});

test('content that dribbles is sent as it comes, not kept until there is much', async () => {
  const arrivals: number[] = [];
  const server = web((request, response) => {
    response.writeContinue();
    request.on('data', (piece: Buffer) => arrivals.push(piece.length));
    request.once('end', () => stored(response, { filesize: 15 }));
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const arrived = (count: number) => () => eventually('what was sent', () => arrivals.length === count);
    await repository.upload('c', content(bytes(5), arrived(1), bytes(5), arrived(2), bytes(5)), PLAIN);
    assert.equal(arrivals, [5, 5, 5]);
    await repository.close();
  });
});

test('content that a server does not take is not asked for', async () => {
  const server = web((_request, response) => {
    response.writeContinue();
  });
  await withServer(server, async ({ url }) => {
    const stop = new AbortController();
    const repository = repositoryAt(url, { signal: stop.signal });
    const pieces = content(...Array.from({ length: 1000 }, () => PIECE));
    const work = repository.upload('c', pieces, PLAIN).catch(() => {});
    await sleep(300);
    // What the system's buffers of both sides take, and no more.
    assert.ok(pieces.state.given * PIECE.length < 16_000_000, `${pieces.state.given} pieces`);
    stop.abort(new Error('enough'));
    await work;
    await repository.close();
  });
});

test.run();
