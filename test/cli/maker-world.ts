/**
 * `backup-maker` within the test's own process against our real server: keys, accounts, collections, and a runner that holds
 * every output of every run against every secret that the tests use.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as assert from 'uvu/assert';
import { runMaker } from '../../src/cli/maker-program.ts';
import type { MakerOutside } from '../../src/cli/outside.ts';
import { generateKeyPair } from '../../src/client/key-files.ts';
import { createTokens } from '../../src/server/access/token.ts';
import type { VersionMessage } from '../../src/wire/messages.ts';
import { cheapPassword } from '../server/access/accounts.ts';
import { call } from '../server/http/client.ts';
import { collection, type Document } from '../server/http/documents.ts';
import { type InProcess, openReplicas } from '../server/http/in-process.ts';
import { sqliteAndFolder } from '../server/http/sqlite-folder.ts';
import { SUITE_SETTINGS } from '../server/http/suite.ts';

/** Long enough to be found wherever they turn up. */
export const PASSWORD = 'canary-password-5f1c';
export const PASSPHRASE = 'canary passphrase 77aa';
export const HEALTH_CODE = 'canary-health-c0de';
/** What somebody writes into a command, against all advice. */
export const IN_COMMAND = 'canary-in-command-91';
/** What is backed up: much smaller once it is compressed. */
export const TEXT = 'something worth keeping\n'.repeat(500);
/** Of the server's tokens in `openReplicas`. */
const TOKEN_KEY = 'a key of the tests, long enough to be one';

const secrets = new Set([PASSWORD, PASSPHRASE, HEALTH_CODE, IN_COMMAND]);
/** Private keys of any kind. */
const PRIVATE = /AGE-SECRET-KEY-|PRIVATE KEY BLOCK/;

/** From now on this must not turn up in any output. */
export function keepSecret(text: string): string {
  secrets.add(text);
  return text;
}

/** Asserts that nothing that was written holds a secret. `may`: the one that it is all about. */
export function assertNoSecret(text: string, may?: 'private-key' | string): void {
  for (const secret of secrets)
    if (secret !== may) assert.not.ok(text.includes(secret), `a secret was shown: ${text}`);
  if (may !== 'private-key') assert.not.match(text, PRIVATE);
}

export interface Ran {
  code: number;
  /** Standard output. */
  bytes: Buffer;
  out: string;
  err: string;
  /** Standard output as the one JSON document that it must be. */
  json(): Record<string, unknown>;
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  /** Standard error is a terminal. */
  terminal?: boolean;
  /** Called with what sends the program a signal. */
  stop?: (send: (signal: NodeJS.Signals) => void) => void;
  /** Instead of short ones. */
  waits?: MakerOutside['waits'];
  /** Instead of one that takes everything. */
  stdout?: Writable;
  /** A secret that standard output is there for. */
  shows?: 'private-key' | string;
}

/** Runs the program to its end. */
export async function maker(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env = {}, terminal = false, stop, shows } = options;
  const chunks: Buffer[] = [];
  const stdout =
    options.stdout ??
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    });
  let err = '';
  const handlers: ((signal: NodeJS.Signals) => void)[] = [];
  const code = runMaker(args, {
    env: { PATH: process.env.PATH, HOME: tmpdir(), TMPDIR: tmpdir(), ...env },
    stdin: Readable.from([]),
    stdout,
    stderr: { isTTY: terminal, columns: 100, write: (text) => (err += text) },
    onSignal: (handler) => handlers.push(handler),
    waits: { backoffMs: [1, 1, 1], random: () => 0, ...options.waits },
  });
  stop?.((signal) => {
    for (const handler of handlers) handler(signal);
  });
  const exitCode = await code;
  const bytes = Buffer.concat(chunks);
  const out = bytes.toString('utf8');
  assertNoSecret(err);
  assertNoSecret(out, shows);
  return {
    code: exitCode,
    bytes,
    out,
    err,
    json: () => JSON.parse(out) as Record<string, unknown>,
  };
}

/** What a failed run says: exactly one sentence, and what to do if that is known. */
export function complaintOf({ err }: Ran): { message: string; hint: string; status: number } {
  const lines = err.split('\n').filter((line) => line.includes('level=error'));
  assert.is(lines.length, 1, `one sentence, not ${lines.length}: ${err}`);
  const [line = ''] = lines;
  assert.ok(err.endsWith(`${line}\n`), `the sentence is the last to be read: ${err}`);
  const text = (name: string): string => {
    const [, value] = new RegExp(` ${name}=("(?:[^"\\\\]|\\\\.)*"|\\S+)`).exec(line) ?? [];
    return value === undefined ? '' : value.startsWith('"') ? (JSON.parse(value) as string) : value;
  };
  const message = text('msg');
  assert.match(message, /^([^A-Z]|BM_)/, 'it begins in lower case');
  assert.not.match(message, /\.$|\n/);
  return { message, hint: text('try'), status: Number(text('exitStatus')) };
}

/** Asserts that the run failed so, and said so. */
export function failedWith(ran: Ran, status: number, message: RegExp, hint?: RegExp): void {
  assert.is(ran.code, status, ran.err);
  const said = complaintOf(ran);
  assert.match(said.message, message);
  assert.is(said.status, status);
  if (hint) assert.match(said.hint, hint);
}

export interface Keys {
  /** Files. */
  agePublic: string;
  agePrivate: string;
  otherPublic: string;
  otherPrivate: string;
  pgpPublic: string;
  /** Locked with `PASSPHRASE`. */
  pgpPrivate: string;
  /** The age recipient. */
  recipient: string;
}

/** Closed until half a year from now. */
const CLOSED = [{ from: `0 0 1 ${((new Date().getMonth() + 6) % 12) + 1} *`, duration: '1m' }];

export class MakerWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'backup-maker-cli-'));
  keys!: Keys;
  /** The server, and an administrator's token. */
  env!: NodeJS.ProcessEnv;
  #target!: InProcess;
  #objects = '';

  get url(): string {
    return this.#target.urls[0] ?? '';
  }

  get metadata(): InProcess['metadata'] {
    return this.#target.metadata;
  }

  async open(collections: readonly Document[] = []): Promise<void> {
    const engines = await sqliteAndFolder();
    this.#objects = join(engines.folder, 'objects');
    this.#target = await openReplicas(async () => [engines])(
      [...(await accounts()), ...COLLECTIONS, ...collections],
      { ...SUITE_SETTINGS, uploadIdleTimeoutMs: 60_000, idleTimeoutMs: 60_000 },
    );
    this.keys = await this.#makeKeys();
    this.env = { BM_URL: this.url, BM_AUTH_TOKEN: await this.token('admin') };
  }

  async close(): Promise<void> {
    await this.#target?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | Buffer): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  async token(username: string, password = PASSWORD): Promise<string> {
    const answer = await call('POST', `${this.url}/api/stable/auth/login`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    assert.is(answer.status, 200, answer.bytes.toString());
    return keepSecret((answer.json as { data: { token: string } }).data.token);
  }

  expiredToken(): string {
    const scope = { elements: [] };
    const claims = { login: 'admin', accessKeyName: '', scope, credential: '' };
    const then = Date.now() - 24 * 3_600_000;
    return keepSecret(createTokens({ key: TOKEN_KEY }).sign(claims, then).token);
  }

  /** Asks the server itself, as the administrator. */
  async ask(method: string, path: string, options: Parameters<typeof call>[2] = {}) {
    return call(method, `${this.url}${path}`, { token: this.env.BM_AUTH_TOKEN ?? '', ...options });
  }

  async versions(collectionId = 'app'): Promise<VersionMessage[]> {
    const answer = await this.ask('GET', `/api/stable/repository/collection/${collectionId}/version`);
    return (answer.json as { data: { versions: VersionMessage[] } }).data.versions;
  }

  /** Stores bytes as they are, as curl would. @returns the number of the version */
  async upload(body: Buffer | string, collectionId = 'app'): Promise<number> {
    const answer = await this.ask('POST', `/api/alpha/repository/collection/${collectionId}/version`, {
      body,
    });
    assert.is(answer.status, 200, answer.bytes.toString());
    return (answer.json as { data: { version: VersionMessage } }).data.version.versionNumber;
  }

  /** Runs a command of the program for which nothing is in the way; in the collection `app` if the arguments name none. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const named = args.some((word) => word === '-i' || word === '--collection-id');
    const env = { ...this.env, ...(!named && { BM_COLLECTION_ID: 'app' }), ...options.env };
    return maker(args, { ...options, env });
  }

  /** Stores a version and returns its number. */
  async made(text: string, args: readonly string[] = ['-k', this.keys.agePublic], env = {}): Promise<number> {
    const source = this.write(`source-${randomBytes(4).toString('hex')}`, text);
    const ran = await this.run(['make', '-c', `cat ${source}`, '--json', ...args], { env });
    assert.is(ran.code, 0, ran.err);
    return Number(ran.json().version);
  }

  /** Flips a bit in the middle of what the storage has of the version. */
  damage(collectionId: string, version: number): void {
    const folder = join(this.#objects, collectionId);
    const name = readdirSync(folder).find((each) => each.startsWith(`${version}-`));
    assert.ok(name, `${version} is in ${folder}`);
    const file = join(folder, name ?? '');
    const content = readFileSync(file);
    const middle = content.length - 10;
    content[middle] = (content[middle] ?? 0) ^ 1;
    writeFileSync(file, content);
  }

  /** A folder in which the only programs are those that a test of commands needs, and the shell is `sh`. */
  barePath(): string {
    const folder = this.path('bare');
    mkdirSync(folder, { recursive: true });
    for (const name of ['sh', 'cat', 'rm', 'mkdir', 'sleep', 'env', 'true', 'false'])
      for (const where of ['/bin', '/usr/bin'])
        if (exists(join(where, name)) && !exists(join(folder, name)))
          symlinkSync(join(where, name), join(folder, name));
    return folder;
  }

  async #makeKeys(): Promise<Keys> {
    const shared = { name: 'Ops', email: 'ops@example.org', date: new Date() };
    const [age, other, pgp] = await Promise.all([
      generateKeyPair({ ...shared, kind: 'age', passphrase: '' }),
      generateKeyPair({ ...shared, kind: 'age', passphrase: '' }),
      generateKeyPair({ ...shared, kind: 'openpgp', passphrase: PASSPHRASE }),
    ]);
    return {
      agePublic: this.write('age.pub', age.publicText),
      agePrivate: this.write('age.key', age.privateText),
      otherPublic: this.write('other.pub', other.publicText),
      otherPrivate: this.write('other.key', other.privateText),
      pgpPublic: this.write('pgp.pub', pgp.publicText),
      pgpPrivate: this.write('pgp.key', pgp.privateText),
      recipient: age.fingerprint,
    };
  }
}

export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Collections by what is special about them. Anything may be stored in `open`, and only what is encrypted in the others. */
const COLLECTIONS: readonly Document[] = [
  collection('app', { maxBackupsCount: 100 }),
  collection('checked', { maxBackupsCount: 100 }),
  collection('open', { maxBackupsCount: 100, allowUnencrypted: true }),
  collection('small', { maxOneVersionSize: '1K', maxCollectionSize: '2K', allowUnencrypted: true }),
  collection('closed', {
    windows: CLOSED,
    accessControl: [{ userName: 'uploader', roles: ['backupUploader'] }],
  }),
  collection('never'),
  collection('coded', { healthSecretRef: { name: 'codes', entry: 'health' } }),
];

async function accounts(): Promise<Document[]> {
  const password = cheapPassword(PASSWORD);
  const apiVersion = 'backups.riotkit.org/v1alpha1';
  const user = (name: string, spec: object = {}): Document => ({
    apiVersion,
    kind: 'BackupUser',
    metadata: { name },
    spec: { email: `${name}@example.org`, password, ...spec },
  });
  return [
    user('admin', { roles: ['systemAdmin'] }),
    user('uploader'),
    user('downloader'),
    user('stranger'),
    user('machine', {
      accessKeys: [
        {
          name: 'key',
          password,
          objects: [{ type: 'collection', name: 'app', roles: ['backupUploader'] }],
        },
        {
          name: 'reader',
          password,
          objects: [{ type: 'collection', name: 'checked', roles: ['backupDownloader'] }],
        },
      ],
    }),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'codes' },
      stringData: { health: createHash('sha256').update(HEALTH_CODE).digest('hex') },
    },
  ];
}
