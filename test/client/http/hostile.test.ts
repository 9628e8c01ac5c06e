/** What a server that means harm could send to whoever backs up to it, or restores from it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printable } from '../../../src/cli/console.ts';
import { table } from '../../../src/cli/table.ts';
import { SILENT } from '../../../src/client/report.ts';
import { save } from '../../../src/client/save.ts';
import { collect, failureOf, hostile, repositoryAt, SECRET, web, withServer } from './world.ts';

const test = suite('hostile servers');
const versionsOf = (data: string) => `{"status":true,"data":{"versions":${data}}}`;

test('a redirect is not followed, and what it leads to hears nothing of the token', async () => {
  const heard: string[] = [];
  await withServer(
    web((request, response) => {
      heard.push(JSON.stringify(request.headers));
      response.end(versionsOf('[]'));
    }),
    async (other) => {
      for (const status of [301, 302, 303, 307, 308]) {
        await withServer(
          web((_request, response) => response.writeHead(status, { location: other.url }).end()),
          async ({ url }) => {
            const repository = repositoryAt(url);
            const { message } = await failureOf(repository.versions('db'));
            assert.match(message, 'redirects are not followed');
            await failureOf(repository.download('db', 'latest'));
          },
        );
      }
      assert.equal(heard, []);
      assert.is(other.connections(), 0);
    },
  );
});

test('an answer without end is given up, long before memory is', async () => {
  let sent = 0;
  await withServer(
    hostile((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"status":true,"data":[');
      const piece = Buffer.alloc(1024 * 1024, ' ');
      const more = () => {
        while (!socket.destroyed && socket.write(piece)) sent += piece.length;
        sent += piece.length;
      };
      socket.on('drain', more);
      more();
    }),
    async ({ url }) => {
      const before = process.memoryUsage().rss;
      const { code } = await failureOf(repositoryAt(url, { backoffMs: [] }).versions('db'));
      assert.ok(['usage', 'unreachable'].includes(code), code);
      assert.ok(sent < 200e6, `${sent}`);
      assert.ok(process.memoryUsage().rss - before < 250e6);
    },
  );
});

test('headers without end, a head of a megabyte, lengths that lie', async () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  for (const [what, head] of Object.entries({
    'one header of a megabyte': `${ok}X: ${'x'.repeat(1_000_000)}\r\n\r\n`,
    'very many headers': `${ok}${'X: y\r\n'.repeat(100_000)}\r\n`,
    'two lengths': `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    'a length that is none': `${ok}Content-Length: 1e9\r\n\r\n{}`,
    'both length and chunks': `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
    'a status of its own': 'HTTP/1.1 999 \u001b[31m\r\nContent-Length: 0\r\n\r\n',
  })) {
    await withServer(
      hostile((socket) => socket.once('data', () => socket.end(head))),
      async ({ url }) => {
        const repository = repositoryAt(url, { backoffMs: [] });
        for (const work of [repository.versions('db'), repository.download('db', '1')]) {
          const { message } = await failureOf(
            work.then(async (result) => 'content' in result && collect(result.content)),
          );
          assert.is(printable(message), message, what);
          assert.ok(message.length < 1000, what);
        }
      },
    );
  }
});

test('JSON that nests, or means something to the language, does nothing', async () => {
  const bodies = [
    versionsOf(`${'['.repeat(2_000_000)}`),
    versionsOf(`${'['.repeat(500_000)}${']'.repeat(500_000)}`),
    '{"status":true,"data":{"__proto__":{"versions":[],"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
    versionsOf('[{"__proto__":{"versionNumber":1,"filesize":1}}]'),
    versionsOf('[{"versionNumber":1e308,"filesize":-1}]'),
    versionsOf('{"length":4294967295}'),
  ];
  for (const body of bodies) {
    await withServer(
      web((_request, response) => response.end(body)),
      async ({ url }) => {
        await failureOf(repositoryAt(url, { backoffMs: [] }).versions('db'));
        assert.is(({} as { polluted?: unknown }).polluted, undefined);
      },
    );
  }
});

test('a list that is as long as an answer may be is shown, not a reason to crash', () => {
  const rows = Array.from({ length: 300_000 }, (_, index) => [String(index), 'a\u001b[31m']);
  const shown = table(['VERSION', 'FILE'], rows);
  assert.is(shown.split('\n').length, rows.length + 1);
  assert.is(shown.includes('\u001b'), false);
});

test('a token that would put headers of its own into requests is none', async () => {
  for (const token of ['a\r\nX-Injected: 1', 'a b', '', 'ż', { toString: 'x' }, '\u0000']) {
    await withServer(
      web((_request, response) => response.end(JSON.stringify({ status: true, data: { token } }))),
      async ({ url }) => {
        const credentials = { kind: 'password', username: 'shop', password: SECRET } as const;
        const { message } = await failureOf(repositoryAt(url, { credentials }).versions('db'));
        assert.match(message, 'holds no token');
      },
    );
  }
});

test('the name that a server gives to a version decides nothing: a file is where the user wants it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'backup-maker-hostile-'));
  const names = [
    'attachment; filename="../../evil"',
    'attachment; filename="/tmp/evil"',
    "attachment; filename*=UTF-8''..%2F..%2Fevil",
    'attachment; filename="..\\..\\evil"',
    'attachment; filename=".."',
    `attachment; filename="${'\\'.repeat(8000)}`,
  ];
  try {
    for (const name of names) {
      await withServer(
        web((_request, response) =>
          response.writeHead(200, { 'content-disposition': name, 'content-length': '7' }).end('content'),
        ),
        async ({ url }) => {
          const repository = repositoryAt(url);
          const { filename = '' } = await repository.download('db', '1').then(async (download) => {
            await collect(download.content);
            return download;
          });
          assert.not.match(filename, /[/\\]|^\.\.?$/, name);
          await save({
            repository: repositoryAt(url),
            collectionId: 'db',
            version: '1',
            to: join(folder, 'wanted'),
            asStored: true,
            identities: undefined,
            noEncryption: true,
            decompression: 'none',
            signal: new AbortController().signal,
            report: SILENT,
          });
          assert.equal(readdirSync(folder), ['wanted'], name);
        },
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
