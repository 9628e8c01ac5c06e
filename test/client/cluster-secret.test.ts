import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../src/api/problem.ts';
import {
  type Cluster,
  clusterOfPod,
  createKeySecret,
  type KeySecretOptions,
} from '../../src/client/cluster-secret.ts';
import { generateKeyPair, type KeyPair } from '../../src/client/key-files.ts';

interface Secret {
  metadata: { name: string; uid?: string; resourceVersion?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  immutable?: boolean;
}

/** What of the API server's behaviour matters here: names are unique, and a precondition that fails is a conflict. */
class ApiServer {
  readonly secrets = new Map<string, Secret>();
  readonly requests: string[] = [];
  /** Called before each request is looked at, as somebody else would come in between. */
  before: (method: string) => void = () => {};
  /** Answers all requests with this, if it is set. */
  answer: { status: number; body: string } | undefined;
  cluster!: Cluster;
  #server!: Server;
  #version = 0;

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      void this.#handle(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      });
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}`);
    this.cluster = { url, certificate: undefined, token: 'pod-token', namespace: 'shop' };
    return this;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  put(name: string, entries: Record<string, string>, more: Partial<Secret> = {}): void {
    const data = Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, base64(value)]));
    const version = String(++this.#version);
    this.secrets.set(name, {
      metadata: { name, uid: `uid-${name}`, resourceVersion: version },
      data,
      ...more,
    });
  }

  entries(name: string): Record<string, string> {
    const { data = {} } = this.secrets.get(name) ?? {};
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  }

  async #handle(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const body = await text(request);
    const { method = '', url = '' } = request;
    this.requests.push(`${method} ${url}`);
    this.before(method);
    if (this.answer) return this.answer;
    assert.is(request.headers.authorization, 'Bearer pod-token');
    const name = /^\/api\/v1\/namespaces\/shop\/secrets(?:\/([^/?]+))?(?:\?|$)/.exec(url)?.[1];
    if (method === 'POST') {
      const sent = JSON.parse(body) as Secret;
      if (this.secrets.has(sent.metadata.name)) return status(409, 'AlreadyExists');
      const metadata = { ...sent.metadata, uid: 'new', resourceVersion: String(++this.#version) };
      this.secrets.set(sent.metadata.name, { ...sent, metadata });
      return { status: 201, body: JSON.stringify({ kind: 'Secret', ...sent, metadata }) };
    }
    const there = this.secrets.get(name ?? '');
    if (!there) return status(404, 'NotFound');
    if (method === 'GET') return { status: 200, body: JSON.stringify({ kind: 'Secret', ...there }) };
    assert.is(request.headers['content-type'], 'application/merge-patch+json');
    const sent = JSON.parse(body) as Secret;
    assert.is(sent.metadata.uid, there.metadata.uid);
    assert.ok(sent.metadata.resourceVersion, 'a change without a precondition');
    if (sent.metadata.resourceVersion !== there.metadata.resourceVersion) return status(409, 'Conflict');
    if (there.immutable) return status(422, 'Invalid');
    there.data = { ...there.data, ...sent.data };
    there.metadata.resourceVersion = String(++this.#version);
    return { status: 200, body: JSON.stringify({ kind: 'Secret', ...there }) };
  }
}

function status(code: number, reason: string): { status: number; body: string } {
  const body = { kind: 'Status', reason, message: 'may quote a-private-key' };
  return { status: code, body: JSON.stringify(body) };
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}

interface Context {
  api: ApiServer;
  made: KeyPair[];
}

const test = suite<Context>('client: a key in the cluster');

test.before.each(async (context) => {
  context.api = await new ApiServer().start();
  context.made = [];
});
test.after.each(({ api }) => api.stop());

function options(made: KeyPair[], more: Partial<KeySecretOptions> = {}): KeySecretOptions {
  const kind = more.kind ?? 'age';
  return {
    name: 'keys',
    namespace: '',
    kind,
    signal: new AbortController().signal,
    generate: async (passphrase = '') => {
      const date = new Date('2024-01-01');
      const pair = await generateKeyPair({ kind, name: 'Backup', email: 'a@example.org', passphrase, date });
      made.push(pair);
      return pair;
    },
    ...more,
  };
}

async function failureOf(work: Promise<unknown>): Promise<UserError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.instance(error, UserError);
  assert.not.match((error as UserError).message, /pod-token|a-private-key|AGE-SECRET/);
  return error as UserError;
}

test('where there is no Secret, it is made with the whole pair', async ({ api, made }) => {
  const result = await createKeySecret(api.cluster, options(made));
  const [pair] = made;
  assert.is(result.outcome, 'created');
  assert.is(result.namespace, 'shop');
  assert.is(result.fingerprint, pair?.fingerprint);
  assert.equal(api.entries('keys'), { 'recipients.txt': pair?.publicText, identity: pair?.privateText });
});

test('an OpenPGP pair has the names that the ScheduledBackup gives, and the labels of the original', async ({
  api,
  made,
}) => {
  const entries = { publicKey: 'public', privateKey: 'private' };
  await createKeySecret(api.cluster, options(made, { kind: 'openpgp', entries }));
  const { 'e-mail.txt': email, passphrase, public: publicKey, private: privateKey } = api.entries('keys');
  assert.equal([email, passphrase], ['a@example.org', '']);
  assert.match(publicKey ?? '', /BEGIN PGP PUBLIC KEY/);
  assert.match(privateKey ?? '', /BEGIN PGP PRIVATE KEY/);
  assert.is(api.secrets.get('keys')?.metadata.labels?.['riotkit.org/type'], 'GPGSecret');
});

test('a key that is there is kept, and none is even made', async ({ api, made }) => {
  await createKeySecret(api.cluster, options(made));
  const before = api.entries('keys');
  api.requests.length = 0;
  const again = await createKeySecret(api.cluster, options(made));
  assert.is(again.outcome, 'kept');
  assert.is(again.publicText, made[0]?.publicText);
  assert.is(again.canRestore, true);
  assert.equal(api.entries('keys'), before);
  assert.is(made.length, 1);
  assert.equal(api.requests, ['GET /api/v1/namespaces/shop/secrets/keys']);
});

test('a public key alone is kept: the private one may be elsewhere on purpose', async ({ api, made }) => {
  api.put('keys', { 'recipients.txt': 'age1mine\n' });
  const result = await createKeySecret(api.cluster, options(made));
  assert.equal([result.outcome, result.canRestore, made.length], ['kept', false, 0]);
  assert.equal(api.entries('keys'), { 'recipients.txt': 'age1mine\n' });
});

test('a private key alone is never mixed with another pair', async ({ api, made }) => {
  api.put('keys', { identity: 'AGE-SECRET-KEY-1X' });
  const { problem } = await failureOf(createKeySecret(api.cluster, options(made)));
  assert.is(problem.code, 'bad-key');
  assert.equal(api.entries('keys'), { identity: 'AGE-SECRET-KEY-1X' });
});

test('a Secret with other entries gets those that it lacks, and its passphrase protects the key', async ({
  api,
  made,
}) => {
  api.put('keys', { token: 'kept', passphrase: 'long and secret', key: '' });
  const result = await createKeySecret(api.cluster, options(made, { kind: 'openpgp' }));
  assert.is(result.outcome, 'added');
  assert.is(made[0]?.passphrase, 'long and secret');
  const entries = api.entries('keys');
  assert.equal([entries.token, entries.passphrase], ['kept', 'long and secret']);
  assert.equal([entries.key, entries['key.pub']], [made[0]?.privateText, made[0]?.publicText]);
});

test('of two that find nothing, one makes the key and the other finds it', async ({ api, made }) => {
  const both = await Promise.all([1, 2].map(() => createKeySecret(api.cluster, options(made))));
  assert.equal(both.map(({ outcome }) => outcome).sort(), ['created', 'kept']);
  assert.is(both[0]?.publicText, both[1]?.publicText);
});

test('a key that comes in between is kept, whether the Secret was there before or not', async ({
  api,
  made,
}) => {
  for (const first of [{}, undefined]) {
    api.secrets.clear();
    if (first) api.put('keys', first);
    api.before = (method) => {
      if (method !== 'GET') api.put('keys', { 'recipients.txt': 'age1theirs\n', identity: 'theirs' });
    };
    const result = await createKeySecret(api.cluster, options(made));
    assert.equal([result.outcome, result.publicText], ['kept', 'age1theirs\n']);
    assert.is(api.entries('keys').identity, 'theirs');
    api.before = () => {};
  }
});

test('one that is changed all the time is given up', async ({ api, made }) => {
  api.put('keys', {});
  api.before = (method) => method === 'PATCH' && api.put('keys', { other: 'x' });
  const { problem } = await failureOf(createKeySecret(api.cluster, options(made)));
  assert.is(problem.code, 'refused');
  assert.equal(api.entries('keys'), { other: 'x' });
});

test('only a clear no counts as no Secret: nothing is made of any other answer', async ({ api, made }) => {
  const answers: [number, string, string][] = [
    [401, status(401, 'Unauthorized').body, 'not-authenticated'],
    [403, status(403, 'Forbidden').body, 'not-authorized'],
    [404, '<html>not found</html>', 'refused'],
    [500, status(500, 'InternalError').body, 'unreachable'],
    [200, 'not JSON', 'refused'],
  ];
  for (const [code, body, expected] of answers) {
    api.answer = { status: code, body };
    api.requests.length = 0;
    const { problem } = await failureOf(createKeySecret(api.cluster, options(made)));
    assert.is(problem.code, expected, String(code));
    assert.is(api.requests.length, 1);
  }
  assert.is(made.length, 0);
});

test('an immutable Secret is left alone', async ({ api, made }) => {
  api.put('keys', {}, { immutable: true });
  const { problem } = await failureOf(createKeySecret(api.cluster, options(made)));
  assert.is(problem.code, 'refused');
  assert.match(problem.message, /422 \(Invalid\)$/);
});

test('an API server that is not there', async ({ api, made }) => {
  const cluster = { ...api.cluster, url: new URL('http://127.0.0.1:1') };
  const { problem } = await failureOf(createKeySecret(cluster, options(made)));
  assert.is(problem.code, 'unreachable');
  assert.match(problem.message, /ECONNREFUSED/);
});

test('the cluster is what the files and variables of the pod say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pod-'));
  try {
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    const { problem } = await failureOf(clusterOfPod(env, folder));
    assert.match(problem.message, /no token of a ServiceAccount/);
    for (const name of ['ca.crt', 'token', 'namespace']) writeFileSync(join(folder, name), `${name}\n`);
    const { url, ...rest } = await clusterOfPod(env, folder);
    assert.is(url.href, 'https://[fd00::1]:6443/');
    assert.equal(rest, { certificate: 'ca.crt\n', token: 'token', namespace: 'namespace' });
    assert.is((await failureOf(clusterOfPod({}, folder))).problem.code, 'usage');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
