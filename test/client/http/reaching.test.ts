/** What a person reads when a server cannot be reached, or not in the way that was asked for. */
import { execFile } from 'node:child_process';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../free-port.ts';
import { failureOf, hostile, repositoryAt, SECRET, saying, success, withServer } from './world.ts';

const test = suite('reaching servers');
/** For 127.0.0.1, signed by itself, valid for a hundred years; protects nothing. */
const SELF_SIGNED = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeO9o2Y3VqqhLrzHc
b7Cu9XWvhOZjoQzc2F18pOwEbcKhRANCAAQkL3g5qWDepdxf1OGNJ9ygx4Zk9iOC
4wvfMSMN/sjWNrW05tRI0ikODa3oGakwckNoCLKV2lGua6YZQyvaV6YB
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUS5jLUoCGh4SH/Z+MZuYW3Fukg9owCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMzAwMTkzOFoYDzIxMjYxMDMw
MDAxOTM4WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQkL3g5qWDepdxf1OGNJ9ygx4Zk9iOC4wvfMSMN/sjWNrW05tRI0ikO
Da3oGakwckNoCLKV2lGua6YZQyvaV6YBo2QwYjAdBgNVHQ4EFgQUxWgSAKA0J5t4
RQ/svv/DtSFLNRIwHwYDVR0jBBgwFoAUxWgSAKA0J5t4RQ/svv/DtSFLNRIwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQCj+MZy+Xb+ttoEUS5pU8k7P2XaP5qud/bNmTpRTPYCcwIgRp8kyNa7TRtblGgY
qiJ9PlZDeup+cMfNt4Y82Jre84M=
-----END CERTIFICATE-----`,
};

test('garbage, and TLS alerts', async () => {
  const answers: [string | Buffer, RegExp][] = [
    ['SSH-2.0-OpenSSH_9.2\r\n', /does not answer in HTTP/],
    [Buffer.from([0x15, 3, 1, 0, 2, 2, 70]), /speaks HTTPS/],
  ];
  for (const [answer, words] of answers) {
    const server = hostile((socket) => {
      socket.once('data', () => socket.end(answer));
    });
    await withServer(server, async ({ url, connections }) => {
      const repository = repositoryAt(url);
      const failure = await failureOf(repository.versions('c'));
      assert.is(failure.code, 'usage');
      assert.match(failure.message, words);
      assert.is(connections(), 1);
      await repository.close();
    });
  }
});

test('no variable makes the client trust a certificate that nobody signed', async () => {
  let requests = 0;
  const server = createHttpsServer(SELF_SIGNED, (_request, response) => {
    requests++;
    response.end(success({ versions: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const world = new URL('world.ts', import.meta.url).href;
  const script = `
    const { repositoryAt } = await import(${JSON.stringify(world)});
    const repository = repositoryAt('https://127.0.0.1:${(server.address() as AddressInfo).port}');
    await repository.versions('c').then(() => console.log('trusted'), (error) => console.log(error.message));
    await repository.close();
  `;
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
    );
    assert.match(stdout, /certificate is not signed by an authority that is known here/);
    assert.is(requests, 0);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('servers that cannot be reached', async () => {
  const port = await freePort();
  const cases: [string, string, RegExp][] = [
    [`http://127.0.0.1:${port}`, 'unreachable', /nothing listens on port \d+ \(connection refused\)/],
    [`http://[::1]:${port}`, 'unreachable', /at http:\/\/\[::1\]:\d+: (nothing listens|there is no way)/],
    ['http://no-such-host.invalid', 'unreachable', /"no-such-host\.invalid"/],
  ];
  for (const [url, code, words] of cases) {
    const repository = repositoryAt(url);
    const failure = await failureOf(repository.versions('c'));
    assert.is(failure.code, code, failure.message);
    assert.match(failure.message, words);
    await repository.close();
  }
  await withServer(saying({ status: 200 }), async ({ port }) => {
    const repository = repositoryAt(`https://127.0.0.1:${port}`);
    const failure = await failureOf(repository.versions('c'));
    assert.is(failure.code, 'usage', failure.message);
    assert.is(failure.hint, `--url http://127.0.0.1:${port}`);
    await repository.close();
  });
});

test('no limit for silence is none for connecting either, but the one that there always is', async () => {
  await withServer(saying({ status: 200, body: success({ versions: [] }) }), async ({ url }) => {
    const repository = repositoryAt(url, { idleTimeoutMs: 0 });
    const asked = repository.versions('c');
    for (let turn = 0; turn < 50; turn++) await undefined;
    // The connection comes about later than any timer of no time.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    assert.equal(await asked, []);
    assert.equal(repository.warnings, []);
    await repository.close();
  });
});

test('addresses and credentials that cannot be right are told before anything is sent', async () => {
  const opening = (url: string, more = {}) => failureOf((async () => repositoryAt(url, more))());
  for (const url of [
    'https://user:very-secret@host',
    'user:very-secret@host',
    'https://very-secret@host/x',
  ]) {
    const failure = await opening(url);
    assert.is(failure.code, 'usage');
    assert.match(failure.message, /must not hold a user name or a password/);
  }
  assert.is((await opening('backups.example.org/x')).hint, 'https://backups.example.org/x');
  assert.is((await opening('localhost:8080')).hint, 'https://localhost:8080');
  assert.match((await opening('https://host/?token=1')).message, /without "\?"/);
  assert.match((await opening('https://host', { ca: Buffer.from('junk') })).message, /no certificate/);
  assert.match(
    (await opening('https://host', { credentials: { kind: 'token', token: `${SECRET}\nx` } })).message,
    /white space/,
  );
  const repository = repositoryAt('http://127.0.0.1:1');
  assert.is((await failureOf(repository.versions(''))).code, 'usage');
  assert.is((await failureOf(repository.versions('..'))).code, 'usage');
  assert.is((await failureOf(repository.login())).code, 'usage');
  await repository.close();
});

test.run();
