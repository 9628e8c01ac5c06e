/** Certificates of an authority of one's own, and proxies in between. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytes, content, failureOf, repositoryAt, success } from '../../../client/http/world.ts';

const test = suite('TLS and proxies');
const folder = mkdtempSync(join(tmpdir(), 'client-tls-'));
const file = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

const answer: RequestListener = (request, response) => {
  let filesize = 0;
  request.on('data', (piece: Buffer) => {
    filesize += piece.length;
  });
  request.once('end', () =>
    response.end(
      success(request.method === 'GET' ? { versions: [] } : { version: { versionNumber: 1, filesize } }),
    ),
  );
};

const plain = createHttpServer(answer);
let secure: ReturnType<typeof createHttpsServer>;
let expired: ReturnType<typeof createHttpsServer>;
const tunnels: string[] = [];
const proxy = createHttpServer((request, response) => {
  tunnels.push(`${request.method} ${request.url}`);
  const onward = httpRequest(
    request.url ?? '',
    { method: request.method ?? '', headers: request.headers },
    (given) => {
      response.writeHead(given.statusCode ?? 0, given.headers);
      given.pipe(response);
    },
  );
  request.pipe(onward);
});
proxy.on('connect', (request, socket) => {
  tunnels.push(`CONNECT ${request.url}`);
  const onward = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    onward.pipe(socket).pipe(onward);
  });
  for (const each of [onward, socket]) each.on('error', () => {});
});

function certify(name: string, subject: string, ...more: string[]): { key: Buffer; cert: Buffer } {
  writeFileSync(file('ext'), `subjectAltName=${subject}`);
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-extfile',
    'ext',
    '-out',
    `${name}.pem`,
    ...more,
  );
  return { key: readFileSync(file(`${name}.key`)), cert: readFileSync(file(`${name}.pem`)) };
}

test.before(async () => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=our own authority',
  );
  secure = createHttpsServer(certify('server', 'IP:127.0.0.1', '-days', '1'), answer);
  expired = createHttpsServer(certify('old', 'DNS:elsewhere.example.org', '-days', '1'), answer);
  for (const server of [plain, secure, expired, proxy]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
});
test.after(() => {
  for (const server of [plain, secure, expired, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true });
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const ca = () => readFileSync(file('ca.pem'));

test('an authority of one’s own is trusted if it is named, for calls and uploads', async () => {
  const repository = repositoryAt(`https://127.0.0.1:${portOf(secure)}`, { ca: ca() });
  assert.equal(await repository.versions('c'), []);
  const { bytes: sent } = await repository.upload('c', content(bytes(3_000_000)), { contentEncoding: '' });
  assert.is(sent, 3_000_000);
  await repository.close();
});

test('one that is not named is not, and the way out is told; a wrong name neither', async () => {
  const stranger = repositoryAt(`https://127.0.0.1:${portOf(secure)}`);
  const failure = await failureOf(stranger.versions('c'));
  assert.is(failure.code, 'unreachable');
  assert.match(failure.message, /not signed by an authority that is known here/);
  assert.match(failure.hint, /--ca-file/);
  const pieces = content(bytes(10), bytes(10));
  assert.match((await failureOf(stranger.upload('c', pieces, { contentEncoding: '' }))).hint, /--ca-file/);
  assert.is(stranger.warnings.length, 0);
  await stranger.close();

  const wrong = repositoryAt(`https://127.0.0.1:${portOf(expired)}`, { ca: ca() });
  assert.match((await failureOf(wrong.versions('c'))).message, /certificate is not for "127\.0\.0\.1"/);
  await wrong.close();
});

test('plain HTTP to a port of HTTPS', async () => {
  const repository = repositoryAt(`http://127.0.0.1:${portOf(secure)}`);
  const failure = await failureOf(repository.versions('c'));
  assert.ok(['usage', 'unreachable'].includes(failure.code), failure.message);
  assert.match(failure.message + failure.hint, /HTTPS|https:|broke/);
  await repository.close();
});

test('proxies of the environment are used, and left out where NO_PROXY says so', async () => {
  const address = `http://127.0.0.1:${portOf(proxy)}`;
  const env = { HTTP_PROXY: address, HTTPS_PROXY: address };
  for (const [server, scheme] of [
    [plain, 'http'],
    [secure, 'https'],
  ] as const) {
    tunnels.length = 0;
    const url = `${scheme}://127.0.0.1:${portOf(server)}`;
    const repository = repositoryAt(url, { ca: ca(), env });
    assert.equal(await repository.versions('c'), []);
    const { bytes: sent } = await repository.upload('c', content(bytes(1_000_000)), { contentEncoding: '' });
    assert.is(sent, 1_000_000);
    await repository.close();
    assert.is(tunnels.length, 2, `${scheme}: ${tunnels}`);

    const direct = repositoryAt(url, { ca: ca(), env: { ...env, NO_PROXY: '127.0.0.1' } });
    assert.equal(await direct.versions('c'), []);
    await direct.close();
    assert.is(tunnels.length, 2, `${scheme}: ${tunnels}`);
  }
});

test('the password of a proxy is never told', async () => {
  const repository = repositoryAt(`https://127.0.0.1:${portOf(secure)}`, {
    env: { HTTPS_PROXY: 'http://user:very-secret@127.0.0.1:1' },
  });
  const failure = await failureOf(repository.versions('c'));
  assert.is(failure.code, 'unreachable');
  assert.match(failure.message, /HTTPS_PROXY/);
  await repository.close();
});

test.run();
