/**
 * A new key pair as a Secret of the cluster that we run in, made only where there is none.
 *
 * Nothing that is there is ever changed: a key that is overwritten makes all its backups unreadable. Of any number of
 * runs at the same time one makes the key, and all others find it. Speaks to the API server itself, with the files
 * that a pod is given (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/): a library that knows all
 * of the API is larger than the client.
 */
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { failure } from './failure.ts';
import type { KeyKind, KeyPair } from './key-files.ts';

/** The API server, and who we are to it. */
export interface Cluster {
  /** `https://` and the address; `http://` in tests only, as there is no token without TLS in a cluster. */
  url: URL;
  /** Certificate that the API server's own is signed with, PEM. Undefined: what Node.js trusts. */
  certificate: string | undefined;
  /** Never logged. */
  token: string;
  /** Of the pod. */
  namespace: string;
}

/** Names of the Secret's entries. */
export interface KeyEntries {
  publicKey: string;
  privateKey: string;
  passphrase: string;
}

export interface KeySecretOptions {
  name: string;
  /** Empty: that of the pod. */
  namespace: string;
  kind: KeyKind;
  /** Default: `key.pub`, `key`, `passphrase` for OpenPGP; `recipients.txt`, `identity`, `passphrase` for age. */
  entries?: Partial<KeyEntries>;
  /** Makes the pair; called only if there is none. The passphrase is the one that the Secret holds already, if it does. */
  generate(passphrase: string | undefined): Promise<KeyPair>;
  signal: AbortSignal;
}

export interface KeySecret {
  /** `created` the Secret, `added` the entries to one that lacked them, or `kept` a key that was there. */
  outcome: 'created' | 'added' | 'kept';
  namespace: string;
  /** As it stands in the Secret. */
  publicText: string;
  /** Of a key that was just made. */
  fingerprint: string | undefined;
  /** False if a key was kept that can make backups, and not restore them here. */
  canRestore: boolean;
}

const POD_FILES = '/var/run/secrets/kubernetes.io/serviceaccount';
const TIMEOUT_MS = 30_000;
/** Others may write the Secret between our looking and our writing; nobody does so many times in a row. */
const ATTEMPTS = 5;
/** Twice what a Secret may have. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Where the pod's files and variables say that the API server is.
 *
 * @throws {UserError} `usage` outside a cluster, or in a pod without a token.
 */
export async function clusterOfPod(
  env: Readonly<Record<string, string | undefined>>,
  folder = POD_FILES,
): Promise<Cluster> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  const hint = 'backup-maker keygen --secret <name> prints a manifest, anywhere';
  if (!host)
    throw failure('usage', '--create-secret works in a pod only: KUBERNETES_SERVICE_HOST is not set', hint);
  const read = async (name: string) => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (error) {
      const why = `the pod has no token of a ServiceAccount: ${join(folder, name)} cannot be read`;
      throw failure('usage', why, hint, error);
    }
  };
  const [certificate, token, namespace] = await Promise.all(['ca.crt', 'token', 'namespace'].map(read));
  const url = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return { url, certificate, token: token?.trim() ?? '', namespace: namespace?.trim() ?? '' };
}

/**
 * Makes sure that the Secret holds a key pair.
 *
 * @throws {UserError} `bad-key` if it holds half of one, `not-authorized`, `refused` or `unreachable` if the API server does
 *   not let us; whatever `generate` throws.
 */
export async function createKeySecret(cluster: Cluster, options: KeySecretOptions): Promise<KeySecret> {
  const namespace = options.namespace || cluster.namespace;
  const openpgp = options.kind === 'openpgp';
  const entries: KeyEntries = {
    publicKey: options.entries?.publicKey || (openpgp ? 'key.pub' : 'recipients.txt'),
    privateKey: options.entries?.privateKey || (openpgp ? 'key' : 'identity'),
    passphrase: options.entries?.passphrase || 'passphrase',
  };
  const call = { cluster, signal: options.signal, subject: `Secret ${namespace}/${options.name}` };
  const folder = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const path = `${folder}/${encodeURIComponent(options.name)}`;

  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await send(call, 'GET', path, [200, 404]);
    const there = found.status === 200 ? readSecret(found.body) : undefined;
    const kept = there && keptKey(there, entries, call.subject);
    if (kept) return { ...kept, outcome: 'kept', namespace, fingerprint: undefined };

    const passphrase = there?.data.get(entries.passphrase) || undefined;
    const pair = await options.generate(passphrase);
    if (openpgp && passphrase !== undefined && pair.passphrase !== passphrase)
      throw new Error('the key was not made with the passphrase of the Secret');
    const data = encoded(pair, entries, there?.data);
    const written = there
      ? await send(call, 'PATCH', `${path}${MANAGER}`, [200, 409], {
          // Without these the API server would take the change whatever has become of the Secret since.
          metadata: { resourceVersion: there.resourceVersion, uid: there.uid },
          data,
        })
      : await send(call, 'POST', `${folder}${MANAGER}`, [201, 409], newSecret(options.name, pair, data));
    if (written.status === 409) continue;
    const outcome = there ? 'added' : 'created';
    return {
      outcome,
      namespace,
      publicText: pair.publicText,
      fingerprint: pair.fingerprint,
      canRestore: true,
    };
  }
  throw failure('refused', `${call.subject} is changed by others all the time`, 'see who else writes it');
}

const MANAGER = '?fieldManager=backup-maker';

interface FoundSecret {
  /** Decoded. */
  data: ReadonlyMap<string, string>;
  resourceVersion: string;
  uid: string;
}

/** The key that is there; undefined if there is none. Half a pair is never completed with half of another one. */
function keptKey(
  { data }: FoundSecret,
  { publicKey, privateKey }: KeyEntries,
  subject: string,
): { publicText: string; canRestore: boolean } | undefined {
  const publicText = data.get(publicKey);
  const canRestore = Boolean(data.get(privateKey));
  if (publicText) return { publicText, canRestore };
  if (!canRestore) return undefined;
  throw failure(
    'bad-key',
    `${subject} has a private key in the entry ${privateKey}, but no public key in ${publicKey}, and another pair must not be mixed with it`,
    `add the public key of that pair as ${publicKey}`,
  );
}

/** The entries that are not there yet. The passphrase that the key was made with is there, or was made with it. */
function encoded(
  pair: KeyPair,
  entries: KeyEntries,
  there: ReadonlyMap<string, string> | undefined,
): Record<string, string> {
  const all = new Map([
    [entries.publicKey, pair.publicText],
    [entries.privateKey, pair.privateText],
    ...(pair.kind === 'openpgp'
      ? ([
          ['e-mail.txt', pair.email],
          [entries.passphrase, pair.passphrase],
        ] as const)
      : []),
  ]);
  const missing = [...all].filter(([entry]) => !there?.get(entry));
  return Object.fromEntries(
    missing.map(([entry, content]) => [entry, Buffer.from(content).toString('base64')]),
  );
}

/** The same as `secretManifest` prints. */
function newSecret(name: string, pair: KeyPair, data: Record<string, string>): object {
  const original = {
    labels: { 'riotkit.org/type': 'GPGSecret' },
    annotations: { 'riotkit.org/e-mail': pair.email },
  };
  const metadata = { name, ...(pair.kind === 'openpgp' && original) };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
}

function readSecret(body: unknown): FoundSecret {
  const { data, metadata } = body as {
    data?: Record<string, string>;
    metadata: { resourceVersion: string; uid: string };
  };
  const decoded = Object.entries(data ?? {}).map(
    ([entry, base64]) => [entry, Buffer.from(base64, 'base64').toString('utf8')] as const,
  );
  return { data: new Map(decoded), resourceVersion: metadata.resourceVersion, uid: metadata.uid };
}

interface Call {
  cluster: Cluster;
  signal: AbortSignal;
  /** What it is about, for messages. */
  subject: string;
}

/** One request. Answers other than those expected are thrown, and so never taken for a Secret that is not there. */
async function send(
  call: Call,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  expected: readonly number[],
  body?: object,
): Promise<{ status: number; body: unknown }> {
  let status: number;
  let answer: unknown;
  try {
    const response = await exchange(call, method, path, body);
    status = response.statusCode ?? 0;
    answer = parseAnswer(await text(limited(response)));
  } catch (error) {
    call.signal.throwIfAborted();
    const { code, name } = error as NodeJS.ErrnoException;
    const why = name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : (code ?? name);
    throw failure(
      'unreachable',
      `the Kubernetes API at ${call.cluster.url.host} cannot be reached (${why})`,
      undefined,
      error,
    );
  }
  if (expected.includes(status) && answer !== undefined) return { status, body: answer };
  throw refusal(call, method, status, answer);
}

async function exchange(
  { cluster, signal }: Call,
  method: string,
  path: string,
  body: object | undefined,
): Promise<IncomingMessage> {
  const { url, token, certificate } = cluster;
  const content = body && Buffer.from(JSON.stringify(body));
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    ...(content && { 'content-type': type, 'content-length': content.length }),
  };
  const options = {
    method,
    headers,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    // A connection of its own, closed with the answer: nothing is left open.
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const target = new URL(path, url);
    const request =
      url.protocol === 'http:'
        ? requestHttp(target, options, resolve)
        : requestHttps(
            target,
            { ...options, ...(certificate !== undefined && { ca: certificate }) },
            resolve,
          );
    request.on('error', reject);
    request.end(content);
  });
}

async function* limited(response: IncomingMessage): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw Object.assign(new Error('too long'), { code: 'answer too long' });
    yield chunk;
  }
}

/** Undefined if it is no object of the API: something else stands in its place. */
function parseAnswer(content: string): unknown {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null && 'kind' in value ? value : undefined;
  } catch {
    return undefined;
  }
}

function refusal({ subject }: Call, method: string, status: number, answer: unknown): Error {
  const verb = { GET: 'read', POST: 'created', PATCH: 'changed' }[method];
  const what = `${subject} cannot be ${verb}`;
  if (status === 401)
    return failure('not-authenticated', `${what}: the API server does not take the pod's token`);
  if (status === 403) {
    const rights = 'its ServiceAccount needs get and patch for that Secret, and create for secrets';
    return failure('not-authorized', what, rights);
  }
  if (status === 429 || status >= 500)
    return failure('unreachable', `${what}: the API server answers with ${status}`);
  // Its message is not shown: it may quote what was sent.
  const reason = (answer as { reason?: unknown } | undefined)?.reason;
  const known = typeof reason === 'string' && /^\w{1,40}$/.test(reason) ? ` (${reason})` : '';
  const hint = status === 422 ? 'an immutable Secret must be made anew' : undefined;
  return failure('refused', `${what}: the API server answers with ${status}${known}`, hint);
}
