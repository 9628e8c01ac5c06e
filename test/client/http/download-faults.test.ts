/** Downloads from servers that break, fall silent, change, or lie: all of it or an error, never a part that looks whole. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytes, collect, failureOf, hostile, repositoryAt, SECRET, web, withServer } from './world.ts';

const test = suite('downloads from hostile servers');
const DATA = bytes(300_000);

function digest(data: Buffer): string {
  return `sha-256=:${createHash('sha256').update(data).digest('base64')}:`;
}

interface Manners {
  /** How many bytes are sent in each answer before the connection breaks; what is beyond the list is whole. */
  cuts: readonly number[];
  /** Goes silent in place of breaking. */
  silent?: boolean;
  /** Changes the answer to a range. */
  onRange?: (headers: Record<string, string | number>, response: ServerResponse) => boolean;
  headers?: Record<string, string>;
}

/** A server that has one version, keeps ranges, and breaks off where it is told to. */
function breaking({ cuts, silent = false, onRange, headers = {} }: Manners) {
  const asked: (string | undefined)[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const { range } = request.headers;
    asked.push(
      `${request.url?.split('/').at(-1)} ${range ?? ''} ${request.headers['if-range'] ?? ''}`.trim(),
    );
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const given: Record<string, string | number> = {
      etag: '"tag"',
      'repr-digest': digest(DATA),
      'x-backup-version': '7',
      'content-length': DATA.length - start,
      ...headers,
    };
    if (range !== undefined) {
      given['content-range'] = `bytes ${start}-${DATA.length - 1}/${DATA.length}`;
      if (onRange?.(given, response)) return;
    }
    response.writeHead(range === undefined ? 200 : 206, given);
    const cut = cuts[asked.length - 1];
    if (cut === undefined) return void response.end(DATA.subarray(start));
    response.write(DATA.subarray(start, start + cut), () => {
      if (!silent) setTimeout(() => request.socket.destroy(), 5);
    });
    if (cut === 0) response.flushHeaders();
  };
  return { server: web(listener), asked };
}

test('a connection that breaks is taken up where it broke, always for the same version', async () => {
  const { server, asked } = breaking({ cuts: [100_000, 50_000] });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const got = await repository.download('c', 'latest');
    assert.is(got.versionNumber, 7);
    assert.ok((await collect(got.content)).equals(DATA));
    assert.equal(asked, ['latest', '7 bytes=100000- "tag"', '7 bytes=150000- "tag"']);
    assert.is(repository.warnings.length, 2);
    await repository.close();
  });
});

test('whatever the cuts are: the content is whole or there is an error', async () => {
  let state = 42;
  const random = (below: number) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state % below;
  };
  for (let round = 0; round < 40; round++) {
    const cuts = Array.from({ length: random(7) }, () => (random(4) === 0 ? 0 : random(DATA.length)));
    const { server } = breaking({ cuts });
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url);
      const got = await repository.download('c', 'latest');
      let whole: Buffer | undefined;
      try {
        whole = await collect(got.content);
      } catch {}
      // Five tries without a byte in a row are the only way to fail here.
      if (whole) assert.ok(whole.equals(DATA), `cuts ${cuts}`);
      else assert.match(cuts.join(), /0,0,0,0,0/);
      await repository.close();
    });
  }
});

test('a server that brings nothing any more is given up after five tries', async () => {
  const { server, asked } = breaking({ cuts: [1000, 0, 0, 0, 0, 0, 0, 0, 0] });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const got = await repository.download('c', 'latest');
    const failure = await failureOf(collect(got.content));
    assert.is(failure.code, 'unreachable');
    assert.match(failure.message, /after 1000 of 300000 bytes/);
    assert.is(asked.length, 6);
    await repository.close();
  });
});

test('silence in the middle is broken off and taken up again', async () => {
  const { server, asked } = breaking({ cuts: [70_000], silent: true });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, { idleTimeoutMs: 900 });
    const got = await repository.download('c', 'v7');
    assert.ok((await collect(got.content)).equals(DATA));
    assert.is(asked.length, 2);
    assert.match(repository.warnings.join(), /silent for 900 ms/);
    await repository.close();
  });
});

test('what cannot be taken up again fails: no ranges, changed, deleted, other bytes', async () => {
  const cases: [string, Manners['onRange'], string, RegExp][] = [
    [
      'ignores ranges',
      (headers, response) => {
        delete headers['content-range'];
        response.writeHead(200, { ...headers, 'content-length': DATA.length }).end(DATA);
        return true;
      },
      'unreachable',
      /only gives the whole again/,
    ],
    [
      'changed',
      (headers, response) => {
        response.writeHead(200, { ...headers, etag: '"other"', 'content-length': DATA.length }).end(DATA);
        return true;
      },
      'damaged',
      /changed on the server/,
    ],
    [
      'other version',
      (headers) => !Object.assign(headers, { 'x-backup-version': '8' }),
      'damaged',
      /version 8/,
    ],
    [
      'other place',
      (headers) => !Object.assign(headers, { 'content-range': `bytes 99-${DATA.length - 1}/${DATA.length}` }),
      'damaged',
      /went on with "bytes 99-/,
    ],
    [
      'coded on the way',
      (headers) => !Object.assign(headers, { 'content-encoding': 'gzip' }),
      'damaged',
      /Content-Encoding is "gzip"/,
    ],
    [
      'repeats a secret',
      (headers) => !Object.assign(headers, { 'content-range': `bytes ${SECRET}` }),
      'damaged',
      /went on with "bytes \*\*\*"/,
    ],
    [
      'deleted',
      (_headers, response) => {
        response
          .writeHead(404, { 'x-backup-error': 'version-not-found' })
          .end('{"status": false, "error": "cannot find specified version", "data": {}}');
        return true;
      },
      'unknown-version',
      /cannot find specified version/,
    ],
    [
      'out of range',
      (_headers, response) => {
        response.writeHead(416, { 'content-range': 'bytes */5' }).end();
        return true;
      },
      'damaged',
      /changed on the server/,
    ],
  ];
  for (const [name, onRange, code, words] of cases) {
    const { server } = breaking({ cuts: [1000], ...(onRange && { onRange }) });
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url);
      const got = await repository.download('c', 'latest');
      const failure = await failureOf(collect(got.content));
      assert.is(failure.code, code, `${name}: ${failure.message}`);
      assert.match(failure.message, words, name);
      await repository.close();
    });
  }
});

test('content with another digest is damaged, at once or after it was taken up again', async () => {
  for (const cuts of [[], [1000]]) {
    const { server } = breaking({ cuts, headers: { 'repr-digest': digest(bytes(10)) } });
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url);
      const failure = await failureOf(collect((await repository.download('c', '7')).content));
      assert.is(failure.code, 'damaged');
      assert.match(failure.message, /SHA-256/);
      assert.match(failure.hint, /version 7.*check/);
      await repository.close();
    });
  }
});

test('the original: no digest, no number, no ranges; a cut is an error', async () => {
  let cut = false;
  const server = web((request, response) => {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="iwa-ait-7.tar.gz"',
      'content-length': DATA.length,
    });
    if (!cut) return void response.end(DATA);
    response.write(DATA.subarray(0, 500), () => setTimeout(() => request.socket.destroy(), 5));
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const got = await repository.download('c', 'latest');
    assert.equal(
      [got.versionNumber, got.size, got.contentEncoding, got.filename],
      [undefined, DATA.length, undefined, 'iwa-ait-7.tar.gz'],
    );
    assert.ok((await collect(got.content)).equals(DATA));
    assert.is((await repository.download('c', 'v7')).versionNumber, 7);
    cut = true;
    const failure = await failureOf(collect((await repository.download('c', '7')).content));
    assert.is(failure.code, 'unreachable');
    assert.match(failure.message, /after 500 of 300000 bytes, and this server cannot go on/);
    await repository.close();
  });
});

test('an answer whose end nobody could tell is not taken', async () => {
  const server = hostile((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nsome of it'));
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    assert.is((await failureOf(repository.download('c', 'latest'))).code, 'damaged');
    await repository.close();
  });
});

test('another version than the one that was asked for is not taken', async () => {
  const cases: [string, string, number | RegExp | undefined][] = [
    ['3', '2', /sent version 2 in place of version 3/],
    ['v3', '99999999999999999999', /in place of version 3/],
    ['3', '3', 3],
    ['latest', '2', 2],
    // What is no number says nothing.
    ['3', '2; x', 3],
    ['3', '0', 3],
    ['latest', '-2', undefined],
    ['latest', '1e3', undefined],
  ];
  for (const [asked, said, outcome] of cases) {
    await withServer(
      breaking({ cuts: [], headers: { 'x-backup-version': said } }).server,
      async ({ url }) => {
        const repository = repositoryAt(url);
        const got = repository.download('c', asked);
        if (outcome instanceof RegExp) {
          const failure = await failureOf(got);
          assert.is(failure.code, 'damaged');
          assert.match(failure.message, outcome);
        } else {
          const { versionNumber, content } = await got;
          assert.is(versionNumber, outcome, `${asked}, ${said}`);
          await content.return(undefined);
        }
        await repository.close();
      },
    );
  }
});

test('without digest, only a length or chunks say whether content is whole', async () => {
  const cases: [string, string, RegExp | undefined][] = [
    ['transfer-encoding: identity', 'some of it', /nobody could tell/],
    ['transfer-encoding: gzip', 'some of it', /nobody could tell/],
    ['transfer-encoding: chunked', '4\r\nall!\r\n0\r\n\r\n', undefined],
    ['content-length: 4', 'all!', undefined],
    [`connection: close\r\nrepr-digest: ${digest(Buffer.from('all!'))}`, 'all!', undefined],
    ['content-length: 4\r\ncontent-encoding: identity', 'all!', undefined],
    ['content-length: 4\r\ncontent-encoding: gzip', 'all!', /Content-Encoding is "gzip"/],
    [`content-length: 4\r\ncontent-encoding: br, ${SECRET}`, 'all!', /Content-Encoding is "br, \*\*\*"/],
    ['content-length: 0', '', /version is empty/],
    ['transfer-encoding: chunked', '0\r\n\r\n', /version is empty/],
    [`connection: close\r\nrepr-digest: ${digest(Buffer.alloc(0))}`, '', /version is empty/],
  ];
  for (const [headers, body, words] of cases) {
    const server = hostile((socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n${body}`));
    });
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url);
      const work = repository.download('c', 'latest').then(({ content }) => collect(content));
      if (words === undefined) assert.is(String(await work), 'all!', headers);
      else {
        const failure = await failureOf(work);
        assert.is(failure.code, 'damaged', headers);
        assert.match(failure.message, words);
      }
      await repository.close();
    });
  }
});

test('chunked content that breaks off is an error', async () => {
  const server = hostile((socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'),
    );
  });
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url);
    const got = await repository.download('c', 'latest');
    assert.is((await failureOf(collect(got.content))).code, 'unreachable');
    await repository.close();
  });
});

test('a signal ends a download with its own reason', async () => {
  const { server } = breaking({ cuts: [1000], silent: true });
  await withServer(server, async ({ url }) => {
    const stop = new AbortController();
    const repository = repositoryAt(url, { signal: stop.signal });
    const got = await repository.download('c', 'latest');
    const reason = new Error('stopped');
    setTimeout(() => stop.abort(reason), 30);
    assert.is(await collect(got.content).catch((error: unknown) => error), reason);
    await repository.close();
  });
});

test.run();
